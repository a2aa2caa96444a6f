"""Images among uploads: how large they are, and the small ones that are made of them."""

import io
import shutil

import pytest
from PIL import Image

from client import Client
from files import JPEG, png, upload
from program import eventually
from test_uploads import begun, configured, content, files_of, nothing_left


@pytest.fixture(scope="module")
def app(platform):
    return configured(platform)


def picture(format: str, size=(800, 600), **options) -> bytes:
    """Red on the left and blue on the right."""
    image = Image.new("RGB", size, "red")
    image.paste("blue", (size[0] // 2, 0, *size))
    out = io.BytesIO()
    image.save(out, format, **options)
    return out.getvalue()


def small(app, shown: dict) -> Image.Image:
    answer = content(app, shown["thumbnail"])
    assert answer.status_code == 200 and answer.headers["content-type"] == "image/webp"
    assert answer.headers["x-content-type-options"] == "nosniff"
    image = Image.open(io.BytesIO(answer.content))
    assert image.size == (shown["thumbnail"]["width"], shown["thumbnail"]["height"])
    return image.convert("RGB")


def is_red(pixel) -> bool:
    return pixel[0] > 200 and pixel[2] < 120


def is_blue(pixel) -> bool:
    return pixel[2] > 200 and pixel[0] < 120


@pytest.mark.parametrize("format", ["JPEG", "PNG", "GIF", "WEBP"])
def test_an_image_has_a_small_one(app, format):
    shown = upload(app.user("alice"), picture(format), f"image/{format.lower()}").json()
    assert (shown["width"], shown["height"]) == (800, 600)
    image = small(app, shown)
    assert image.size == (320, 240) and is_red(image.getpixel((10, 120))) and is_blue(image.getpixel((310, 120)))
    # What is small stays as it is.
    tiny = upload(app.user("alice"), picture(format, (20, 10)), f"image/{format.lower()}").json()
    assert small(app, tiny).size == (20, 10)


def test_a_photo_is_turned_as_it_says_and_tells_nobody_where_it_was_taken(app):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter, clockwise
    exif.get_ifd(0x8825)[2] = (52.0, 31.0, 12.0)
    exif[0x010F] = "a telling camera"
    data = picture("JPEG", exif=exif)
    assert b"a telling camera" in data
    shown = upload(app.user("alice"), data, "image/jpeg").json()
    thumbnail = content(app, shown["thumbnail"]).content
    assert b"telling" not in thumbnail and not Image.open(io.BytesIO(thumbnail)).getexif()
    image = small(app, shown)
    # What was left is on top.
    assert image.size == (240, 320) and is_red(image.getpixel((120, 10))) and is_blue(image.getpixel((120, 310)))
    # The upload itself is given out as it came.
    assert content(app, shown).content == data


def test_of_what_moves_the_first_picture_is_shown(app):
    first, second = (Image.new("RGB", (64, 64), colour) for colour in ("red", "blue"))
    for format in ("GIF", "WEBP"):
        out = io.BytesIO()
        first.save(out, format, save_all=True, append_images=[second] * 200, duration=10, lossless=True)
        shown = upload(app.user("alice"), out.getvalue(), f"image/{format.lower()}").json()
        image = small(app, shown)
        assert image.size == (64, 64) and is_red(image.getpixel((32, 32)))


def test_an_image_that_unfolds_to_too_much_is_refused_before_it_is_decoded(sluice):
    gateway = sluice()
    app = configured(gateway, max_pixels=1_000_000)
    bomb = upload(app.user("alice"), png(5_000, 5_000), expect=413).json()
    assert bomb["code"] == "payload_too_large" and "5000 by 5000 pixels" in bomb["detail"]
    huge = bytearray(png())
    huge[16:24] = b"\xff" * 8
    upload(app.user("alice"), bytes(huge), expect=413)
    assert eventually(lambda: nothing_left(gateway, app))
    upload(app.user("alice"), picture("JPEG", (1000, 1001)), "image/jpeg", expect=413)
    upload(app.user("alice"), picture("JPEG", (1000, 1000)), "image/jpeg")


def test_an_image_that_hides_how_large_it_is_is_refused_or_seen_by_no_decoder(sluice, tmp_path):
    tool, seen = tmp_path / "vipsthumbnail", tmp_path / "seen"
    tool.write_text(f"#!/bin/sh\n: > '{seen}'\nexit 1\n")
    tool.chmod(0o755)
    app = configured(sluice(environment={"PATH": str(tmp_path)}))
    alice = app.user("alice")
    photo = picture("JPEG")
    assert upload(alice, photo, "image/jpeg").json()["thumbnail_absent"] == "unreadable"
    assert seen.exists()
    seen.unlink()
    frame = b"\xff\xc0\0\x11\x08\xff\xff\xff\xff\3\1\x22\0\2\x11\1\3\x11\1"
    for hidden in (b"\xff\xfe\0\2" * 600 + frame, b"\0" + frame, b"\xff\xff\0" + frame):
        upload(alice, photo[:20] + hidden + photo[20:], "image/jpeg", expect=413)
    for format in ("png", "gif", "webp"):
        data = picture(format.upper())
        cut = {"png": data[:12] + b"IHDX" + data[16:], "gif": data[:13], "webp": data[:12] + b"VP8?" + data[16:]}[format]
        shown = upload(alice, cut, f"image/{format}").json()
        assert shown["thumbnail_absent"] == "unreadable" and "width" not in shown
    assert not seen.exists()


@pytest.mark.skipif(shutil.which("setpriv", path="/usr/bin:/bin") is None, reason="setpriv of util-linux is not installed")
def test_kill_9_ends_what_makes_a_small_one_too(sluice, tmp_path):
    tool, noted = tmp_path / "vipsthumbnail", tmp_path / "pid"
    tool.write_text(f"#!/bin/sh\necho $$ > '{noted}'\nexec sleep 3600\n")
    tool.chmod(0o755)
    gateway = sluice(environment={"PATH": str(tmp_path)})
    app = configured(gateway)
    image = picture("PNG")
    begun(gateway, app, f"Content-Length: {len(image)}").send(image)
    assert eventually(lambda: noted.exists() and noted.read_text().endswith("\n"), 60)
    process = int(noted.read_text())
    assert is_running(process)
    gateway.kill()
    assert eventually(lambda: not is_running(process), 60)


def is_running(process: int) -> bool:
    """Whether there is such a process; one that has ended and that nobody has asked for yet is none."""
    try:
        with open(f"/proc/{process}/stat") as status:
            return status.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


def test_what_cannot_be_decoded_is_kept_and_says_why_it_has_no_small_one(app):
    shown = upload(app.user("alice"), JPEG, "image/jpeg").json()
    assert shown["thumbnail_absent"] == "unreadable" and "thumbnail" not in shown
    assert content(app, shown).content == JPEG
    # There is nothing under the URL that one of it would have, and a signature is good for one part alone.
    assert content(app, {"url": shown["url"].replace("/content", "/thumbnail")}).status_code == 403


def test_an_app_may_want_none_or_smaller_ones(platform):
    none = configured(platform, thumbnails=False)
    shown = upload(none.user("alice"), picture("PNG")).json()
    assert "thumbnail" not in shown and "thumbnail_absent" not in shown and shown["width"] == 800
    less = configured(platform, thumbnail_pixels=64)
    assert upload(less.user("alice"), picture("PNG")).json()["thumbnail"]["width"] == 64


def test_a_gateway_without_the_tool_takes_uploads_and_says_why_they_have_none(sluice, tmp_path):
    gateway = sluice(environment={"PATH": str(tmp_path)})
    app = configured(gateway)
    shown = upload(app.user("alice"), picture("PNG")).json()
    assert shown["thumbnail_absent"] == "unavailable"
    assert content(app, shown).status_code == 200
    assert any("vipsthumbnail" in line.get("message", "") for line in gateway.lines())


def test_a_thumbnail_goes_with_its_upload(sluice):
    gateway = sluice()
    app = configured(gateway)
    shown = upload(app.user("alice"), picture("PNG")).json()
    assert len(files_of(gateway, app)) == 2
    assert Client(gateway.url).get(shown["thumbnail"]["url"]).status_code == 200
    app.user("alice").call("DELETE", f"/v1/uploads/{shown['id']}", expect=204)
    assert nothing_left(gateway, app)
    assert content(app, shown["thumbnail"]).status_code == 404

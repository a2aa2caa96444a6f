"""The chat in one web page, among the examples, in Chromium: two people, lost connections, and texts that would be markup."""

import base64
import time

import pytest
from playwright.sync_api import expect

from browser import FOLDER, PATIENCE, Seat, chromium, served
from cable import Cable
from client import Account, mint
from program import eventually
from rooms import RECOVERED, TYPES, chatting, den, forgetful, path


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def page_url():
    with served() as url:
        yield url


@pytest.fixture(scope="module")
def app(platform):
    return forgetful(chatting(platform, "Web", TYPES))


@pytest.fixture
def seat(browser, page_url):
    """Seats people at browsers of their own. A script that failed, or was refused by the page's policy, fails the test."""
    taken: list[Seat] = []

    def take(url=page_url, **options) -> Seat:
        taken.append(Seat(browser, url, **options))
        return taken[-1]

    yield take
    for each in taken:
        each.leave()


def listed(client, channel: str) -> list[str]:
    """The texts of a channel as REST has them, in their order."""
    return [message["text"] for message in client.get(path(channel, "/messages?limit=100"), expect=200).json()["data"]][::-1]


def say(client, channel: str, text: str, **more) -> str:
    return client.post(path(channel, "/messages"), {"text": text, **more}, expect=201).json()["id"]


def test_two_talk_and_see_each_other_write(platform, app, seat):
    channel = den(app, "bob")
    alice = seat().enter(platform, app.token("alice"), channel)
    bob = seat().enter(platform, app.token("bob"), channel)
    expect(bob.page.locator("#start")).to_have_text("This is where it begins.")
    bob.watch("#typing")
    alice.write("hello")
    bob.has_seen("#typing", "alice is writing…")
    # Who does not go on is forgotten.
    expect(bob.page.locator("#typing")).to_be_empty()
    alice.page.keyboard.press("Enter")
    expect(bob.texts).to_have_text(["hello"])
    expect(bob.page.locator("#typing")).to_be_empty()
    bob.say("hello yourself")
    bob.say("and again")
    for each in (alice, bob):
        expect(each.texts).to_have_text(["hello", "hello yourself", "and again"])
        expect(each.unsent).to_have_count(0)
    assert listed(app.user("alice"), channel) == ["hello", "hello yourself", "and again"]
    # Neither token nor channel has been left in the address.
    assert "#" not in alice.page.url and "?" not in alice.page.url


def test_messages_are_changed_deleted_and_reacted_to(platform, app, seat):
    channel = den(app, "bob")
    id = say(app.user("alice"), channel, "helo")
    say(app.user("alice"), channel, "a slip")
    alice = seat().enter(platform, app.token("alice"), channel)
    bob = seat().enter(platform, app.token("bob"), channel)
    expect(alice.texts).to_have_text(["helo", "a slip"])
    bob.message("helo").hover()
    bob.message("helo").get_by_label("React with 👍").click()
    for each in (alice, bob):
        expect(each.message("helo").locator(".reactions")).to_have_text("👍 1")
    alice.message("helo").get_by_label("👍, 1").click()
    for each in (alice, bob):
        expect(each.message("helo").locator(".reactions")).to_have_text("👍 2")
    bob.message("helo").get_by_label("👍, 2").click()
    expect(alice.message("helo").locator(".reactions")).to_have_text("👍 1")
    alice.message("helo").hover()
    alice.message("helo").get_by_role("button", name="Edit").click()
    alice.say("hello")
    for each in (alice, bob):
        expect(each.texts).to_have_text(["hello", "a slip"])
        expect(each.message("hello").locator(".edited")).to_have_count(1)
        # The count is still that of the message.
        expect(each.message("hello").locator(".reactions")).to_have_text("👍 1")
    assert bob.message("hello").get_by_role("button", name="Edit").count() == 0
    alice.page.once("dialog", lambda dialog: dialog.accept())
    alice.message("a slip").hover()
    alice.message("a slip").get_by_role("button", name="Delete").click()
    for each in (alice, bob):
        expect(each.texts).to_have_text(["hello"])
    assert app.user("bob").get(f"/v1/messages/{id}", expect=200).json()["reactions"] == {"👍": 1}


# One black pixel.
PICTURE = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII=")


def test_pictures_are_shown_and_files_are_links(platform, app, seat):
    channel = den(app, "bob")
    bob = seat()
    asked = []

    def answer(route):
        asked.append(route.request)
        route.fulfill(body=PICTURE, content_type="image/png")

    bob.context.route("https://pictures.example/*", answer)
    bob.enter(platform, app.token("bob"), channel)
    say(app.user("alice"), channel, "", attachments=[
        {"type": "image", "url": "https://pictures.example/large.png", "thumb_url": "https://pictures.example/small.png", "title": "A cat", "width": 300, "height": 200},
        {"type": "file", "url": "https://files.example/report.pdf", "title": "report"}])
    picture = bob.page.get_by_alt_text("A cat")
    picture.scroll_into_view_if_needed()
    bob.page.wait_for_function("picture => picture.naturalWidth === 1", arg=picture.element_handle(), timeout=PATIENCE * 1000)
    expect(bob.page.get_by_role("link", name="A cat")).to_have_attribute("href", "https://pictures.example/large.png")
    expect(bob.page.get_by_role("link", name="report")).to_have_attribute("href", "https://files.example/report.pdf")
    # Whoever keeps the pictures does not hear from where they are looked at.
    assert [request.url for request in asked] == ["https://pictures.example/small.png"]
    assert "referer" not in asked[0].headers


def test_what_is_unread_is_counted_and_cleared_by_reading(platform, app, seat):
    here, there = den(app, "bob"), den(app, "bob")
    alice = app.user("alice")
    say(alice, there, "before")
    bob = seat().enter(platform, app.token("bob"), here)
    expect(bob.badge(there)).to_have_text("1 unread")
    say(alice, there, "after")
    expect(bob.badge(there)).to_have_text("2 unread")
    expect(bob.badge(here)).to_have_count(0)
    say(alice, here, "seen at once")
    expect(bob.texts).to_have_text(["seen at once"])
    bob.go(there)
    expect(bob.texts).to_have_text(["before", "after"])
    expect(bob.badge(there)).to_have_count(0)
    assert eventually(lambda: not any(
        each["channel"] in (here, there) for each in app.user("bob").get("/v1/unread?limit=100", expect=200).json()["data"]))
    # A channel into which he is brought comes by itself.
    new = den(app, "bob")
    say(alice, new, "come in")
    expect(bob.badge(new)).to_have_text("1 unread")
    app.user("bob").post(path(new, "/read"), {"message_id": say(alice, new, "read elsewhere")}, expect=200)
    expect(bob.badge(new)).to_have_count(0)


def test_after_kill_9_every_message_is_shown_once_and_in_its_order(sluice, seat):
    gateway = sluice()
    app = chatting(gateway, "Killed", TYPES)
    channel = den(app, "bob")
    people = {user: seat().enter(gateway, app.token(user), channel) for user in ("alice", "bob")}
    server = app.user("alice")
    for number in range(3):
        say(server, channel, f"before {number}")
    people["bob"].say("bob was here")
    for each in people.values():
        expect(each.texts).to_have_count(4)
    gateway.kill()
    for user, each in people.items():
        each.is_offline()
        each.say(f"{user} while nobody was there")
        expect(each.unsent).to_have_count(1)
    gateway.start()
    for number in range(5):
        say(server, channel, f"after {number}")
    for each in people.values():
        each.is_online()
        expect(each.texts).to_have_count(11)
        expect(each.unsent).to_have_count(0)
    people["alice"].say("and on it goes")
    expected = [*[f"before {number}" for number in range(3)], "bob was here"]
    for each in people.values():
        expect(each.texts).to_have_count(12)
        expect(each.texts).to_have_text(listed(server, channel))
    assert listed(server, channel)[:4] == expected and listed(server, channel)[-1] == "and on it goes"


def test_what_was_missed_comes_once_whether_the_history_has_it_or_not(platform, app, seat):
    channel = den(app, "bob")
    alice = app.user("alice")
    gone, edited = say(alice, channel, "gone soon"), say(alice, channel, "a slip")
    with Cable(platform.port) as cable:
        bob = seat().enter(cable, app.token("bob"), channel)
        expect(bob.texts).to_have_text(["gone soon", "a slip"])
        cable.cut()
        bob.is_offline()
        alice.call("DELETE", f"/v1/messages/{gone}", expect=204)
        alice.call("PATCH", f"/v1/messages/{edited}", {"text": "corrected"}, expect=200)
        short = say(alice, channel, "never seen")
        say(alice, channel, "missed")
        alice.put(f"/v1/messages/{edited}/reactions/like", expect=200)
        alice.call("DELETE", f"/v1/messages/{short}", expect=204)
        cable.mend()
        expect(bob.texts).to_have_text(["corrected", "missed"])
        expect(bob.message("corrected").locator(".reactions")).to_have_text("like 1")
        cable.cut()
        bob.is_offline()
        # More than is given to who comes back: the channel is read anew.
        for number in range(RECOVERED + 50):
            say(app.server, channel, f"number {number}", user_id="alice")
        cable.mend()
        bob.is_online()
        expect(bob.texts.last).to_have_text(f"number {RECOVERED + 49}")
        expect(bob.texts).to_have_text([f"number {number}" for number in range(RECOVERED, RECOVERED + 50)])


def test_scrolling_back_shows_every_message_once(platform, app, seat):
    channel = den(app, "bob")
    for number in range(110):
        say(app.server, channel, f"number {number}", user_id="alice")
    bob = seat().enter(platform, app.token("bob"), channel)
    expect(bob.texts).to_have_count(50)
    for count in (100, 110):
        bob.page.locator("#log").evaluate("log => log.scrollTop = 0")
        expect(bob.texts).to_have_count(count)
    expect(bob.texts).to_have_text([f"number {number}" for number in range(110)])
    expect(bob.page.locator("#start")).to_have_text("This is where it begins.")
    # Somebody who reads what is old is told, and not taken away from it.
    bob.page.locator("#log").evaluate("log => log.scrollTop = 0")
    say(app.user("alice"), channel, "the latest")
    expect(bob.page.get_by_role("button", name="1 new")).to_be_visible()
    bob.page.get_by_role("button", name="1 new").click()
    expect(bob.message("the latest")).to_be_in_viewport()


MARKUP = [
    "<img src=x onerror=\"window.broken=1\">", "<script>window.broken=1</script>", "</div><b>bold</b>", "&lt;i&gt; &amp;",
    "javascript:window.broken=1", "https://example.com/\"onmouseover=\"window.broken=1", "{{7*7}} ${7*7}", "\u202eabc\u202c",
]


def test_what_looks_like_markup_stays_text(platform, app, seat):
    user = "<img/src=x/onerror=window.broken=1>"
    channel = den(app, user, "bob")
    eve = app.user(user)
    for text in MARKUP:
        say(eve, channel, text)
    say(eve, channel, "files", attachments=[
        {"type": "link", "url": "https://example.com/\"><script>window.broken=1</script>", "title": "<b>title</b>"},
        {"type": "file", "title": "<svg onload=window.broken=1>", "custom": {"url": "javascript:window.broken=1"}},
        {"type": "video", "url": "http://127.0.0.1:9/x.mp4"}])
    eve.put(f"/v1/messages/{say(eve, channel, 'last')}/reactions/%3Cb%3Ex", expect=200)
    app.user("alice").call("PATCH", path(channel), {"data": {"name": "<h1>name</h1>"}}, expect=200)
    bob = seat().enter(platform, app.token("bob"), channel)
    expect(bob.texts).to_have_text([*MARKUP, "files", "last"])
    expect(bob.page.locator("#title")).to_have_text("<h1>name</h1>")
    expect(bob.page.locator(".by b").first).to_have_text(user)
    # Also what comes while the page is open.
    say(eve, channel, MARKUP[0])
    expect(bob.texts).to_have_count(len(MARKUP) + 3)
    page = bob.page
    assert page.locator("#list").locator("img, script, svg, h1, i, .text b").count() == 0
    links = page.locator("#list a").evaluate_all("all => all.map(a => new URL(a.href).protocol)")
    assert links and set(links) <= {"http:", "https:"}
    assert page.evaluate("window.broken") is None


def test_the_pages_policy_lets_nothing_in(platform, app, seat):
    bob = seat().enter(platform, app.token("bob"))
    told = bob.page.evaluate("""() => {
        try { document.body.innerHTML = '<b>x</b>'; return 'it was taken' } catch (error) { return error.name } }""")
    assert told == "TypeError"
    assert bob.page.evaluate("""() => new Promise(done => {
        addEventListener('securitypolicyviolation', event => done(event.effectiveDirective));
        const script = document.createElement('script'); script.append('window.broken = 1'); document.body.append(script) })""")
    assert bob.page.evaluate("window.broken") is None
    assert len(bob.faults) >= 2
    bob.faults.clear()


def test_what_was_not_sent_is_sent_once_though_the_page_was_read_anew(platform, app, seat):
    channel = den(app, "bob")
    with Cable(platform.port) as cable:
        alice = seat().enter(cable, app.token("alice"), channel)
        alice.say("said")
        expect(alice.texts).to_have_text(["said"])
        cable.cut()
        alice.is_offline()
        for text in ("one", "two", "three"):
            alice.say(text)
        expect(alice.unsent).to_have_count(3)
        expect(alice.unsent.first).to_contain_text("Will be sent when the gateway is there again")
        alice.page.reload()
        expect(alice.unsent).to_have_count(3)
        cable.mend()
        alice.is_online()
        expect(alice.texts).to_have_text(["said", "one", "two", "three"])
        expect(alice.unsent).to_have_count(0)
    assert listed(app.user("bob"), channel) == ["said", "one", "two", "three"]


def test_an_answer_that_was_lost_has_the_message_sent_once(platform, app, seat):
    channel = den(app, "bob")
    bob = seat().enter(platform, app.token("bob"), channel)
    with Cable(platform.port) as cable:
        alice = seat().enter(cable, app.token("alice"), channel)
        for number in range(20):
            alice.say(f"number {number}")
            if number % 5 == 4:
                # Wherever the message is by now: on its way, on disk, answered.
                cable.cut()
                cable.mend()
        expected = [f"number {number}" for number in range(20)]
        expect(alice.texts).to_have_text(expected)
        expect(alice.unsent).to_have_count(0)
    expect(bob.texts).to_have_text(expected)
    assert listed(app.user("bob"), channel) == expected


def test_what_is_refused_can_be_tried_again_or_discarded(platform, app, seat):
    channel = den(app, "bob")
    bob = seat().enter(platform, app.token("bob"), channel)
    expect(bob.page.locator("#start")).to_have_text("This is where it begins.")
    app.user("alice").call("PATCH", path(channel), {"frozen": True}, expect=200)
    bob.say("first")
    bob.say("second")
    expect(bob.page.locator("#pending .failed .delivery")).to_have_count(2)
    expect(bob.page.locator("#pending .failed .delivery").first).to_contain_text("Not sent:")
    app.user("alice").call("PATCH", path(channel), {"frozen": False}, expect=200)
    bob.unsent.first.get_by_role("button", name="Discard").click()
    bob.unsent.first.get_by_role("button", name="Try again").click()
    expect(bob.texts).to_have_text(["second"])
    expect(bob.unsent).to_have_count(0)


def test_a_token_that_is_not_good_says_so_and_another_one_goes_on(platform, app, seat):
    channel = den(app, "bob")
    expired = mint(app.signing_secret, app.id, "bob", exp=int(time.time()) - 3600)
    bob = seat()
    bob.page.goto(f"{bob.url}#url={platform.url}&token={expired}&channel={channel}")
    expect(bob.page.locator("#why")).to_contain_text("token")
    bob.page.get_by_label("Token").fill(app.token("bob"))
    bob.page.get_by_role("button", name="Connect").click()
    bob.is_online()
    bob.say("in")
    expect(bob.texts).to_have_text(["in"])
    bob.page.get_by_role("button", name="Sign out").click()
    expect(bob.page.get_by_label("Token")).to_be_visible()
    bob.page.reload()
    expect(bob.page.get_by_label("Token")).to_be_visible()


def test_who_is_taken_out_of_a_channel_is_told(platform, app, seat):
    channel = den(app, "bob")
    bob = seat().enter(platform, app.token("bob"), channel)
    expect(bob.page.locator("#start")).to_have_text("This is where it begins.")
    app.user("alice").call("DELETE", path(channel, "/members?user_id=bob"), expect=204)
    expect(bob.page.locator("#notice")).to_contain_text("You hear no more")


def test_it_can_be_opened_as_a_file_and_on_a_phone_for_an_app_without_settings(platform, seat):
    app = Account(platform.url).app("Plain")
    bob = seat(url=(FOLDER / "index.html").as_uri()).enter(platform, app.token("bob"))
    bob.page.set_viewport_size({"width": 380, "height": 700})
    bob.page.get_by_role("button", name="Channels").click()
    bob.page.get_by_label("Open or make a channel").fill("corner")
    bob.page.keyboard.press("Enter")
    expect(bob.page.locator("#title")).to_have_text("# corner")
    expect(bob.page.get_by_label("Message", exact=True)).to_be_focused()
    bob.say("from a phone")
    expect(bob.texts).to_have_text(["from a phone"])
    assert bob.page.evaluate("document.documentElement.scrollWidth") <= 380
    bob.page.reload()
    expect(bob.texts).to_have_text(["from a phone"])
    bob.page.get_by_role("button", name="Channels").click()
    bob.page.get_by_label("Open or make a channel").fill("other")
    bob.page.keyboard.press("Enter")
    expect(bob.page.locator("#title")).to_have_text("# other")
    # He is a member now, for whom it is counted, though his connections listen to no channel of their own by themselves.
    say(app.user("alice"), "messaging:corner", "where are you?")
    expect(bob.page).to_have_title("(1) # other")

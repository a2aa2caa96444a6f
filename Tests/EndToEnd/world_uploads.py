"""The requests to uploads that succeed, as `world.py` has them for every operation."""

from urllib.parse import parse_qsl, urlsplit

from ask import Ask
from files import png, upload


class UploadAsks:
    """A part of `World`, whose app and user it speaks of."""

    def new_file(self) -> dict:
        return upload(self.user, png(640, 480)).json()

    def _createUpload(self):
        return Ask(self.user, query={"name": "a.png"}, content=png(), content_type="image/png")

    def _readUploadContent(self):
        url = urlsplit(self.file["url"])
        return Ask(self.nobody, path={"id": self.file["id"]}, query=dict(parse_qsl(url.query)))

    def _readUploadThumbnail(self):
        url = urlsplit(self.file["thumbnail"]["url"])
        return Ask(self.nobody, path={"id": self.file["id"]}, query=dict(parse_qsl(url.query)))

    def _deleteUpload(self):
        return Ask(self.user, path={"id": self.new_file()["id"]})

    def _deleteUploads(self):
        return Ask(self.app.server, query={"user_id": "nobody"})

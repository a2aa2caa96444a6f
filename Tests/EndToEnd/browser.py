"""A real browser, Debian's Chromium, driven by Playwright; and the web page among the examples in it."""

import contextlib
import os
import shutil
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlencode

from playwright.sync_api import Browser, Page, expect, sync_playwright

from sanitizer import ROOT, SLOWNESS

PATIENCE = 120 * SLOWNESS
FOLDER = ROOT / "examples/clients/chat-web"
# What a browser writes when nobody answers, or the gateway is too busy. Everything else is the page's fault.
UNREACHABLE = ("Failed to load resource: net::", "Failed to load resource: the server responded with a status of 503", "WebSocket connection to ")


@contextlib.contextmanager
def chromium():
    program = shutil.which("chromium")
    assert program, "chromium is not installed: `make test` installs it"
    with sync_playwright() as playwright:
        # Root's processes cannot be put into its sandbox; a container's /dev/shm is small.
        browser = playwright.chromium.launch(
            executable_path=program, timeout=PATIENCE * 1000, args=["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"],
            # What a sanitizer puts into every program is not for this one.
            env={name: value for name, value in os.environ.items() if name != "LD_PRELOAD"})
        expect.set_options(timeout=PATIENCE * 1000)
        yield browser
        browser.close()


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@contextlib.contextmanager
def served():
    """The page's folder on an origin of its own, as any server of files has it."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=FOLDER))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/index.html"
    server.shutdown()
    server.server_close()


class Seat:
    """Somebody at a browser of his own, with the page open in it."""

    def __init__(self, browser: Browser, url: str, **options):
        self.url = url
        self.faults: list[str] = []
        self.context = browser.new_context(viewport={"width": 1100, "height": 700}, **options)
        self.context.set_default_timeout(PATIENCE * 1000)
        self.context.add_init_script(
            "addEventListener('securitypolicyviolation', event => console.error('refused by the policy: ' + event.violatedDirective))")
        self.page: Page = self.context.new_page()
        self.page.on("pageerror", lambda error: self.faults.append(f"{error}"))
        self.page.on("console", self._heard)

    def _heard(self, message):
        if message.type in ("error", "warning") and not message.text.startswith(UNREACHABLE):
            self.faults.append(message.text)

    def enter(self, gateway, token: str, channel: str | None = None) -> "Seat":
        told = {"url": gateway.url, "token": token, **({"channel": channel} if channel else {})}
        self.page.goto(f"{self.url}#{urlencode(told)}")
        self.is_online()
        return self

    def is_online(self):
        expect(self.page.locator("#state")).to_have_text("Online")

    def is_offline(self):
        expect(self.page.locator("#state")).not_to_have_attribute("data-state", "online")

    def watch(self, selector: str):
        """Keeps all that is ever shown there: it may be gone before anybody looks."""
        self.page.locator(selector).evaluate("""element => { element.seen = [];
            new MutationObserver(() => element.seen.push(element.textContent)).observe(element, {childList: true, characterData: true, subtree: true}) }""")

    def has_seen(self, selector: str, text: str):
        shown = self.page.locator(selector)
        self.page.wait_for_function(
            "([element, text]) => element.seen.includes(text)", arg=[shown.element_handle(), text], timeout=PATIENCE * 1000)

    def write(self, text: str):
        """Types it, letter by letter."""
        self.page.get_by_label("Message", exact=True).press_sequentially(text)

    def say(self, text: str):
        box = self.page.get_by_label("Message", exact=True)
        box.fill(text)
        box.press("Enter")

    def go(self, channel: str):
        self.page.locator(f'#channels [data-channel="{channel}"]').click()

    def badge(self, channel: str):
        return self.page.locator(f'#channels [data-channel="{channel}"] .badge')

    def message(self, text: str):
        return self.page.locator("#list article.message").filter(has=self.page.locator(".text", has_text=text))

    @property
    def texts(self):
        """The texts of the messages that are shown as being on disk, in their order."""
        return self.page.locator("#list article.message .text")

    @property
    def unsent(self):
        return self.page.locator("#pending article.message")

    def leave(self):
        self.context.close()
        assert not self.faults, self.faults

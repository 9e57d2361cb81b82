"""A browser window that notes console messages, script errors and requests to other hosts."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, expect

CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--font-render-hinting=none",
    "--disable-lcd-text",
    "--hide-scrollbars",
    # Windows of one profile at one site share a process.
    "--renderer-process-limit=1",
]
PHONE = {"width": 360, "height": 740}
DESKTOP = {"width": 1280, "height": 900}
SMALLEST_WIDTH = 320
# A busy machine takes seconds for a page now and then.
PATIENCE_MS = 60_000
expect.set_options(timeout=PATIENCE_MS)


@dataclass
class Visitor:
    """A browser window on one site."""

    context: BrowserContext
    page: Page
    address: str
    complaints: list[str] = field(default_factory=list)
    # Other sites to which pages of this one lead.
    partners: tuple[str, ...] = ()

    @classmethod
    @contextmanager
    def at(cls, browser: Browser, address: str, **options: Any) -> Iterator["Visitor"]:
        """Open a window with an empty profile, closed at the end; ``options`` go to Playwright's ``new_context``."""
        context = browser.new_context(**{"viewport": DESKTOP, "reduced_motion": "reduce", **options})
        context.set_default_timeout(PATIENCE_MS)
        try:
            yield cls._with_window(context, context.new_page(), address)
        finally:
            context.close()

    @classmethod
    @contextmanager
    def beside(cls, other: "Visitor", address: str) -> Iterator["Visitor"]:
        """Open a window in the profile of another, which takes a fifth of the time of a new profile.

        It finds no cookies and leaves none; of earlier windows there are only cached files.
        """
        # A window that another one opens needs no process of its own.
        with other.context.expect_page() as opened:
            other.page.evaluate("void window.open()")
        visitor = cls._with_window(other.context, opened.value, address)
        try:
            yield visitor
        finally:
            for page in visitor.context.pages:
                if page is not other.page:
                    page.close()
            visitor.context.clear_cookies()
            visitor.context.clear_permissions()

    @classmethod
    def _with_window(cls, context: BrowserContext, page: Page, address: str) -> "Visitor":
        visitor = cls(context, page, address)
        visitor._listen()
        return visitor

    def open(self, path: str) -> None:
        """Go to a page of the site."""
        self.page.goto(self.address + path)

    def become(self, cookie: str) -> None:
        """Use this session cookie, or none if it is empty."""
        self.context.clear_cookies()
        if cookie:
            self.context.add_cookies([{"name": "session", "value": cookie, "url": self.address}])

    def _listen(self) -> None:
        self.page.on("console", self._note_console)
        self.page.on("pageerror", lambda error: self.complaints.append(f"{self.page.url}: {error}"))
        self.page.on("request", self._note_request)

    def _note_console(self, message: ConsoleMessage) -> None:
        # Chromium logs this for each logout, whose Clear-Site-Data header clears the cache.
        if not message.text.startswith("Clear-Site-Data header"):
            self.complaints.append(f"{self.page.url}: {message.type}: {message.text}")

    def _note_request(self, request: Request) -> None:
        if not request.url.startswith((self.address, "data:", "about:", *self.partners)):
            self.complaints.append(f"{self.page.url}: asked another host: {request.url}")

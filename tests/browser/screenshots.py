"""Take pictures of every page, in light and dark: `python -m tests.browser.screenshots` writes docs/screenshots/.

It uses the fixtures of the browser tests, so the pictures show what is tested.
"""

import base64
import os
import sys
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser

from tests.browser.pages import all_pages
from tests.browser.people import People
from tests.browser.visitor import Visitor

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "screenshots"
SIZE = {"width": 1280, "height": 800}
WEBP_QUALITY = 50
WANTED = "TAKE_SCREENSHOTS"


@pytest.mark.skipif(WANTED not in os.environ, reason="pictures are taken by python -m tests.browser.screenshots")
def test_take_screenshots(app: Flask, browser: Browser, site: str, people: People) -> None:
    FOLDER.mkdir(exist_ok=True)
    with Visitor.at(browser, site, viewport=SIZE) as visitor:
        for page in all_pages(app, people):
            visitor.become(people.cookies[page.who])
            visitor.open(page.path)
            visitor.page.evaluate("scrollTo(0, 0)")
            for mode in ("light", "dark"):
                visitor.page.emulate_media(color_scheme=mode)  # type: ignore[arg-type]
                (FOLDER / f"{_file_name(page.endpoint)}-{mode}.webp").write_bytes(_picture(visitor))


def _file_name(endpoint: str) -> str:
    return endpoint.removeprefix("main.").replace(".", "-").replace("_", "-")


def _picture(visitor: Visitor) -> bytes:
    log = visitor.context.new_cdp_session(visitor.page)
    picture = log.send("Page.captureScreenshot", {"format": "webp", "quality": WEBP_QUALITY})
    log.detach()
    return base64.b64decode(picture["data"])


def main() -> None:
    """Take the pictures."""
    os.environ[WANTED] = "1"
    sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", str(Path(__file__))]))


if __name__ == "__main__":
    main()

"""Pictures of each part of the components page: `python -m tests.browser.component_pictures` takes them anew.

They are compared where a change of styles shows, and nowhere else. Texts are drawn as bars (`bar_font.py`), because
machines have other fonts; colors are compared as means of small blocks, because another version of Chromium smooths
edges a little differently.
"""

import base64
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.bar_font import bar_font
from tests.browser.visitor import DESKTOP, PHONE, Visitor

COMMAND = "python -m tests.browser.component_pictures"
WANTED = "TAKE_COMPONENT_PICTURES"
FOLDER = Path(__file__).parent
REFERENCES = FOLDER / "components"
# Light and dark differ in nothing but colors: one of them at each width shows everything.
LOOKS = {"desktop-light": (DESKTOP, "light"), "phone-dark": (PHONE, "dark")}
FONTS = [("100 499", bar_font(500)), ("500 900", bar_font(625))]
# Around each part, for the outline of what has the focus.
MARGIN = 8
# An edge that moves by a pixel changes the mean of a block of 4 by 4 by a quarter of its contrast. How an edge is
# smoothed changed it by 2 % at most from Chromium 131 to 156.
BLOCK, TOLERANCE = 4, 0.05

Pictures = dict[str, bytes]
Places = dict[str, list[int]]


@pytest.mark.skipif(WANTED not in os.environ, reason=f"pictures are taken by {COMMAND}")
def test_take_component_pictures(browser: Browser, site: str) -> None:
    with Visitor.at(browser, site) as visitor:
        taken = differences(visitor, {})
    shutil.rmtree(REFERENCES, ignore_errors=True)
    for name, pictures in taken.items():
        write(REFERENCES / f"{name}.png", pictures["now"])


def references() -> Pictures:
    """Answer the pictures that parts are compared with, by name ("phone-dark/table")."""
    return {str(path.relative_to(REFERENCES).with_suffix("")): path.read_bytes() for path in REFERENCES.rglob("*.png")}


def differences(visitor: Visitor, known: Pictures) -> dict[str, Pictures]:
    """Answer the parts that look different than in the pictures ``known``, by name.

    Each comes with two PNGs: "now", and "difference", where the blocks that differ are marked. A part that is new
    has the first only, one that is gone has neither.
    """
    found: dict[str, Pictures] = {}
    seen: set[str] = set()
    for look in LOOKS:
        for picture, places in _photographed(visitor, look):
            seen |= places.keys()
            found |= _compared(visitor, picture, places, known)
    return found | {name: {} for name in known.keys() - seen}


def write(path: Path, picture: bytes) -> None:
    """Save a picture, in a folder that is made when missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(picture)


def _photographed(visitor: Visitor, look: str) -> Iterator[tuple[bytes, Places]]:
    """Answer the page, then its dialog, as PNG, each with the names of what it shows and where that is."""
    page, (size, mode) = visitor.page, LOOKS[look]
    page.set_viewport_size(size)  # type: ignore[arg-type]
    page.emulate_media(color_scheme=mode)  # type: ignore[arg-type]
    visitor.open("/dev/components")
    places = _run(page, "draw_bars.js", {"fonts": [(weight, _text(font)) for weight, font in FONTS], "margin": MARGIN})
    yield page.screenshot(full_page=True), {f"{look}/{part}": place for part, place in places.items()}
    place = _run(page, "show_dialog.js", {"margin": MARGIN})
    yield page.screenshot(), {f"{look}/open-dialog": place}


def _compared(visitor: Visitor, picture: bytes, places: Places, known: Pictures) -> dict[str, Pictures]:
    blank = visitor.context.new_page()
    values = {
        "picture": _text(picture),
        "places": places,
        "references": {name: _text(known[name]) for name in places if name in known},
        "block": BLOCK,
        "tolerance": TOLERANCE,
    }
    found = _run(blank, "compare_pictures.js", values)
    blank.close()
    return {name: {kind: base64.b64decode(part) for kind, part in parts.items()} for name, parts in found.items()}


def _run(page: Page, script: str, values: dict[str, Any]) -> Any:
    return page.evaluate((FOLDER / script).read_text(), values)


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()


def main() -> None:
    """Take the pictures."""
    os.environ[WANTED] = "1"
    sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", str(Path(__file__))]))


if __name__ == "__main__":
    main()

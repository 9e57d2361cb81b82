"""Check the page in a window with axe-core, and its layout."""

import json
from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

from tests.browser.visitor import DESKTOP, PHONE, SMALLEST_WIDTH

# Light and dark differ only in colors, so all other rules are checked once for each width.
COLOR_RULES = ["color-contrast", "link-in-text-block"]
# Emails in frames are documents of their own, written for mail programs.
CONTROLS = "button, input:not([type=hidden]), select, textarea, summary, .button, nav a, th a, td:first-child > a"
OPTIONS = {"resultTypes": ["violations"], "iframes": False, "preload": False}


def violations(page: Page, only_rules: list[str] | None = None) -> list[str]:
    """Return a line for each element that breaks a rule of axe-core, in the page's present state."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    options: dict[str, Any] = dict(OPTIONS)
    if only_rules:
        options["runOnly"] = {"type": "rule", "values": only_rules}
    found = page.evaluate(f"axe.run(document, {json.dumps(options)}).then(results => results.violations)")
    return [
        f"{violation['id']}: {' '.join(map(str, node['target']))}: {node['failureSummary']}"
        for violation in found
        for node in violation["nodes"]
    ]


def problems(page: Page) -> list[str]:
    """Return what is wrong with the page at two widths, in light and dark, and at the smallest width."""
    found = []
    for size in (DESKTOP, PHONE):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        page.emulate_media(color_scheme="light")
        found += _described(page, f"{size['width']} px light", violations(page))
        page.emulate_media(color_scheme="dark")
        found += _described(page, f"{size['width']} px dark", violations(page, COLOR_RULES))
    return found + _described(page, f"{SMALLEST_WIDTH} px", sideways_scrolling(page))


def small_targets(page: Page) -> list[str]:
    """Return the controls that are too low for a finger: below 44 px (WCAG 2.5.5), except for links inside of text."""
    found: list[str] = page.evaluate(
        """controls => [...document.querySelectorAll(controls)].filter(control => control.checkVisibility())
            .map(control => control.matches("[type=checkbox], [type=radio]") ? control.labels[0] : control)
            .filter(target => target.getBoundingClientRect().height < 44)
            .map(target => `${target.getBoundingClientRect().height} px high: ${target.outerHTML.slice(0, 90)}`)""",
        CONTROLS,
    )
    return found


def sideways_scrolling(page: Page) -> list[str]:
    """Return what makes the page wider than the smallest screen (WCAG 1.4.10)."""
    page.set_viewport_size({"width": SMALLEST_WIDTH, "height": 640})
    width = page.evaluate("document.documentElement.scrollWidth")
    return [f"scrolls sideways: {width} px wide"] if width > SMALLEST_WIDTH else []


def _described(page: Page, state: str, found: list[str]) -> list[str]:
    return [f"{page.url} ({state}): {problem}" for problem in found]

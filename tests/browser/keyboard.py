"""Use a page with the keyboard alone."""

from playwright.sync_api import Page

MOST_STOPS = 60
FIELDS = "input, select, textarea"
NAME = """() => {
    const element = document.activeElement;
    const label = element.labels && element.labels[0];
    const read = (label || element).cloneNode(true);
    read.querySelectorAll("[aria-hidden=true]").forEach(part => part.remove());
    return (element.getAttribute("aria-label") || read.textContent || "").trim();
}"""
# WCAG 2.4.7: an outline or a shadow marks the element with the focus.
VISIBLE = """() => {
    const style = getComputedStyle(document.activeElement);
    const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
    const box = document.activeElement.getBoundingClientRect();
    return (outlined || style.boxShadow !== "none") && box.width > 1 && box.height > 1;
}"""


def tab_to(page: Page, name: str, among: str = "*") -> None:
    """Press Tab until the element called ``name`` has the focus; each element on the way has to show its focus.

    ``among`` is a selector, for pages where a link and a field have the same name.
    """
    stops = []
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        stops.append(page.evaluate(NAME))
        # Between the last and the first element the focus is in the browser's toolbar.
        if page.evaluate("document.activeElement !== document.body"):
            assert page.evaluate(VISIBLE), f"{page.url}: the focus on {stops[-1]!r} cannot be seen"
        if stops[-1].startswith(name) and page.evaluate("among => document.activeElement.matches(among)", among):
            return
    raise AssertionError(f"{page.url}: no way to {name!r}, only {stops}")


def press(page: Page, name: str, key: str = "Enter") -> None:
    """Move to a link or button and press it; wait for the next page."""
    tab_to(page, name)
    with page.expect_navigation():
        page.keyboard.press(key)


def fill(page: Page, **fields: str) -> None:
    """Move to each field, by its label with underscores for spaces, and type."""
    for label, text in fields.items():
        tab_to(page, label.replace("_", " "), FIELDS)
        page.keyboard.press("Control+A")
        page.keyboard.type(text)

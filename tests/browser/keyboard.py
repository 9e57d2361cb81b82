"""Using a page with nothing but keys."""

from playwright.sync_api import Page

MOST_STOPS = 60
FIELDS = "input, select, textarea"
NAME = """() => {
    const element = document.activeElement;
    const label = element.labels && element.labels[0];
    return (element.getAttribute("aria-label") || (label || element).textContent || "").trim();
}"""
# WCAG 2.4.7: an outline or a shadow says where the keyboard is.
VISIBLE = """() => {
    const style = getComputedStyle(document.activeElement);
    const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
    const box = document.activeElement.getBoundingClientRect();
    return (outlined || style.boxShadow !== "none") && box.width > 1 && box.height > 1;
}"""


def tab_to(page: Page, name: str, among: str = "*") -> None:
    """Press Tab until what is called ``name`` has the focus; every stop on the way has to show that it has it.

    ``among`` is a selector, for where a link and a field go by one name.
    """
    stops = []
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        stops.append(page.evaluate(NAME))
        # Between the last and the first stop the focus is in the browser's own bar.
        if page.evaluate("document.activeElement !== document.body"):
            assert page.evaluate(VISIBLE), f"{page.url}: the focus on {stops[-1]!r} cannot be seen"
        if stops[-1].startswith(name) and page.evaluate("among => document.activeElement.matches(among)", among):
            return
    raise AssertionError(f"{page.url}: no way to {name!r}, only {stops}")


def press(page: Page, name: str, key: str = "Enter") -> None:
    """Go to a link or button and press it, waiting for the page behind it."""
    tab_to(page, name)
    with page.expect_navigation():
        page.keyboard.press(key)


def fill(page: Page, **fields: str) -> None:
    """Go to each field, by its label with spaces for underscores, and type."""
    for label, text in fields.items():
        tab_to(page, label.replace("_", " "), FIELDS)
        page.keyboard.press("Control+A")
        page.keyboard.type(text)

"""Elements without a class look as the browser draws them, and a fork's styles override the kit's."""

import pytest

from tests.browser.people import People
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.thorough

BARE = """
<table id="table"><tr><th id="th">Head</th><td id="td">Cell</td></tr></table>
<label id="label">Label <input id="input"></label> <input type="checkbox" id="box">
<select id="select"><option>One</select>
<fieldset id="fieldset"><legend id="legend">Legend</legend>Text</fieldset>
<ul id="ul"><li id="li">One</li></ul>
<details id="details"><summary id="summary">More</summary></details>
<button id="button">Button</button>
"""
# Element, property, and the browser's default value.
NATURAL = [
    ("table", "display", "table"),
    ("td", "backgroundColor", "rgba(0, 0, 0, 0)"),
    ("td", "borderBottomWidth", "0px"),
    ("th", "backgroundColor", "rgba(0, 0, 0, 0)"),
    ("th", "whiteSpace", "normal"),
    ("label", "fontWeight", "400"),
    ("label", "display", "inline"),
    ("legend", "fontWeight", "400"),
    ("fieldset", "borderTopWidth", "1px"),
    ("fieldset", "display", "block"),
    ("ul", "listStyleType", "disc"),
    ("li", "listStyleType", "disc"),
    ("summary", "display", "list-item"),
    ("box", "display", "inline-block"),
]


@pytest.fixture
def bare(visitor: Visitor) -> Visitor:
    """Return a page whose main part has elements without a class."""
    visitor.open("/")
    visitor.page.evaluate("html => { document.querySelector('main').innerHTML = html; }", BARE)
    return visitor


def test_elements_without_a_class_look_natural(bare: Visitor) -> None:
    found = [(name, key, style_of(bare, f"#{name}", key)) for name, key, _expected in NATURAL]
    assert found == NATURAL


def test_elements_without_a_class_are_as_wide_as_what_is_in_them(bare: Visitor) -> None:
    for name in ("table", "input", "select"):
        share = bare.page.evaluate(
            "name => document.getElementById(name).offsetWidth / document.querySelector('main').offsetWidth", name
        )
        assert 0.01 < share < 0.5, name


def test_a_style_in_no_layer_wins_over_any_of_the_kit(visitor: Visitor) -> None:
    visitor.open("/account/login")
    assert style_of(visitor, "main .button", "textTransform") == "none"
    visitor.page.evaluate(
        """() => {
            const sheet = new CSSStyleSheet();
            sheet.replaceSync("button { text-transform: uppercase; min-height: 5px; } p { max-width: 99px; }");
            document.adoptedStyleSheets = [sheet];
        }"""
    )
    assert style_of(visitor, "main .button", "textTransform") == "uppercase"
    assert style_of(visitor, "main .button", "minHeight") == "5px"
    assert style_of(visitor, ".site-footer p", "maxWidth") == "99px"


def test_no_entry_of_a_menu_moves_when_it_is_the_current_one(visitor: Visitor) -> None:
    for width, menu in ((1280, ".site-menu"), (768, ".site-menu"), (360, ".side-menu")):
        visitor.page.set_viewport_size({"width": width, "height": 800})
        visitor.open("/dev/components")
        places = [
            visitor.page.evaluate(
                """([menu, current]) => {
                    const links = [...document.querySelectorAll(`${menu} a`)];
                    links.forEach((link, at) => link.toggleAttribute("aria-current", at === current));
                    return links.map(link => [link.offsetLeft, link.offsetTop, link.offsetWidth]);
                }""",
                [menu, current],
            )
            for current in (0, 1, -1)
        ]
        assert places[0] == places[1] == places[2], f"{menu} at {width} px"


def test_nothing_is_cut_on_a_phone(visitor: Visitor, people: People) -> None:
    visitor.page.set_viewport_size({"width": 360, "height": 740})
    visitor.open("/")
    assert visitor.page.eval_on_selector(".terminal pre", "pre => pre.scrollWidth <= pre.clientWidth")
    visitor.become(people.cookies["administrator"])
    visitor.open("/admin/users")
    for name in ("role", "state"):
        # As wide as its words want to be, and room for the arrow.
        natural = "select => { select.style.width = 'max-content'; return select.offsetWidth; }"
        selector = f"#filter-{name}"
        shown = visitor.page.locator(selector).evaluate("select => select.offsetWidth")
        assert shown >= visitor.page.locator(selector).evaluate(natural)
        assert float(style_of(visitor, selector, "paddingRight").removesuffix("px")) >= 24


def style_of(visitor: Visitor, selector: str, name: str) -> str:
    """Return the computed value of a property of the first element that matches ``selector``."""
    value: str = visitor.page.eval_on_selector(selector, f"element => getComputedStyle(element).{name}")
    return value

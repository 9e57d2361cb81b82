"""The components page shows HTML as a person would write it."""

import pytest

from app.dev.readable_html import readable


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<p>Some <b>bold</b>\n  text.</p>", "<p>Some <b>bold</b> text.</p>"),
        ("<ul><li>One</li>\n\n<li>Two</li></ul>", "<ul>\n  <li>One</li>\n  <li>Two</li>\n</ul>"),
        (
            "<div><label>A</label>\n<input name=a required><br></div>",
            "<div>\n  <label>A</label>\n  <input name=a required>\n  <br>\n</div>",
        ),
        ("<div>before<p>in</p>after</div>", "<div>\n  before\n  <p>in</p>\n  after\n</div>"),
        ("<div><p></p></div>", "<div>\n  <p></p>\n</div>"),
        ("<pre>  two\n    lines </pre>", "<pre>  two\n    lines </pre>"),
        ("<td><svg><path d='M1'/></svg> Name</td>", "<td><svg><path d='M1'/></svg> Name</td>"),
        ("<p>a &amp; b &#8230;</p>", "<p>a &amp; b &#8230;</p>"),
        ("<textarea>\n a</textarea>", "<textarea>\n a</textarea>"),
        ("", ""),
    ],
)
def test_each_element_has_a_line_and_text_stays_together(html: str, expected: str) -> None:
    assert readable(html) == expected

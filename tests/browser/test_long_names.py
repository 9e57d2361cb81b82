"""Names as long as they may be push nothing out of its place."""

import pytest
from flask_sqlalchemy import SQLAlchemy

from app.models import AuditEvent
from tests.browser.people import People
from tests.browser.visitor import Visitor
from tests.factories import make_user

pytestmark = pytest.mark.thorough

WIDE = "W" * 64
PAGES = ("/admin/", "/admin/audit", "/admin/users", "/admin/user/{id}", "/admin/user/{id}/disable", "/")


@pytest.mark.parametrize("width", [360, 1280])
def test_a_name_of_capital_ws_wraps(visitor: Visitor, people: People, db: SQLAlchemy, width: int) -> None:
    user = make_user("Administrator", first_name=WIDE, last_name=WIDE, email=f"{'w' * 64}@example.org")
    AuditEvent.record("user.disabled", subject=user, actor=user, reason=WIDE)
    db.session.commit()
    visitor.become(people.cookies["administrator"])
    visitor.page.set_viewport_size({"width": width, "height": 800})
    for path in PAGES:
        visitor.open(path.format(id=user.id))
        too_wide = visitor.page.evaluate(
            """() => [...document.querySelectorAll("html, .table-scroll")]
                .filter(box => box.scrollWidth > box.clientWidth).map(box => `${box.className} ${box.scrollWidth}`)"""
        )
        assert too_wide == [], path

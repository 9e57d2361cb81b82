"""Names as long as they may be push nothing out of its place."""

import pytest
from flask import Flask
from flask_sqlalchemy import SQLAlchemy

from app.kit.auth.provider_settings import Provider
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
        assert too_wide(visitor) == [], path


@pytest.mark.parametrize("width", [360, 768])
def test_the_name_of_a_provider_wraps(
    visitor: Visitor, people: People, app: Flask, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    named = Provider("example", f"{WIDE} {WIDE}", "https://login.example.org", "id", "secret")
    monkeypatch.setitem(app.config, "PROVIDERS", {"example": named})
    visitor.page.set_viewport_size({"width": width, "height": 800})
    for path in ("/account/login", "/account/register"):
        visitor.open(path)
        assert too_wide(visitor) == [], path
    visitor.become(people.cookies["user"])
    visitor.open("/account/manage/security")
    assert too_wide(visitor) == []
    button = visitor.page.get_by_role("button", name=f"Link {WIDE}").bounding_box()
    assert button
    assert button["width"] < 100


def too_wide(visitor: Visitor) -> list[str]:
    """Return the boxes whose content does not fit."""
    boxes: list[str] = visitor.page.evaluate(
        """() => [...document.querySelectorAll("html, .table-scroll")]
            .filter(box => box.scrollWidth > box.clientWidth).map(box => `${box.className} ${box.scrollWidth}`)"""
    )
    return boxes

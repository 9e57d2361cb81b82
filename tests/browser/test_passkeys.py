"""Passkeys in Chromium, with its virtual authenticator, which belongs to one window."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from playwright.sync_api import Browser, CDPSession, expect
from sqlalchemy import update

from app.kit.db.database import utc_now
from app.models import Flow, Passkey, User, UserSession, Way
from tests.browser.people import cookie_of_session
from tests.browser.visitor import Visitor
from tests.factories import PASSWORD, make_user
from tests.test_sign_in import set_up

DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}
# The device answers at once when passkeys are offered in the address field; most journeys press a button.
WITHOUT_AUTOFILL = "PublicKeyCredential.isConditionalMediationAvailable = async () => false"
UNSUPPORTED = "delete window.PublicKeyCredential"
pytestmark = pytest.mark.thorough
Enter = Callable[[User | None], None]


class Device:
    """A virtual authenticator in a window."""

    def __init__(self, visitor: Visitor) -> None:
        self._browser: CDPSession = visitor.context.new_cdp_session(visitor.page)
        self._browser.send("WebAuthn.enable")
        self._id = self._browser.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})["authenticatorId"]

    def recognizes_its_holder(self, does: bool) -> None:
        """Let the device refuse, or not, as after a wrong fingerprint."""
        self._browser.send("WebAuthn.setUserVerified", {"authenticatorId": self._id, "isUserVerified": does})


@pytest.fixture
def address(site: str, app: Flask, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the URL of the site by name: browsers have no passkeys for an IP address."""
    by_name = site.replace("127.0.0.1", "localhost")
    monkeypatch.setitem(app.config, "BASE_URL", by_name)
    return by_name


@pytest.fixture
def visitor(first_window: Visitor, address: str) -> Iterator[Visitor]:
    with Visitor.beside(first_window, address) as visitor:
        yield visitor
        assert visitor.complaints == []


@pytest.fixture
def device(visitor: Visitor) -> Device:
    return Device(visitor)


@pytest.fixture
def owner(app: Flask, db: SQLAlchemy, visitor: Visitor, device: Device) -> User:
    """Return a user who has added a passkey in this window and is logged out again."""
    user = make_user()
    visitor.become(cookie_of_session(app, user))
    add_passkey(visitor)
    visitor.become("")
    return user


def add_passkey(visitor: Visitor) -> None:
    visitor.open("/account/manage/security")
    visitor.page.get_by_role("link", name="Add a passkey").last.click()
    expect(visitor.page.get_by_label("Name")).to_have_value("Chrome on Linux")
    press(visitor, "Create the passkey")
    expect(visitor.page.get_by_role("heading", name="Chrome on Linux")).to_be_visible()


def press(visitor: Visitor, name: str) -> None:
    visitor.page.get_by_role("button", name=name).click()


def expect_to_be_in(visitor: Visitor) -> None:
    expect(visitor.page.get_by_text("You are now logged in.")).to_be_visible()


def test_a_passkey_logs_in_by_the_button_and_keeps_one_logged_in(visitor: Visitor, owner: User) -> None:
    visitor.page.add_init_script(WITHOUT_AUTOFILL)
    visitor.open("/account/login?next=/account/sessions")
    # Who began to type is not asked whether to leave the page.
    questions: list[str] = []
    visitor.page.on("dialog", lambda dialog: questions.append(dialog.type) or dialog.accept())
    visitor.page.get_by_label("Email").press_sequentially("a")
    visitor.page.get_by_label("Keep me logged in").check()
    press(visitor, "Log in with a passkey")
    expect(visitor.page.get_by_role("heading", name="Sessions")).to_be_visible()
    [row] = UserSession.query.filter(UserSession.ways == "passkey").all()
    assert row.remembered
    assert questions == []


def test_a_passkey_logs_in_from_the_suggestions_of_the_address_field(visitor: Visitor, owner: User) -> None:
    visitor.open("/account/login")
    expect_to_be_in(visitor)


def test_a_device_makes_no_second_passkey_for_an_account(app: Flask, visitor: Visitor, owner: User) -> None:
    visitor.become(cookie_of_session(app, owner))
    visitor.open("/account/passkeys/new")
    press(visitor, "Create the passkey")
    expect(visitor.page.get_by_text("This device already has a passkey for your account.")).to_be_visible()


def test_a_passkey_is_a_second_factor(visitor: Visitor, owner: User, db: SQLAlchemy) -> None:
    set_up(db, owner, Way.RECOVERY_CODE)
    visitor.page.add_init_script(WITHOUT_AUTOFILL)
    visitor.open("/account/login")
    visitor.page.get_by_label("Email").fill(owner.email)
    visitor.page.get_by_label("Password", exact=True).fill(PASSWORD)
    visitor.page.get_by_role("button", name="Log in", exact=True).click()
    press(visitor, "Use a passkey")
    expect_to_be_in(visitor)


def let_sudo_end(db: SQLAlchemy) -> None:
    db.session.execute(update(UserSession).values(reauthenticated_at=utc_now().replace(year=2000)))
    db.session.commit()


def test_a_passkey_confirms_in_place_of_the_password(app: Flask, visitor: Visitor, owner: User, db: SQLAlchemy) -> None:
    visitor.become(cookie_of_session(app, owner))
    let_sudo_end(db)
    visitor.open("/account/passkeys/new")
    press(visitor, "Use a passkey")
    expect(visitor.page.get_by_role("heading", name="Add a passkey")).to_be_visible()


def test_what_is_typed_survives_when_the_password_is_asked_for(
    app: Flask, visitor: Visitor, owner: User, db: SQLAlchemy
) -> None:
    visitor.become(cookie_of_session(app, owner))
    visitor.open("/account/passkeys/new")
    visitor.page.get_by_label("Name").fill("My phone")
    let_sudo_end(db)
    press(visitor, "Create the passkey")
    press(visitor, "Use a passkey")
    expect(visitor.page.get_by_label("Name")).to_have_value("My phone")


def test_the_passkey_of_another_user_confirms_nothing(
    app: Flask, visitor: Visitor, owner: User, db: SQLAlchemy
) -> None:
    other = make_user()
    set_up(db, other, Way.PASSKEY)
    visitor.become(cookie_of_session(app, other))
    let_sudo_end(db)
    visitor.open("/account/passkeys/new")
    press(visitor, "Use a passkey")
    expect(visitor.page.get_by_text("No passkey was used.")).to_be_visible()
    # The browser is told which passkeys fit. One that disregards it gets no further.
    db.session.execute(update(Passkey).where(Passkey.user_id == other.id).values(user_id=make_user().id))
    db.session.commit()
    press(visitor, "Use a passkey")
    expect(visitor.page.get_by_text("This passkey did not work.")).to_be_visible()


def test_who_cancels_can_try_again(visitor: Visitor, owner: User, device: Device) -> None:
    visitor.page.add_init_script(WITHOUT_AUTOFILL)
    device.recognizes_its_holder(False)
    visitor.open("/account/login")
    press(visitor, "Log in with a passkey")
    expect(visitor.page.get_by_role("status").filter(has_text="No passkey was used.")).to_be_visible()
    device.recognizes_its_holder(True)
    press(visitor, "Log in with a passkey")
    expect_to_be_in(visitor)


def test_a_server_that_is_away_is_told(visitor: Visitor, owner: User) -> None:
    visitor.page.add_init_script(WITHOUT_AUTOFILL)
    visitor.open("/account/login")
    visitor.context.set_offline(True)
    press(visitor, "Log in with a passkey")
    expect(visitor.page.get_by_text("That did not work. Try again later")).to_be_visible()
    visitor.context.set_offline(False)
    assert [line for line in visitor.complaints if "ERR_INTERNET_DISCONNECTED" in line] == visitor.complaints
    visitor.complaints.clear()


def test_a_removed_passkey_is_refused_in_words(visitor: Visitor, owner: User, db: SQLAlchemy) -> None:
    Passkey.query.delete()
    db.session.commit()
    visitor.page.add_init_script(WITHOUT_AUTOFILL)
    visitor.open("/account/login")
    press(visitor, "Log in with a passkey")
    expect(visitor.page.get_by_text("This passkey did not work.")).to_be_visible()


def test_a_browser_without_passkeys_has_the_page_as_before(visitor: Visitor, db: SQLAlchemy) -> None:
    visitor.page.add_init_script(UNSUPPORTED)
    visitor.open("/account/login")
    expect(visitor.page.get_by_role("button", name="Log in", exact=True)).to_be_visible()
    expect(visitor.page.locator(".passkey")).to_be_hidden()
    visitor.page.wait_for_load_state("networkidle")
    assert visitor.page.locator(".passkey").evaluate("form => getComputedStyle(form).display") == "none"
    assert Flow.query.count() == 0
    visitor.page.get_by_label("Email").fill(make_user().email)


def test_without_scripts_the_page_is_as_before(browser: Browser, address: str, app: Flask, db: SQLAlchemy) -> None:
    user = make_user()
    with Visitor.at(browser, address, java_script_enabled=False) as visitor:
        visitor.open("/account/login")
        assert visitor.page.locator(".passkey").evaluate("form => getComputedStyle(form).display") == "none"
        visitor.page.get_by_label("Email").fill(user.email)
        visitor.page.get_by_label("Password", exact=True).fill(PASSWORD)
        visitor.page.get_by_role("button", name="Log in", exact=True).click()
        expect_to_be_in(visitor)
        visitor.open("/account/passkeys/new")
        expect(visitor.page.get_by_text("This browser cannot create passkeys.")).to_be_visible()
        expect(visitor.page.get_by_role("button", name="Create the passkey")).to_be_hidden()

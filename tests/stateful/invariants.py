"""What must hold after every step, whatever the step was."""

from sqlalchemy import func, select

from app.extensions import db
from app.models import User, UserSession
from app.models.user import other_administrators_than
from tests.stateful.model import NOBODYS_PASSWORD, Account, Link, Model
from tests.stateful.site import Mail, Site

# Where a link may be mailed: what it opens is its account's, so only there where the account's owner reads.
TO_THE_PRESENT_ADDRESS = {"confirm", "reset", "invite"}
# What a disabled account still gets: notices, so that its owner can say "not me".
TO_THE_DISABLED = {"not_me"}


def check_accounts(model: Model, passwords: list[str]) -> None:
    """Everybody whom the model knows exists, nobody else does, and one password fits."""
    users = {user.id: user for user in db.session.scalars(select(User))}
    assert sorted(users) == sorted(model.accounts), "accounts"
    for number, account in model.accounts.items():
        user = users[number]
        found = (user.email, user.confirmed, user.is_disabled, user.is_admin(), user.is_invited, user.may_log_in)
        expected = (account.address, account.confirmed, account.disabled, account.admin, account.password is None)
        assert found == (*expected, account.confirmed and not account.disabled), account
        fitting = [password for password in passwords if user.verify_password(password)]
        known = account.password not in {None, NOBODYS_PASSWORD}
        assert fitting == ([account.password] if known else []), account


def check_who_gets_in(model: Model, site: Site, addresses: list[str], passwords: list[str]) -> None:
    """The login form lets in with the right password of who may log in, and with nothing else."""
    for address in addresses:
        account = model.at(address)
        for password in passwords:
            may = account is not None and account.is_able and account.password == password
            assert site.try_to_log_in(address, password) is may, (address, password)


def check_sessions(model: Model, site: Site, browsers: list[str]) -> None:
    """Each of these browsers sees the account that it is logged in to, and no session is left of any other."""
    for browser in browsers:
        account = model.browsers[browser]
        page = site.get("/account/manage", browser)
        assert page.status_code == (302 if account is None else 200), browser
        assert account is None or account.address in page.text
    owners = sorted(account.number for account in model.browsers.values() if account is not None)
    assert sorted(db.session.scalars(select(UserSession.user_id))) == owners, "sessions"


def check_links(model: Model, links: list[Link]) -> None:
    """A link works as long as the model says, and not a moment longer."""
    for link in links:
        assert _finds(link) is model.is_alive(link), link


def _finds(link: Link) -> bool:
    token = link.path.rpartition("/")[2]
    purpose = "reset_password" if link.kind == "reset" else link.kind
    return (User.with_not_me_token(token) if purpose == "not_me" else User.with_token(purpose, token)) is not None


def check_who_can_take_back(model: Model, addresses: list[str]) -> None:
    """Every address that an account had can take it back, unless an older one did; no other address can."""
    for number, account in model.accounts.items():
        user = db.session.get(User, number)
        assert user is not None
        able = {address for address in addresses if user.generate_not_me_token(address)}
        assert able == {held.address for held in account.held}, account


def check_an_administrator_remains() -> None:
    nobody = User(id=0)
    db.session.expunge_all()
    assert other_administrators_than(nobody) > 0
    assert db.session.scalar(select(func.count()).select_from(User)) > 0


def check_mail(mail: Mail, account: Account | None, left: set[str]) -> None:
    """No email opens an account to an address that has no right to it."""
    for kind, _path in mail.links:
        assert account is not None, mail
        assert not account.disabled or kind in TO_THE_DISABLED, mail
        if kind in TO_THE_PRESENT_ADDRESS:
            assert mail.recipient == account.address, mail
        elif kind == "not_me":
            assert account.held_at(mail.recipient) is not None, mail
    # Without a link an email still tells of an account.
    assert mail.kind == "change_email" or mail.recipient in (account.told if account else left), mail

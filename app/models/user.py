"""Users: names, roles, states and passwords."""

from datetime import UTC, datetime
from string import ascii_letters, digits

from flask_login import AnonymousUserMixin
from sqlalchemy import (
    ColumnElement,
    Connection,
    ForeignKey,
    Index,
    String,
    event,
    func,
    inspect,
    literal,
    select,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship
from sqlalchemy.orm.attributes import set_committed_value

from app.extensions import db, login_manager
from app.kit.auth.passwords import hash_password, needs_rehash, verify_password
from app.kit.db.database import PLAIN, UTCDateTime, changed_rows, lock_row, utc_now
from app.kit.db.search import Searchable
from app.models.former_address import new_address_key, note_move, same_spelling
from app.models.role import Permission, Role
from app.models.user_profile import UserProfile
from app.models.user_recovery import UserRecovery

# Each method costs every login one hash. Beyond this number, response times can reveal which method a user has.
MOST_PASSWORD_METHODS = 10


class User(UserRecovery, UserProfile, Searchable):
    """An account: signed up, created by an administrator, or invited and not yet joined."""

    __tablename__ = "users"
    __searched__ = ("first_name", "last_name", "nickname", "email")

    role_id: Mapped[int | None] = mapped_column(ForeignKey("roles.id"))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utc_now, server_default=func.now())
    # Names the files of the picture that is shown (pictures.py). Here, because every page shows pictures beside names.
    picture_key: Mapped[str | None] = mapped_column(String(32))
    disabled_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    disabled_reason: Mapped[str] = mapped_column(String(255), default="", server_default="")
    # Counts changes of the columns that decide on access (ACCESS below). A request that verified a password or
    # checked a role must find the same number when it writes.
    access_version: Mapped[int] = mapped_column(default=0, server_default="0")

    # _note_change_of_access sets the number. Every UPDATE checks it, so none overwrites a change it has not seen.
    __mapper_args__ = {"version_id_col": access_version, "version_id_generator": False}  # noqa: RUF012 - SQLAlchemy's

    role: Mapped[Role | None] = relationship(back_populates="users", lazy="joined")

    # For Flask-Login. With its UserMixin, two users without a session would be equal.
    is_authenticated = is_active = True
    is_anonymous = False
    # The token of the session through which this object was loaded. It is never stored.
    session_token = ""

    def get_id(self) -> str:
        """Return the session's token, which Flask-Login stores in the cookie instead of the user's id."""
        return self.session_token

    @property
    def display_name(self) -> str:
        """The full name or, without one, the email address, for administrators."""
        return self.full_name() or self.email

    @property
    def password(self) -> str:
        """The password, which can only be set. Reading it raises ``AttributeError``."""
        raise AttributeError("a password can be set, not read")

    @password.setter
    def password(self, password: str) -> None:
        self.password_hash, self.is_invited = hash_password(password), False

    @property
    def password_mark(self) -> str | int:
        """A value that differs after each change of the password, for links. Without one, each change of access counts.

        Otherwise a link that set a password would work again once the password was removed.
        """
        return self.password_hash or self.access_version

    def verify_password(self, password: str) -> bool:
        """Return whether this is the password, and renew a hash made with older parameters. The caller commits."""
        verified = verify_password(self.password_hash, password)
        if verified and self.password_hash and needs_rehash(self.password_hash):
            self._renew_hash(password)
        return verified

    def _renew_hash(self, password: str) -> None:
        """Store a new hash of the same password, unless the password was changed while it was verified."""
        db.session.flush()
        new_hash = hash_password(password)
        as_verified = (User.id == self.id, User.access_version == self.access_version)
        # Not by assignment, which would raise access_version: the password stays the same, so a request that
        # verified it at the same time must not fail.
        renewing = update(User).where(*as_verified).values(password_hash=new_hash)
        if changed_rows(db.session.execute(renewing, execution_options=PLAIN)):
            set_committed_value(self, "password_hash", new_hash)

    def can(self, permissions: int) -> bool:
        """Return whether the user's role has all these permissions."""
        return self.role is not None and self.role.has(permissions)

    def is_admin(self) -> bool:
        """Return whether the user may administer the site."""
        return self.can(Permission.ADMINISTER)

    @property
    def is_disabled(self) -> bool:
        """Whether an administrator disabled the user."""
        return self.disabled_at is not None

    @property
    def may_log_in(self) -> bool:
        """Whether the user has joined, is confirmed and not disabled."""
        return self.confirmed and self.disabled_at is None and not self.is_invited

    @property
    def state(self) -> str:
        """The state shown to administrators: "disabled", "invited", "unconfirmed" or "active"."""
        if self.disabled_at is not None:
            return "disabled"
        if self.is_invited:
            return "invited"
        return "active" if self.confirmed else "unconfirmed"

    def disable(self, reason: str) -> None:
        """Refuse logins of this user. The caller ends the sessions and commits."""
        self.disabled_at, self.disabled_reason = utc_now(), reason

    def enable(self) -> None:
        """Allow logins of this user again. The caller commits."""
        self.disabled_at, self.disabled_reason = None, ""

    def is_last_administrator(self) -> bool:
        """Return whether this user is the only one who can administer the site.

        The result stays valid until the commit only after a call of ``lock_administrator_roles``.
        """
        return self.is_admin() and not other_administrators_than(self)

    def __repr__(self) -> str:
        return f"<User {self.uid}>"


# The key of the address, too: "not me" gives a new one, also to users who had no password to lose.
ACCESS = ("email", "address_key", "password_hash", "is_invited", "role_id", "disabled_at")


@event.listens_for(User, "init", propagate=True)
def _give_newcomers_role(_user: User, _positional: object, attributes: dict[str, object]) -> None:
    """Give a new user a role. Not in ``__init__``, whose arguments mypy could then not check."""
    if attributes.get("role") is None and attributes.get("role_id") is None:
        with db.session.no_autoflush:
            attributes["role"] = Role.for_newcomers()


@event.listens_for(User, "before_update")
def _note_change_of_access(_mapper: object, connection: Connection, user: User) -> None:
    """Count a change of access and store the former address, for every flush, so that no caller has to."""
    attributes = inspect(user).attrs
    if not any(attributes[name].history.has_changes() for name in ACCESS):
        return
    user.access_version += 1
    email = attributes["email"].history
    if not email.has_changes():
        return
    if not user.confirmed:
        # An address that was never confirmed may be anybody's: links that were mailed there must not work any more.
        user.address_key = new_address_key()
    elif not same_spelling(email.deleted[0], user.email):
        user.address_key = note_move(connection, user.id, email.deleted[0], user.email, user.address_key)


def password_methods() -> list[str]:
    """Return the distinct methods (:mod:`app.kit.auth.password_methods`) of the stored password hashes.

    The query steps through the index from one method to the next, so its time does not depend on the number
    of users.
    """
    first = select(func.min(PASSWORD_METHOD).label("method")).cte("methods", recursive=True)
    following = select(func.min(PASSWORD_METHOD)).where(first.c.method < PASSWORD_METHOD).scalar_subquery()
    methods = first.union_all(select(following).where(first.c.method.is_not(None)))
    found = select(methods.c.method).where(methods.c.method.is_not(None)).limit(MOST_PASSWORD_METHODS)
    with db.session.no_autoflush:
        return list(db.session.scalars(found))


# A hash without its last two parts, salt and digest; both databases have rtrim. Literals, not bound parameters:
# a database uses an index on an expression only for the same expression.
_IN_BASE64 = literal(f"{ascii_letters}{digits}+/=-_.", literal_execute=True)
_DOLLAR = literal("$", literal_execute=True)
PASSWORD_METHOD = func.rtrim(func.rtrim(func.rtrim(User.password_hash, _IN_BASE64), _DOLLAR), _IN_BASE64)
Index("ix_users_password_method", PASSWORD_METHOD)


# Ada@example.org and ada@example.org are the same account. Only an index can refuse two simultaneous sign-ups.
Index("ix_users_email_lower", func.lower(User.email), unique=True)


class AnonymousUser(AnonymousUserMixin):
    """An anonymous visitor."""

    zone = UTC

    def can(self, _: int) -> bool:
        """Return False: anonymous visitors have no permissions."""
        return False

    def is_admin(self) -> bool:
        """Return False."""
        return False


def lock_administrator_roles() -> None:
    """Lock the administrators' roles until the transaction ends.

    No other transaction can demote, disable or delete an administrator meanwhile. Without the lock, two
    administrators could remove each other at the same time, and none would remain.
    """
    for role in Role.administrators():
        lock_row(db.session, role)


def other_administrators_than(user: User) -> int:
    """Return how many users other than ``user`` can log in and administer the site."""
    return number_of_administrators(User.id != user.id)


def number_of_administrators(*conditions: ColumnElement[bool]) -> int:
    """Return how many users that meet ``conditions`` can log in and administer the site.

    Every way counts, and everybody has one: the last one cannot be removed, and a mailed link sets a password.
    """
    role_ids = [role.id for role in Role.administrators()]
    holders = select(func.count()).select_from(User).where(User.role_id.in_(role_ids), *conditions)
    able = holders.where(User.disabled_at.is_(None), User.confirmed, User.is_invited.is_(False))
    return db.session.scalar(able) or 0


login_manager.anonymous_user = AnonymousUser

"""People, and what they may do."""

from datetime import datetime
from string import ascii_letters, digits

from flask_login import AnonymousUserMixin
from sqlalchemy import (
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

from app.extensions import Model, db, login_manager
from app.kit.auth.passwords import hash_password, needs_rehash, verify_password
from app.kit.db.database import UTCDateTime, changed_rows, lock_row, utc_now
from app.models.former_address import new_address_key, note_move, same_spelling
from app.models.role import Permission, Role
from app.models.user_recovery import UserRecovery

NAME_MAX_LENGTH = 64
# Each costs every login one hash: whoever imports more kinds shows some by their time.
MOST_PASSWORD_METHODS = 10


class User(UserRecovery, Model):
    """Somebody with an account: signed up, created by an administrator, or invited and not yet here."""

    __tablename__ = "users"

    first_name: Mapped[str] = mapped_column(String(NAME_MAX_LENGTH), default="", server_default="", index=True)
    last_name: Mapped[str] = mapped_column(String(NAME_MAX_LENGTH), default="", server_default="", index=True)
    role_id: Mapped[int | None] = mapped_column(ForeignKey("roles.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utc_now, server_default=func.now(), index=True)
    disabled_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    disabled_reason: Mapped[str] = mapped_column(String(255), default="", server_default="")
    # Counts the changes of what decides who gets in and how far (ACCESS below). Whoever verified a password, or
    # was let in by a role, must find the same number when it comes to writing.
    access_version: Mapped[int] = mapped_column(default=0, server_default="0")

    # The number is set below; with it in every UPDATE, none overwrites what it has not seen.
    __mapper_args__ = {"version_id_col": access_version, "version_id_generator": False}  # noqa: RUF012 - SQLAlchemy's

    role: Mapped[Role | None] = relationship(back_populates="users", lazy="joined")

    # What Flask-Login asks. Its UserMixin would call two users without a session equal.
    is_authenticated = is_active = True
    is_anonymous = False
    # The opaque token of the session this object was loaded through; never stored.
    session_token = ""

    def __init__(self, **attributes: object) -> None:
        super().__init__(**attributes)
        if self.role is None and self.role_id is None:
            with db.session.no_autoflush:
                self.role = Role.for_newcomers()

    def get_id(self) -> str:
        """Return what Flask-Login keeps in the cookie: the session's token, never the user's id."""
        return self.session_token

    def full_name(self) -> str:
        """Return first and last name as far as they are known."""
        return f"{self.first_name} {self.last_name}".strip()

    @property
    def display_name(self) -> str:
        """How lists and logs for administrators call the user: by name or, without one, by address."""
        return self.full_name() or self.email

    @property
    def password(self) -> str:
        raise AttributeError("a password can be set, not read")

    @password.setter
    def password(self, password: str) -> None:
        self.password_hash = hash_password(password)

    def verify_password(self, password: str) -> bool:
        """Return whether this is the password; renews a hash made with older parameters (the caller commits)."""
        verified = verify_password(self.password_hash, password)
        if verified and self.password_hash and needs_rehash(self.password_hash):
            self._renew_hash(password)
        return verified

    def _renew_hash(self, password: str) -> None:
        """Store a new hash of the same password, unless the password was changed while it was verified."""
        db.session.flush()
        new_hash = hash_password(password)
        as_verified = (User.id == self.id, User.access_version == self.access_version)
        # Not by assigning: the password is the same, so whoever verified it at the same moment is still right.
        renewing = update(User).where(*as_verified).values(password_hash=new_hash)
        if changed_rows(db.session.execute(renewing, execution_options={"synchronize_session": False})):
            set_committed_value(self, "password_hash", new_hash)

    def can(self, permissions: int) -> bool:
        """Return whether the user's role holds all these permissions."""
        return self.role is not None and self.role.has(permissions)

    def is_admin(self) -> bool:
        """Return whether the user may administer the site."""
        return self.can(Permission.ADMINISTER)

    @property
    def is_disabled(self) -> bool:
        return self.disabled_at is not None

    @property
    def may_log_in(self) -> bool:
        """Whether the right password lets the user in: not before the address is confirmed, nor while disabled."""
        return self.confirmed and self.disabled_at is None

    @property
    def state(self) -> str:
        """What an administrator sees first: "disabled", "invited", "unconfirmed" or "active"."""
        if self.disabled_at is not None:
            return "disabled"
        if self.password_hash is None:
            return "invited"
        return "active" if self.confirmed else "unconfirmed"

    def disable(self, reason: str) -> None:
        """Refuse this user from now on; the caller ends the sessions."""
        self.disabled_at, self.disabled_reason = utc_now(), reason

    def enable(self) -> None:
        """Let a disabled user in again."""
        self.disabled_at, self.disabled_reason = None, ""

    def is_last_administrator(self) -> bool:
        """Return whether nobody could administer the site without this user.

        Only an answer got after ``lock_administrator_roles`` stays true until the commit.
        """
        return self.is_admin() and not other_administrators_than(self)

    def __repr__(self) -> str:
        return f"<User {self.uid}>"


ACCESS = ("email", "password_hash", "role_id", "disabled_at")


@event.listens_for(User, "before_update")
def _note_change_of_access(_mapper: object, connection: Connection, user: User) -> None:
    """Count the change, and remember an address that is given up: nobody can forget to."""
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
    """Return the different methods (:mod:`app.kit.auth.password_methods`) of the stored password hashes.

    Steps along the index from one method to the next: as quick with a million users as with ten.
    """
    first = select(func.min(PASSWORD_METHOD).label("method")).cte("methods", recursive=True)
    following = select(func.min(PASSWORD_METHOD)).where(first.c.method < PASSWORD_METHOD).scalar_subquery()
    methods = first.union_all(select(following).where(first.c.method.is_not(None)))
    found = select(methods.c.method).where(methods.c.method.is_not(None)).limit(MOST_PASSWORD_METHODS)
    with db.session.no_autoflush:
        return list(db.session.scalars(found))


# A hash without its last two parts, salt and digest; both databases know rtrim. Written out in the statement:
# an index on an expression serves those that hold the very same one.
_IN_BASE64 = literal(f"{ascii_letters}{digits}+/=-_.", literal_execute=True)
_DOLLAR = literal("$", literal_execute=True)
PASSWORD_METHOD = func.rtrim(func.rtrim(func.rtrim(User.password_hash, _IN_BASE64), _DOLLAR), _IN_BASE64)
Index("ix_users_password_method", PASSWORD_METHOD)


# Ada@example.org and ada@example.org are one person, and only an index can say so to two requests at once.
Index("ix_users_email_lower", func.lower(User.email), unique=True)


class AnonymousUser(AnonymousUserMixin):
    """Who has not logged in."""

    def can(self, _: int) -> bool:
        return False

    def is_admin(self) -> bool:
        return False


def lock_administrator_roles() -> None:
    """Let no other transaction demote, disable or delete an administrator until this one ends.

    Two administrators who remove each other at the same moment would else both be told that one remains.
    """
    for role in Role.administrators():
        lock_row(db.session, role)


def other_administrators_than(user: User) -> int:
    """Return how many users besides ``user`` can log in and administer the site right now."""
    role_ids = [role.id for role in Role.administrators()]
    others = select(func.count()).select_from(User).where(User.id != user.id, User.role_id.in_(role_ids))
    able = others.where(User.disabled_at.is_(None), User.confirmed, User.password_hash.is_not(None))
    return db.session.scalar(able) or 0


login_manager.anonymous_user = AnonymousUser

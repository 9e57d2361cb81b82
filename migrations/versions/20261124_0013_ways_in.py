"""Passkeys, authenticator apps, recovery codes, providers, and users without a password."""

import sqlalchemy as sa
from alembic import op

from app.kit.db.database import NEVER_REUSE_IDS, UTCDateTime

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

STATE = (
    "(CASE WHEN (disabled_at IS NOT NULL) THEN 'disabled' WHEN {invited} THEN 'invited'"
    " WHEN confirmed THEN 'active' ELSE 'unconfirmed' END)"
)
BEFORE, SINCE = STATE.format(invited="(password_hash IS NULL)"), STATE.format(invited="is_invited")
SORTS = {"name": ["first_name", "last_name"], "email": [sa.text("lower(email)")], "joined": ["created_at"]}


def upgrade() -> None:
    """Add the tables and the columns. Who has no password so far was invited."""
    op.add_column("users", sa.Column("is_invited", sa.Boolean, server_default=sa.false(), nullable=False))
    users = sa.table("users", sa.column("is_invited"), sa.column("password_hash"))
    op.execute(users.update().where(users.c.password_hash.is_(None)).values(is_invited=sa.true()))
    _index_states(SINCE)
    op.add_column("user_sessions", sa.Column("ways", sa.String(64), server_default="password", nullable=False))
    op.add_column("user_sessions", sa.Column("has_two_factors", sa.Boolean, server_default=sa.false(), nullable=False))
    _add_table(
        "flows",
        sa.Column("purpose", sa.String(32), nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("browser_hash", sa.String(64), nullable=False),
        _user_id(nullable=True),
        sa.Column("data", sa.JSON, nullable=False),
        sa.Column("tries", sa.Integer, server_default="0", nullable=False),
        sa.Column("expires_at", UTCDateTime, nullable=False),
        unique=["token_hash"],
        indexed=["browser_hash", "user_id", "expires_at"],
    )
    _add_table(
        "passkeys",
        _user_id(),
        sa.Column("credential_id", sa.LargeBinary, nullable=False),
        sa.Column("user_handle", sa.LargeBinary, nullable=False),
        sa.Column("public_key", sa.LargeBinary, nullable=False),
        sa.Column("sign_count", sa.Integer, nullable=False),
        sa.Column("backup_eligible", sa.Boolean, nullable=False),
        sa.Column("backed_up", sa.Boolean, nullable=False),
        sa.Column("transports", sa.String(128), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        *_times(),
        unique=["credential_id"],
        indexed=["user_id"],
    )
    _add_table(
        "authenticator_apps",
        _user_id(),
        sa.Column("encrypted_secret", sa.String(255), nullable=False),
        sa.Column("last_step", sa.Integer, nullable=False),
        *_times(),
        unique=["user_id"],
    )
    _add_table(
        "recovery_codes",
        _user_id(),
        sa.Column("code_hash", sa.String(64), nullable=False),
        sa.Column("created_at", UTCDateTime, nullable=False),
        sa.Column("used_at", UTCDateTime),
        unique=["code_hash"],
        indexed=["user_id"],
    )
    _add_table(
        "linked_identities",
        _user_id(),
        sa.Column("issuer", sa.String(255), nullable=False),
        sa.Column("subject", sa.String(255), nullable=False),
        sa.Column("provider", sa.String(32), nullable=False),
        sa.Column("email", sa.String(254), server_default="", nullable=False),
        *_times(),
        unique=["issuer", "subject"],
        indexed=["user_id"],
    )


def downgrade() -> None:
    """Drop them. A user without a password counts as invited again, until a mailed link sets one."""
    for table in ("linked_identities", "recovery_codes", "authenticator_apps", "passkeys", "flows"):
        op.drop_table(table)
    op.drop_column("user_sessions", "has_two_factors")
    op.drop_column("user_sessions", "ways")
    _index_states(BEFORE)
    op.drop_column("users", "is_invited")


def _index_states(state: str) -> None:
    for name, sorted_by in SORTS.items():
        op.drop_index(f"ix_users_state_{name}", table_name="users")
        op.create_index(f"ix_users_state_{name}", "users", [sa.text(state), *sorted_by, "id"])


def _add_table(
    name: str, *columns: sa.Column[object], unique: list[str], indexed: tuple[str, ...] | list[str] = ()
) -> None:
    op.create_table(
        name,
        sa.Column("id", sa.Integer, nullable=False),
        *columns,
        sa.PrimaryKeyConstraint("id", name=f"pk_{name}"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=f"fk_{name}_user_id_users", ondelete="CASCADE"),
        sa.UniqueConstraint(*unique, name=f"uq_{name}_{'_'.join(unique)}"),
        **NEVER_REUSE_IDS,
    )
    for column in indexed:
        op.create_index(f"ix_{name}_{column}", name, [column])


def _user_id(nullable: bool = False) -> sa.Column[object]:
    return sa.Column("user_id", sa.Integer, nullable=nullable)


def _times() -> list[sa.Column[object]]:
    return [sa.Column("created_at", UTCDateTime, nullable=False), sa.Column("last_used_at", UTCDateTime)]

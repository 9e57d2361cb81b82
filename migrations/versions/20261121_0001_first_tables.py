"""The first tables.

The names of keys and indexes follow the naming convention in ``app/kit/db/database.py``.
"""

import sqlalchemy as sa
from alembic import op

from app.kit.db.database import NEVER_REUSE_IDS, UTCDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# In the order of creation: a table after those that it references.
TABLES = [
    "roles",
    "users",
    "user_sessions",
    "known_devices",
    "data_exports",
    "audit_events",
    "emails",
    "scheduled_jobs",
    "editable_html",
]


def upgrade() -> None:
    """Create the first tables."""
    create_roles()
    create_users()
    create_user_sessions()
    create_known_devices()
    create_data_exports()
    create_audit_events()
    create_emails()
    create_scheduled_jobs()
    create_editable_html()


def downgrade() -> None:
    """Drop all tables."""
    for table in reversed(TABLES):
        op.drop_table(table)


def create_roles() -> None:
    """Create the roles, each a set of permissions."""
    op.create_table(
        "roles",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(64), nullable=False, unique=True),
        sa.Column("index", sa.String(64), nullable=False),
        sa.Column("default", sa.Boolean, nullable=False, server_default=sa.false(), index=True),
        sa.Column("permissions", sa.Integer, nullable=False, server_default="0"),
        **NEVER_REUSE_IDS,
    )


def create_users() -> None:
    """Create the users, with an index that makes addresses unique, ignoring case."""
    op.create_table(
        "users",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("uid", sa.String(32), nullable=False, unique=True),
        sa.Column("confirmed", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("first_name", sa.String(64), nullable=False, server_default="", index=True),
        sa.Column("last_name", sa.String(64), nullable=False, server_default="", index=True),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("password_hash", sa.String(255)),
        sa.Column("role_id", sa.Integer, sa.ForeignKey("roles.id"), index=True),
        sa.Column("created_at", UTCDateTime, nullable=False, server_default=sa.func.now(), index=True),
        sa.Column("disabled_at", UTCDateTime),
        sa.Column("disabled_reason", sa.String(255), nullable=False, server_default=""),
        **NEVER_REUSE_IDS,
    )
    op.create_index("ix_users_email_lower", "users", [sa.text("lower(email)")], unique=True)


def create_user_sessions() -> None:
    """Create the sessions, one row per login."""
    op.create_table(
        "user_sessions",
        sa.Column("id", sa.Integer, primary_key=True),
        reference("user_id", nullable=False, on_delete="CASCADE"),
        sa.Column("token_hash", sa.String(64), nullable=False, unique=True),
        sa.Column("created_at", UTCDateTime, nullable=False),
        sa.Column("last_seen_at", UTCDateTime, nullable=False, index=True),
        sa.Column("reauthenticated_at", UTCDateTime, nullable=False),
        sa.Column("ip_address", sa.String(45), nullable=False),
        sa.Column("user_agent", sa.String(255), nullable=False),
        sa.Column("remembered", sa.Boolean, nullable=False, server_default=sa.false()),
        **NEVER_REUSE_IDS,
    )


def create_known_devices() -> None:
    """Create the browsers that users have logged in with."""
    op.create_table(
        "known_devices",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("user_id", sa.Integer, sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
        sa.Column("label", sa.String(128), nullable=False),
        sa.Column("created_at", UTCDateTime, nullable=False),
        sa.UniqueConstraint("user_id", "label"),
        **NEVER_REUSE_IDS,
    )


def create_data_exports() -> None:
    """Create the exports of users' data."""
    op.create_table(
        "data_exports",
        sa.Column("id", sa.Integer, primary_key=True),
        reference("user_id", nullable=False, on_delete="CASCADE"),
        sa.Column("created_at", UTCDateTime, nullable=False, index=True),
        sa.Column("ready_at", UTCDateTime),
        sa.Column("content", sa.Text),
        **NEVER_REUSE_IDS,
    )


def create_audit_events() -> None:
    """Create the audit log."""
    op.create_table(
        "audit_events",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("created_at", UTCDateTime, nullable=False, index=True),
        sa.Column("event", sa.String(64), nullable=False, index=True),
        reference("actor_id", nullable=True, on_delete="SET NULL"),
        reference("subject_id", nullable=True, on_delete="SET NULL"),
        sa.Column("details", sa.JSON, nullable=False),
        sa.Column("ip_address", sa.String(45), nullable=False),
        sa.Column("request_id", sa.String(64)),
        **NEVER_REUSE_IDS,
    )


def create_emails() -> None:
    """Create the outbox, with a partial index of unfinished emails."""
    op.create_table(
        "emails",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("recipient", sa.String(254), nullable=False, index=True),
        reference("user_id", nullable=True, on_delete="SET NULL"),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("subject", sa.String(255), nullable=False),
        sa.Column("template", sa.String(255), nullable=False),
        sa.Column("context", sa.JSON, nullable=False),
        sa.Column("priority", sa.Integer, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("due_at", UTCDateTime, nullable=False),
        sa.Column("created_at", UTCDateTime, nullable=False, index=True),
        sa.Column("sent_at", UTCDateTime),
        sa.Column("last_error", sa.Text, nullable=False),
        sa.Column("request_id", sa.String(64)),
        **NEVER_REUSE_IDS,
    )
    unfinished = sa.text("state IN ('pending', 'sending')")
    op.create_index(
        "ix_emails_unfinished",
        "emails",
        ["priority", "due_at", "id"],
        sqlite_where=unfinished,
        postgresql_where=unfinished,
    )


def create_scheduled_jobs() -> None:
    """Create the last and next run of each scheduled job."""
    op.create_table(
        "scheduled_jobs",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("next_run_at", UTCDateTime),
        sa.Column("last_run_at", UTCDateTime),
    )


def create_editable_html() -> None:
    """Create the texts of editable pages."""
    op.create_table(
        "editable_html",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("editor_name", sa.String(100), nullable=False, unique=True),
        sa.Column("value", sa.Text, nullable=False, server_default=""),
        **NEVER_REUSE_IDS,
    )


def reference(name: str, nullable: bool, on_delete: str) -> sa.Column[int]:
    """Return an indexed foreign key to a user; ``on_delete`` is "CASCADE" or "SET NULL"."""
    return sa.Column(name, sa.Integer, sa.ForeignKey("users.id", ondelete=on_delete), nullable=nullable, index=True)

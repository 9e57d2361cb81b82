"""Changes and exports of many users, and which audit events belong to them."""

import sqlalchemy as sa
from alembic import op

from app.kit.db.database import NEVER_REUSE_IDS, UTCDateTime

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

RUNNING = {"sqlite_where": sa.text("outcome = ''"), "postgresql_where": sa.text("outcome = ''")}


def upgrade() -> None:
    """Create the table and the column."""
    op.create_table(
        "bulk_tasks",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("user_id", sa.Integer, sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
        sa.Column("action", sa.String(32), nullable=False),
        sa.Column("chosen", sa.JSON, nullable=False),
        sa.Column("details", sa.JSON, nullable=False),
        sa.Column("total", sa.Integer, nullable=False),
        sa.Column("last_user_id", sa.Integer, nullable=False),
        sa.Column("position", sa.Integer, nullable=False, server_default="0"),
        sa.Column("done", sa.Integer, nullable=False, server_default="0"),
        sa.Column("left_out", sa.Integer, nullable=False, server_default="0"),
        sa.Column("outcome", sa.String(16), nullable=False, server_default=""),
        sa.Column("event_id", sa.Integer, nullable=False),
        sa.Column("file_id", sa.Integer, sa.ForeignKey("stored_files.id", ondelete="SET NULL"), index=True),
        sa.Column("created_at", UTCDateTime, nullable=False, index=True),
        sa.Column("moved_at", UTCDateTime, nullable=False),
        **NEVER_REUSE_IDS,
    )
    op.create_index("ix_bulk_tasks_running", "bulk_tasks", ["user_id", "action"], unique=True, **RUNNING)
    op.add_column("audit_events", sa.Column("parent_id", sa.Integer))
    op.create_index("ix_audit_events_parent_when", "audit_events", ["parent_id", "created_at", "id"])


def downgrade() -> None:
    """Drop them."""
    op.drop_index("ix_audit_events_parent_when", table_name="audit_events")
    op.drop_column("audit_events", "parent_id")
    op.drop_table("bulk_tasks")

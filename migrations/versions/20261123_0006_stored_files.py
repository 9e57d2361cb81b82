"""Stored files, and the pictures of users."""

import sqlalchemy as sa
from alembic import op

from app.kit.db.database import NEVER_REUSE_IDS, UTCDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table and the column."""
    op.create_table(
        "stored_files",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("key", sa.String(32), nullable=False, unique=True),
        sa.Column("user_id", sa.Integer, sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
        sa.Column("kind", sa.String(32), nullable=False, index=True),
        sa.Column("problem", sa.String(255), nullable=False, server_default=""),
        sa.Column("created_at", UTCDateTime, nullable=False),
        **NEVER_REUSE_IDS,
    )
    op.add_column("users", sa.Column("picture_key", sa.String(32)))


def downgrade() -> None:
    """Drop them. The files themselves stay where they are stored."""
    op.drop_column("users", "picture_key")
    op.drop_table("stored_files")

"""The rate limit of emails that anybody can cause, per recipient."""

import sqlalchemy as sa
from alembic import op

from app.kit.db.database import NEVER_REUSE_IDS, UTCDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "recipient_limits",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("address", sa.String(254), nullable=False, unique=True),
        sa.Column("slots", sa.JSON, nullable=False),
        sa.Column("last_slot_at", UTCDateTime, index=True),
        **NEVER_REUSE_IDS,
    )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("recipient_limits")

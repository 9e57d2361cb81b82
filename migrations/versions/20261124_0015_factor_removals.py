"""Second factors that an administrator is going to remove."""

import sqlalchemy as sa
from alembic import op

from app.kit.db.database import NEVER_REUSE_IDS, UTCDateTime

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "factor_removals",
        sa.Column("id", sa.Integer, primary_key=True),
        _user_id("user_id", unique=True),
        _user_id("requested_by_id", index=True),
        sa.Column("reason", sa.String(255), nullable=False),
        sa.Column("created_at", UTCDateTime, nullable=False),
        sa.Column("due_at", UTCDateTime, nullable=False, index=True),
        **NEVER_REUSE_IDS,
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("factor_removals")


def _user_id(name: str, **settings: bool) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False, **settings)

"""Former addresses, and the version of the columns that decide on access."""

import sqlalchemy as sa
from alembic import op

from app.kit.db.database import NEVER_REUSE_IDS, UTCDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns and the table."""
    op.add_column("users", sa.Column("access_version", sa.Integer, nullable=False, server_default="0"))
    op.add_column("users", sa.Column("address_key", sa.String(32), nullable=False, server_default=""))
    op.create_table(
        "former_addresses",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("user_id", sa.Integer, sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("address_key", sa.String(32), nullable=False),
        sa.Column("until", UTCDateTime, index=True),
        **NEVER_REUSE_IDS,
    )


def downgrade() -> None:
    """Drop the table and the columns."""
    op.drop_table("former_addresses")
    op.drop_column("users", "address_key")
    op.drop_column("users", "access_version")

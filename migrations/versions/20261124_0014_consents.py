"""What users agreed to, which revisions ask again, and the solved challenges that were used."""

import sqlalchemy as sa
from alembic import op

from app.kit.db.database import NEVER_REUSE_IDS, UTCDateTime

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables and the column. No present revision asks anybody."""
    op.create_table(
        "consents",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("user_id", sa.Integer, sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
        sa.Column("document", sa.String(100), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("revision_id", sa.Integer, sa.ForeignKey("text_revisions.id", ondelete="SET NULL"), index=True),
        sa.Column("created_at", UTCDateTime, nullable=False),
        sa.Column("ip_address", sa.String(45), nullable=False),
        sa.Column("how", sa.String(16), nullable=False),
        **NEVER_REUSE_IDS,
    )
    op.add_column("text_revisions", sa.Column("asks_again", sa.Boolean, nullable=False, server_default=sa.false()))
    op.create_table(
        "spent_proofs",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("digest", sa.String(64), nullable=False, unique=True),
        sa.Column("expires_at", UTCDateTime, nullable=False, index=True),
        **NEVER_REUSE_IDS,
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("spent_proofs")
    op.drop_column("text_revisions", "asks_again")
    op.drop_table("consents")

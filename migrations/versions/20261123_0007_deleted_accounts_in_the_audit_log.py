"""The ids of deleted accounts in the audit log, so that their events can be told from one another."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

COLUMNS = ("former_actor_id", "former_subject_id")


def upgrade() -> None:
    """Add the columns."""
    for name in COLUMNS:
        op.add_column("audit_events", sa.Column(name, sa.Integer))


def downgrade() -> None:
    """Drop the columns."""
    for name in COLUMNS:
        op.drop_column("audit_events", name)

"""Profiles: the name that others see, the time zone, and a text about oneself."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

LENGTHS = {"nickname": 64, "time_zone": 64, "about": 500}


def upgrade() -> None:
    """Add the columns, empty for everybody."""
    for name, length in LENGTHS.items():
        op.add_column("users", sa.Column(name, sa.String(length), nullable=False, server_default=""))


def downgrade() -> None:
    """Drop the columns."""
    for name in LENGTHS:
        op.drop_column("users", name)

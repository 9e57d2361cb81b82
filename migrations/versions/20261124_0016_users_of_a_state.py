"""Indexes that count the users of a state, on PostgreSQL.

It counts from an index alone only if the index has all columns of the condition, or if the condition is its own.
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

STATE = (
    "(CASE WHEN (disabled_at IS NOT NULL) THEN 'disabled' WHEN is_invited THEN 'invited'"
    " WHEN confirmed THEN 'active' ELSE 'unconfirmed' END)"
)
STATES = ("active", "unconfirmed", "invited", "disabled")


def upgrade() -> None:
    """Create them."""
    if op.get_bind().dialect.name == "postgresql":
        for state in STATES:
            op.create_index(f"ix_users_{state}", "users", ["id"], postgresql_where=sa.text(f"{STATE} = '{state}'"))


def downgrade() -> None:
    """Drop them."""
    if op.get_bind().dialect.name == "postgresql":
        for state in STATES:
            op.drop_index(f"ix_users_{state}", table_name="users")

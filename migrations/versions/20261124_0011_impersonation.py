"""Sessions in which an administrator looks at the site as another user."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0009"
branch_labels = None
depends_on = None

TABLE, COLUMN, INDEX = "user_sessions", "impersonator_session_id", "ix_user_sessions_impersonator_session_id"


def upgrade() -> None:
    """Add the column and its index."""
    to_session = sa.ForeignKey("user_sessions.id", ondelete="CASCADE")
    op.add_column(TABLE, sa.Column(COLUMN, sa.Integer, to_session), inline_references=True)
    op.create_index(INDEX, TABLE, [COLUMN])


def downgrade() -> None:
    """Drop them."""
    op.execute(f"DELETE FROM {TABLE} WHERE {COLUMN} IS NOT NULL")  # noqa: S608 - the names above
    op.drop_index(INDEX, table_name=TABLE)
    op.drop_column(TABLE, COLUMN)

"""Sessions in which an administrator looks at the site as another user."""

import sqlalchemy as sa
from alembic import op

from app.kit.db.database import NEVER_REUSE_IDS

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

TABLE, COLUMN = "user_sessions", "impersonator_session_id"
INDEX, KEY = f"ix_{TABLE}_{COLUMN}", f"fk_{TABLE}_{COLUMN}_{TABLE}"
# Reading the table of users, too, would warn of its indexes on expressions.
ALONE = {"resolve_fks": False}


def upgrade() -> None:
    """Add the column with its index and foreign key; SQLite copies the table for that."""
    with op.batch_alter_table(TABLE, table_kwargs=NEVER_REUSE_IDS, reflect_kwargs=ALONE) as table:
        table.add_column(sa.Column(COLUMN, sa.Integer))
        table.create_foreign_key(KEY, TABLE, [COLUMN], ["id"], ondelete="CASCADE")
        table.create_index(INDEX, [COLUMN])


def downgrade() -> None:
    """Drop them, and with them the sessions of administrators: they would become those of the users."""
    sessions = sa.table(TABLE, sa.column(COLUMN))
    op.execute(sessions.delete().where(sessions.c[COLUMN].is_not(None)))
    with op.batch_alter_table(TABLE, table_kwargs=NEVER_REUSE_IDS, reflect_kwargs=ALONE) as table:
        table.drop_index(INDEX)
        table.drop_constraint(KEY, type_="foreignkey")
        table.drop_column(COLUMN)

"""Indexes for the lists of users, audit events and emails, and the users' words for the search."""

import sqlalchemy as sa
from alembic import op

from app.kit.db.search_index import drop_index, fold_again

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

STATE = (
    "(CASE WHEN (disabled_at IS NOT NULL) THEN 'disabled' WHEN (password_hash IS NULL) THEN 'invited'"
    " WHEN confirmed THEN 'active' ELSE 'unconfirmed' END)"
)
SORTS: dict[str, list[str | sa.TextClause]] = {
    "name": ["first_name", "last_name"],
    "email": [sa.text("lower(email)")],
    "joined": ["created_at"],
}
# Of a moment or a kind alone: the new ones begin with the same column.
REPLACED = [("audit_events", "created_at"), ("audit_events", "event"), ("emails", "created_at")]
ADDED = [
    ("audit_events", "when", ["created_at", "id"]),
    ("audit_events", "event_when", ["event", "created_at", "id"]),
    ("audit_events", "ip_address", ["ip_address"]),
    ("emails", "created", ["created_at", "id"]),
    ("emails", "state_created", ["state", "created_at", "id"]),
]
FORMER = ("first_name", "last_name", "role_id", "created_at")
SEARCHED = ("first_name", "last_name", "nickname", "email")


def upgrade() -> None:
    """Add the column and the indexes, and fill the column."""
    op.add_column("users", sa.Column("search_text", sa.Text(), server_default="", nullable=False))
    connection = op.get_bind()
    users = sa.table("users", *(sa.column(name) for name in ("id", "search_text", *SEARCHED)))
    for _ in fold_again(connection, users, SEARCHED):
        pass
    for name in FORMER:
        op.drop_index(f"ix_users_{name}", table_name="users")
    for name, sorted_by in SORTS.items():
        if name != "email":
            op.create_index(f"ix_users_{name}", "users", [*sorted_by, "id"])
        op.create_index(f"ix_users_role_{name}", "users", ["role_id", *sorted_by, "id"])
        op.create_index(f"ix_users_state_{name}", "users", [sa.text(STATE), *sorted_by, "id"])
    for table, name in REPLACED:
        op.drop_index(f"ix_{table}_{name}", table_name=table)
    for table, name, columns in ADDED:
        op.create_index(f"ix_{table}_{name}", table, columns)


def downgrade() -> None:
    """Drop them."""
    drop_index(op.get_bind(), sa.Table("users", sa.MetaData()))
    for name in SORTS:
        for kind in ("", "role_", "state_"):
            if kind or name != "email":
                op.drop_index(f"ix_users_{kind}{name}", table_name="users")
    for name in FORMER:
        op.create_index(f"ix_users_{name}", "users", [name])
    op.drop_column("users", "search_text")
    for table, name, _ in ADDED:
        op.drop_index(f"ix_{table}_{name}", table_name=table)
    for table, name in REPLACED:
        op.create_index(f"ix_{table}_{name}", table, [name])

"""Pages of their own for editable texts, and what the texts said before."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns and the table. Present texts stay parts of their templates."""
    op.add_column("editable_html", sa.Column("title", sa.String(length=100), server_default="", nullable=False))
    for name in ("published", "listed"):
        op.add_column("editable_html", sa.Column(name, sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_table(
        "text_revisions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("text_id", sa.Integer(), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["text_id"],
            ["editable_html.id"],
            name=op.f("fk_text_revisions_text_id_editable_html"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["author_id"], ["users.id"], name=op.f("fk_text_revisions_author_id_users"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_text_revisions")),
        sqlite_autoincrement=True,
    )
    for name in ("text_id", "author_id"):
        op.create_index(f"ix_text_revisions_{name}", "text_revisions", [name])


def downgrade() -> None:
    """Drop them."""
    op.drop_table("text_revisions")
    for name in ("listed", "published", "title"):
        op.drop_column("editable_html", name)

"""An index of the methods of password hashes.

Checking a password takes as long as the slowest method in use (``app/kit/auth/passwords.py``), so each process
regularly queries which methods these are.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# A hash without its last two parts, salt and digest.
IN_BASE64 = "'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/=-_.'"
METHOD = f"rtrim(rtrim(rtrim(password_hash, {IN_BASE64}), '$'), {IN_BASE64})"


def upgrade() -> None:
    """Create the index."""
    op.create_index("ix_users_password_method", "users", [sa.text(METHOD)])


def downgrade() -> None:
    """Drop the index."""
    op.drop_index("ix_users_password_method", table_name="users")

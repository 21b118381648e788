"""Which passkey an approval is from, and its authenticator's counter."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("approvals", sa.Column("credential", sa.String(64)))
    op.add_column("approvals", sa.Column("sign_count", sa.BigInteger))
    op.create_index("ix_approvals_credential", "approvals", ["credential"])


def downgrade() -> None:
    op.drop_index("ix_approvals_credential", "approvals")
    with op.batch_alter_table("approvals") as table:
        table.drop_column("sign_count")
        table.drop_column("credential")

"""The walk that the tests run."""

from tests.stateful.administrators import AdministratorsWalk
from tests.stateful.owners import OwnersWalk


class AccountsWalk(OwnersWalk, AdministratorsWalk):
    """Everybody at once."""

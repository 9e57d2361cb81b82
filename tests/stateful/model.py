"""What is true of accounts, as docs/security.md says it: no hash, token or table, and no line of ``app``."""

from collections.abc import Hashable
from dataclasses import dataclass, field

# After "This was not me", until the owner chooses a new one.
NOBODYS_PASSWORD = "known to nobody"


@dataclass(eq=False)
class Held:
    """The right of an address to take an account back; used or lost, it never returns."""

    address: str


@dataclass(eq=False)
class Account:
    """One account; ``password`` is None for who is invited and has not joined."""

    number: int
    address: str
    password: str | None
    confirmed: bool = False
    disabled: bool = False
    admin: bool = False
    passwords: int = 0  # how many it had
    changes: int = 0  # of password, address, role or state
    held: list[Held] = field(default_factory=list)  # the oldest address first; the present one is among them
    told: set[str] = field(default_factory=set)  # addresses that may hear of the account

    def __post_init__(self) -> None:
        self._hold(self.address)

    def _hold(self, address: str) -> None:
        self.held.append(Held(address))
        self.told.add(address)

    @property
    def is_able(self) -> bool:
        """Whether somebody can get in."""
        return self.confirmed and not self.disabled and self.password is not None

    @property
    def is_mere_sign_up(self) -> bool:
        """Whether the next sign-up with the address takes its place."""
        return not (self.confirmed or self.disabled or self.admin or self.password is None)

    def fits(self, password: str) -> bool:
        return self.password == password != NOBODYS_PASSWORD

    def set_password(self, password: str) -> None:
        self.password, self.passwords = password, self.passwords + 1
        self.changes += 1

    def move(self, address: str) -> None:
        """Have another address; who returns to an address has the age that it had."""
        if not self.confirmed:  # what nobody has proven can take nothing back
            self.held.clear()
            self.told.clear()
        self.address, self.changes = address, self.changes + 1
        if self.held_at(address) is None:
            self._hold(address)

    def held_at(self, address: str) -> Held | None:
        return next((held for held in self.held if held.address == address), None)

    def take_back(self, held: Held) -> None:
        """Return to an address: the younger ones lose their right, and its own links are used up."""
        del self.held[self.held.index(held) :]
        self.address = held.address
        self._hold(held.address)
        self.set_password(NOBODYS_PASSWORD)


@dataclass(eq=False)
class Link:
    """A link that was mailed to ``recipient``, and what was true of the account then."""

    kind: str
    path: str
    recipient: str
    account: Account
    made_for: Hashable


def state_for(kind: str, account: Account, recipient: str) -> Hashable:
    """Return what must still be true for a link of this kind to work."""
    if kind == "not_me":
        return account.held_at(recipient)
    if kind == "change_email":
        return account.changes
    if account.password == NOBODYS_PASSWORD:  # there is none: a link ends with any change
        return (account.address, "changes", account.changes)
    return (account.address, account.passwords)


class Model:
    """All accounts, and which browser is logged in to which."""

    def __init__(self) -> None:
        self.accounts: dict[int, Account] = {}
        self.browsers: dict[str, Account | None] = {}
        self.links: list[Link] = []
        self.left: set[str] = set()  # whose account is deleted

    def add(self, account: Account) -> Account:
        self.accounts[account.number] = account
        return account

    def at(self, address: str) -> Account | None:
        return next((account for account in self.accounts.values() if account.address == address), None)

    def others_able_to_administer(self, account: Account) -> bool:
        return any(one.admin and one.is_able for one in self.accounts.values() if one is not account)

    def end_sessions(self, account: Account, but: str | None = None) -> None:
        for browser, owner in self.browsers.items():
            if owner is account and browser != but:
                self.browsers[browser] = None

    def delete(self, account: Account) -> None:
        self.end_sessions(account)
        self.left.add(account.address)
        del self.accounts[account.number]

    def is_alive(self, link: Link) -> bool:
        """Tell whether the link still does something."""
        account = link.account
        if account.number not in self.accounts or (link.kind == "confirm" and account.confirmed):
            return False
        return state_for(link.kind, account, link.recipient) == link.made_for is not None

    def living(self, kind: str) -> list[Link]:
        return [link for link in self.links if link.kind == kind and self.is_alive(link)]

    def make_room(self, account: Account, address: str) -> bool:
        """Delete a sign-up at ``address`` that nobody confirmed; False when somebody else has proven it."""
        holder = self.at(address)
        if holder is not None and holder is not account and not holder.confirmed and holder.password is not None:
            self.delete(holder)
        return self.at(address) in {None, account}

"""What every rule needs: the site, the model, whom and what to choose, and the comparison after each step."""

import sys
from collections import Counter
from collections.abc import Callable
from typing import Any

from flask import Flask
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from app.extensions import db
from app.models import Role
from tests.conftest import empty
from tests.factories import PASSWORD, make_admin
from tests.stateful import invariants
from tests.stateful.model import Account, Link, Model, state_for
from tests.stateful.site import BROWSERS, Site

ROOT = "root@example.org"
ADDRESSES = [ROOT, *(f"{name}@example.org" for name in ("ada", "bob", "cora", "dan"))]
PASSWORDS = [PASSWORD, "nanosecond wire in hand", "compiler moth in a relay"]
PERSON = {"first_name": "Ada", "last_name": "Wren"}
# What becomes of older ones is looked at when the walk ends.
LINKS_AFTER_EACH_STEP = 12

an_address = st.sampled_from(ADDRESSES)
a_password = st.sampled_from(PASSWORDS)
a_browser = st.sampled_from(sorted(BROWSERS))
# Counted from the newest.
one_of_them = st.integers(0, 11)
# Mostly people know their password, use links that work, and do what they may; the rest is for thieves.
mostly = st.sampled_from([True, True, True, False])


Deed = Callable[..., None]


def deed(needs: str = "", **choices: st.SearchStrategy[Any]) -> Callable[[Deed], Deed]:
    """Make a method something that may be done in a step; ``needs`` is the kind of link it uses.

    Not a rule of Hypothesis, which leaves half of the rules out of each walk: hardly anything would ever happen.
    """

    def mark(method: Deed) -> Deed:
        method.needs, method.choices = needs, choices
        return method

    return mark


def deeds_of(kind: type) -> dict[str, Any]:
    """Return the deeds of a walk, by name."""
    methods = {name: getattr(kind, name) for name in dir(kind)}
    return {name: method for name, method in methods.items() if hasattr(method, "choices")}


class Walk(RuleBasedStateMachine):
    """One walk from a site with one administrator; ``done`` counts what came of the steps of all walks."""

    def __init__(self, app: Flask, done: Counter[str]) -> None:
        super().__init__()
        self.site, self.model, self.done = Site(app), Model(), done
        names = {False: "User", True: "Administrator"}
        self.role_ids = {is_admin: Role.query.filter_by(name=name).one().id for is_admin, name in names.items()}

    @initialize()
    def begin(self) -> None:
        """Let the first administrator log in."""
        number = make_admin(email=ROOT).id
        account = self.model.add(Account(number, ROOT, PASSWORD, confirmed=True, admin=True))
        assert self.site.try_to_log_in(ROOT, PASSWORD, "laptop")
        self.model.browsers = {**dict.fromkeys(BROWSERS), "laptop": account}

    @rule(data=st.data())
    def step(self, data: st.DataObject) -> None:
        """Do something that can be done now."""
        mailed = {"", *(link.kind for link in self.model.links)}
        deeds = [method for _, method in sorted(deeds_of(type(self)).items()) if method.needs in mailed]
        # What is about to happen is likelier: else few would ever move, and nobody twice.
        deeds += [method for method in deeds if method.needs and self.model.living(method.needs)] * 2
        chosen = data.draw(st.sampled_from(deeds).map(lambda method: method.__name__), label="deed")
        method = getattr(self, chosen)
        method(**{name: data.draw(choice, label=name) for name, choice in method.choices.items()})

    @invariant()
    def everything_holds(self) -> None:
        """Let the mail leave, and compare the site with the model."""
        self.done["steps"] += 1
        if not self.site.mail_waits:
            self._deliver()
        invariants.check_accounts(self.model, PASSWORDS)
        # In turn, as pages take longest; of all three, the rows are compared.
        in_turn = [sorted(BROWSERS)[self.done["steps"] % len(BROWSERS)]]
        invariants.check_sessions(self.model, self.site, in_turn)
        invariants.check_links(self.model, self.model.links[-LINKS_AFTER_EACH_STEP:])
        invariants.check_who_can_take_back(self.model, ADDRESSES)
        invariants.check_an_administrator_remains()
        db.session.rollback()

    def teardown(self) -> None:
        """Look at everything once more, and leave an empty site."""
        try:
            if sys.exc_info()[0] is None:  # the walk did not end with a step that failed
                self._deliver()
                invariants.check_links(self.model, self.model.links)
                invariants.check_sessions(self.model, self.site, list(BROWSERS))
                invariants.check_who_gets_in(self.model, self.site, ADDRESSES, PASSWORDS)
        finally:
            empty(db)

    def _deliver(self) -> None:
        for mail in self.site.deliver():
            account = self.model.accounts.get(mail.user_id or 0)
            invariants.check_mail(mail, account, self.model.left)
            self.done["mails"] += 1
            for kind, path in mail.links:
                assert account is not None
                self.model.links.append(
                    Link(kind, path, mail.recipient, account, state_for(kind, account, mail.recipient))
                )

    def link(self, kind: str, which: int, works: bool) -> Link:
        """Return a mailed link of this kind, one that works if there is any and ``works``."""
        links = [link for link in self.model.links if link.kind == kind]
        links = (works and [link for link in links if self.model.is_alive(link)]) or links
        return links[-1 - which % len(links)]

    def works(self, link: Link) -> bool:
        """Tell whether the link had to work; a sign-up that is in its way is gone then."""
        works = self.model.is_alive(link)
        if works and link.kind in {"change_email", "not_me"}:
            works = self.model.make_room(link.account, link.recipient)
        self.done[f"{link.kind}: {'worked' if works else 'refused'}"] += 1
        return works

    def typed(self, account: Account | None, knows: bool, guess: str) -> str:
        """Return the account's password, or a guess of who does not know it."""
        return account.password if knows and account is not None and account.password else guess

    def logged_in(self, browser: str, works: bool, admin: bool = False) -> str:
        """Return this browser, or one where somebody (an administrator) is logged in, or can be, if it ``works``."""
        names = sorted(BROWSERS, key=lambda name: name != browser)
        suitable = [name for name in names if self._suits(self.model.browsers[name], admin)]
        if works and not suitable:
            self._enter(browser, admin)
        return suitable[0] if works and suitable else browser

    def _suits(self, account: Account | None, admin: bool) -> bool:
        return account is not None and (account.admin or not admin)

    def _enter(self, browser: str, admin: bool) -> None:
        """Let somebody log in whose password is known, if there is anybody."""
        accounts = [one for one in self.model.accounts.values() if one.is_able and self._suits(one, admin)]
        for account in [one for one in accounts if one.fits(one.password or "")][-1:]:
            self.site.post("/account/logout", browser=browser)
            assert self.site.try_to_log_in(account.address, str(account.password), browser)
            self.model.browsers[browser] = account

    def account(self, which: int) -> Account:
        """Return one of all accounts, the newest for 0."""
        accounts = sorted(self.model.accounts.items(), reverse=True)
        return accounts[which % len(accounts)][1]

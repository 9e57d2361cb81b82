"""What administrators do with other people's accounts, and everybody else tries to."""

from hypothesis import strategies as st

from tests.stateful.model import Account
from tests.stateful.walk import PERSON, Walk, a_browser, an_address, deed, mostly, one_of_them

yes_or_no = st.booleans()


class AdministratorsWalk(Walk):
    """Inviting, changing, disabling and deleting people; and the mail server, which is away at times."""

    def actor(self, may: bool, browser: str) -> tuple[str, Account | None]:
        """Return a browser, one of an administrator if there is any and ``may``, and its account if that is one."""
        chosen = self.logged_in(browser, may, admin=True)
        owner = self.model.browsers[chosen]
        return chosen, owner if owner is not None and owner.admin else None

    def locks_out(self, actor: Account, target: Account) -> bool:
        """Tell whether removing ``target`` would leave nobody, or is a matter of one's own account page."""
        return actor is target or (target.admin and not self.model.others_able_to_administer(target))

    @deed(may=mostly, browser=a_browser, address=an_address, as_admin=yes_or_no)
    def invite(self, may: bool, browser: str, address: str, as_admin: bool) -> None:
        browser, actor = self.actor(may, browser)
        self.site.post("/admin/invite-user", {**PERSON, "email": address, "role": self.role_ids[as_admin]}, browser)
        if actor is not None and self.model.at(address) is None:
            self.model.add(Account(self.site.number_of(address), address, None, admin=as_admin))
            self.done["invited"] += 1

    @deed(may=mostly, browser=a_browser, which=one_of_them)
    def invite_again(self, may: bool, browser: str, which: int) -> None:
        browser, _ = self.actor(may, browser)
        self.site.post(f"/admin/user/{self.account(which).number}/resend-invitation", {}, browser)

    @deed(may=mostly, browser=a_browser, which=one_of_them, address=an_address)
    def move_somebody(self, may: bool, browser: str, which: int, address: str) -> None:
        browser, actor = self.actor(may, browser)
        target = self.account(which)
        self.site.post(f"/admin/user/{target.number}/change-email", {"email": address}, browser)
        if actor is not None and self.model.at(address) is None:
            target.move(address)
            self.done["moved by an administrator"] += 1

    @deed(may=mostly, browser=a_browser, which=one_of_them, to_admin=yes_or_no)
    def change_role(self, may: bool, browser: str, which: int, to_admin: bool) -> None:
        browser, actor = self.actor(may, browser)
        target = self.account(which)
        form = {"role": self.role_ids[to_admin]}
        self.site.post(f"/admin/user/{target.number}/change-account-type", form, browser)
        if actor is not None and target.admin is not to_admin and not self.locks_out(actor, target):
            target.admin, target.changes = to_admin, target.changes + 1
            self.done["promoted or demoted"] += 1

    @deed(may=mostly, browser=a_browser, which=one_of_them)
    def disable(self, may: bool, browser: str, which: int) -> None:
        browser, actor = self.actor(may, browser)
        target = self.account(which)
        self.site.post(f"/admin/user/{target.number}/disable", {"reason": "a walk"}, browser)
        if actor is not None and not self.locks_out(actor, target):
            target.disabled, target.changes = True, target.changes + 1
            self.model.end_sessions(target)
            self.done["disabled"] += 1

    @deed(may=mostly, browser=a_browser, which=one_of_them)
    def enable(self, may: bool, browser: str, which: int) -> None:
        browser, actor = self.actor(may, browser)
        target = self.account(which)
        self.site.post(f"/admin/user/{target.number}/enable", {}, browser)
        if actor is not None and target.disabled:
            target.disabled, target.changes = False, target.changes + 1
            self.done["enabled"] += 1

    @deed(may=mostly, browser=a_browser, which=one_of_them)
    def end_sessions(self, may: bool, browser: str, which: int) -> None:
        browser, actor = self.actor(may, browser)
        target = self.account(which)
        self.site.post(f"/admin/user/{target.number}/end-sessions", {}, browser)
        if actor is not None:
            self.model.end_sessions(target)

    @deed(may=mostly, browser=a_browser, which=one_of_them)
    def delete(self, may: bool, browser: str, which: int) -> None:
        browser, actor = self.actor(may, browser)
        target = self.account(which)
        self.site.post(f"/admin/user/{target.number}/_delete", {}, browser)
        if actor is not None and not self.locks_out(actor, target):
            self.model.delete(target)
            self.done["deleted by an administrator"] += 1

    @deed(stays=mostly)
    def the_mail_server(self, stays: bool) -> None:
        """Stop or go on; what was written meanwhile is composed when it leaves."""
        self.site.mail_waits = not stays

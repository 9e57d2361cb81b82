"""What people do with their own accounts, and thieves with other people's."""

from tests.stateful.model import Account
from tests.stateful.walk import PERSON, Walk, a_browser, a_password, an_address, deed, mostly, one_of_them


class OwnersWalk(Walk):
    """Joining, signing in, passwords, addresses, and leaving."""

    @deed(address=an_address, password=a_password)
    def sign_up(self, address: str, password: str) -> None:
        form = {**PERSON, "email": address, "password": password, "password2": password}
        self.site.post("/account/register", form)
        account = self.model.at(address)
        if account is None:
            self.model.add(Account(self.site.number_of(address), address, password))
            self.done["signed up"] += 1
        elif account.is_mere_sign_up and self.site.waits("confirm", address):
            account.set_password(password)
            self.done["signed up again"] += 1

    @deed("confirm", which=one_of_them, works=mostly)
    def confirm(self, which: int, works: bool) -> None:
        link = self.link("confirm", which, works)
        self.site.post(link.path)
        if self.works(link):
            link.account.confirmed = True

    @deed("invite", which=one_of_them, works=mostly, password=a_password)
    def accept_invitation(self, which: int, works: bool, password: str) -> None:
        link = self.link("invite", which, works)
        browser = sorted(self.model.browsers)[which % len(self.model.browsers)]
        if works and self.model.browsers[browser] is not None:
            self.log_out(browser)
        self.site.post(link.path, {"password": password, "password2": password}, browser)
        if self.model.browsers[browser] is None and self.works(link):
            link.account.set_password(password)
            link.account.confirmed = True
            self.model.browsers[browser] = link.account if link.account.is_able else None

    @deed(browser=a_browser, which=one_of_them, address=an_address, knows=mostly, guess=a_password)
    def log_in(self, browser: str, which: int, address: str, knows: bool, guess: str) -> None:
        address = self.account(which).address if knows else address
        account = self.model.at(address)
        typed = self.typed(account, knows, guess)
        got_in = self.site.try_to_log_in(address, typed, browser)
        if self.model.browsers[browser] is None:
            may = account is not None and account.is_able and account.fits(typed)
            assert got_in is may, "the login form"
            self.model.browsers[browser] = account if may else None
            self.done["logged in" if may else "kept out"] += 1

    @deed(browser=a_browser)
    def log_out(self, browser: str) -> None:
        self.site.post("/account/logout", browser=browser)
        self.model.browsers[browser] = None

    @deed(browser=a_browser)
    def end_other_sessions(self, browser: str) -> None:
        self.site.post("/account/sessions/end-others", browser=browser)
        owner = self.model.browsers[browser]
        if owner is not None:
            self.model.end_sessions(owner, but=browser)

    @deed(which=one_of_them, knows=mostly, address=an_address)
    def ask_for_reset(self, which: int, knows: bool, address: str) -> None:
        address = self.account(which).address if knows else address
        self.site.post("/account/reset-password", {"email": address})

    @deed("reset", which=one_of_them, works=mostly, password=a_password)
    def reset(self, which: int, works: bool, password: str) -> None:
        link = self.link("reset", which, works)
        self.site.choose_password(link.path, password)
        if self.works(link):
            link.account.set_password(password)
            link.account.confirmed = True
            self.model.end_sessions(link.account)

    @deed(browser=a_browser, knows=mostly, guess=a_password, password=a_password)
    def change_password(self, browser: str, knows: bool, guess: str, password: str) -> None:
        browser = self.logged_in(browser, knows)
        owner = self.model.browsers[browser]
        typed = self.typed(owner, knows, guess)
        form = {"old_password": typed, "new_password": password, "new_password2": password}
        self.site.post("/account/manage/change-password", form, browser)
        if owner is not None and owner.fits(typed):
            owner.set_password(password)
            self.model.end_sessions(owner, but=browser)
            self.done["changed the password"] += 1

    @deed(browser=a_browser, knows=mostly, guess=a_password, address=an_address)
    def ask_to_move(self, browser: str, knows: bool, guess: str, address: str) -> None:
        browser = self.logged_in(browser, knows)
        typed = self.typed(self.model.browsers[browser], knows, guess)
        self.site.post("/account/manage/change-email", {"email": address, "password": typed}, browser)

    @deed("change_email", which=one_of_them, works=mostly, browser=a_browser)
    def move(self, which: int, works: bool, browser: str) -> None:
        link = self.link("change_email", which, works)
        own = [name for name, owner in self.model.browsers.items() if owner is link.account]
        browser = own[0] if works and own else browser
        self.site.post(link.path, browser=browser)
        if self.model.browsers[browser] is link.account and self.works(link):
            link.account.move(link.recipient)
            self.done["moved twice"] += len(link.account.held) > 2

    @deed("not_me", which=one_of_them, works=mostly)
    def take_back(self, which: int, works: bool) -> None:
        link = self.link("not_me", which, works)
        self.site.post(link.path)
        if self.works(link):
            account, held = link.account, link.account.held_at(link.recipient)
            self.done["took back from younger addresses"] += held is not account.held[-1]
            account.take_back(held)
            self.model.end_sessions(account)

    @deed(browser=a_browser, knows=mostly, guess=a_password)
    def leave(self, browser: str, knows: bool, guess: str) -> None:
        browser = self.logged_in(browser, knows)
        owner = self.model.browsers[browser]
        typed = self.typed(owner, knows, guess)
        self.site.post("/account/manage/delete", {"password": typed}, browser)
        if owner is not None and owner.fits(typed):
            stays = owner.admin and not self.model.others_able_to_administer(owner)
            self.done["stayed as the last administrator" if stays else "left"] += 1
            if not stays:
                self.model.delete(owner)

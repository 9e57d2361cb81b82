"""Flask-Login, reduced to what a server-side session needs."""

from flask import Response
from flask_login import LoginManager


class SessionLoginManager(LoginManager):
    """Knows a user by the session cookie alone.

    Flask-Login also looks for a remember cookie. We never set one, so whoever sends it made it up;
    and one with a character outside ASCII makes its comparison raise, on every page.
    """

    def _load_user_from_remember_cookie(self, _cookie: str) -> None:
        return None

    def _update_remember_cookie(self, response: Response) -> Response:
        # Runs after every request, and would open the session of each.
        return response

    def _session_protection_failed(self) -> bool:
        # Its hash of address and browser is made even where it is switched off; our session's row replaces it.
        return False

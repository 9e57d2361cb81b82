"""Check a password against a published list of stolen ones, without sending the password.

Off unless PASSWORD_BREACH_CHECK is set. The service (Have I Been Pwned, range API) receives the first five of the
forty hexadecimal digits of a SHA-1 and returns all endings that follow them. Padding hides the size of the
response from anybody who watches the connection.
"""

import hashlib
import http.client
import logging

SERVICE_HOST = "api.pwnedpasswords.com"
TIMEOUT_SECONDS = 1.0
MAX_RESPONSE_BYTES = 256 * 1024

log = logging.getLogger(__name__)


def is_breached(password: str, connection: http.client.HTTPConnection | None = None) -> bool:
    """Return whether the password is in the list of stolen ones.

    Return False when the service is slow or unavailable: signing up must not depend on a third-party server.
    ``connection`` replaces the service, for tests and for mirrors inside a company.
    """
    digest = hashlib.sha1(password.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest().upper()
    connection = connection or http.client.HTTPSConnection(SERVICE_HOST, timeout=TIMEOUT_SECONDS)
    try:
        endings = _endings_after(digest[:5], connection)
    except (OSError, http.client.HTTPException, ValueError) as error:
        log.warning("The breach check did not answer: %s", type(error).__name__)
        return False
    finally:
        connection.close()
    return endings.get(digest[5:], 0) > 0  # a padding row has the count 0


def _endings_after(prefix: str, connection: http.client.HTTPConnection) -> dict[str, int]:
    connection.request("GET", f"/range/{prefix}", headers={"Add-Padding": "true"})
    response = connection.getresponse()
    if response.status != http.HTTPStatus.OK:
        raise http.client.HTTPException(f"status {response.status}")
    lines = response.read(MAX_RESPONSE_BYTES).decode("ascii").split()
    rows = (line.partition(":") for line in lines)
    return {ending: int(count) for ending, _, count in rows}

"""The error pages, none of which needs the database."""

from dataclasses import dataclass

from flask import Flask, Response, current_app, make_response, request
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, SecurityError, TooManyRequests

from app.impersonation import ImpersonationRefusal
from app.kit.auth.passwords import TooManyHashesError
from app.kit.core.request_log import current_request_id
from app.kit.forms.form import drawn_again
from app.kit.http.redirects import local_referrer
from app.kit.pages.moments import in_words


@dataclass(frozen=True)
class ErrorPage:
    """The title and the text of one kind of error."""

    title: str
    text: str


PAGES = {
    400: ErrorPage(
        "That request made no sense",
        "Something in the address or in what was sent cannot be right. Go back and try again.",
    ),
    401: ErrorPage("Log in first", "This page is for people who are logged in."),
    403: ErrorPage(
        "Not for this account", "Your account is not allowed to do this. If you need it, ask an administrator."
    ),
    404: ErrorPage("Page not found", "It was moved or deleted, or there is a typing mistake in the address."),
    405: ErrorPage(
        "That cannot be opened like this",
        "This address is only for buttons and forms, and cannot be visited. Go back and use those.",
    ),
    409: ErrorPage(
        "Somebody was faster",
        "What you were working on was changed or deleted at this very moment. Go back, reload the page and look "
        "before you try again.",
    ),
    413: ErrorPage("That was too large", "What you sent is larger than this site accepts. Choose something smaller."),
    415: ErrorPage("That format is not accepted", "This address accepts only what a form sends."),
    429: ErrorPage("Too many attempts", "There is a limit on how often this can be done."),
    500: ErrorPage("Something broke on our side", "It was recorded and is not your fault. Trying again may help."),
    503: ErrorPage("Busy right now", "There is more to do than can be done at once. Try again in a few seconds."),
}
CSRF_PAGE = ErrorPage(
    "This form has expired",
    "To protect you, a form is only accepted from a page that we gave to you in this browser. That page may "
    "have stood open for very long, you may have logged in or out since, or your browser blocks cookies. "
    "Go back, reload the page, and send the form again.",
)
IMPERSONATION_PAGE = ErrorPage(
    "You can only look",
    "You are seeing the site as somebody else. To change anything, or to open the pages of their account, "
    "go back to your own account first.",
)
# An attacker may send a host name that fills the terminal.
SHOWN_HOST_CHARACTERS = 80
BUSY_RETRY_SECONDS = 2


def init_app(app: Flask) -> None:
    """Register the error handlers."""
    app.register_error_handler(CSRFError, _csrf_error)
    app.register_error_handler(ImpersonationRefusal, _impersonation_refusal)
    app.register_error_handler(TooManyHashesError, _too_many_hashes)
    app.register_error_handler(TooManyRequests, _too_many_requests)
    app.register_error_handler(HTTPException, _http_error)


def _csrf_error(error: CSRFError) -> Response:
    current_app.logger.warning("csrf check failed: %s", error.description)
    return _page(400, CSRF_PAGE, back_url=local_referrer(request.path))


def _impersonation_refusal(_error: ImpersonationRefusal) -> Response:
    return _page(403, IMPERSONATION_PAGE, back_url=local_referrer(""))


def _too_many_hashes(_error: TooManyHashesError) -> Response:
    response = _page(503, PAGES[503])
    response.headers["Retry-After"] = str(BUSY_RETRY_SECONDS)
    return response


def _too_many_requests(error: TooManyRequests) -> Response:
    seconds = error.retry_after if isinstance(error.retry_after, int) else 1
    when = f"Try again in {in_words(seconds, round_up=True)}."
    response = drawn_again(f"Too many attempts. {when}")
    if response is None:
        page = PAGES[429]
        has_page = request.url_rule is not None and "GET" in (request.url_rule.methods or ())
        back_url = local_referrer(request.path if has_page else "")
        response = _page(429, ErrorPage(page.title, f"{page.text} {when}"), back_url)
    response.status_code = 429
    response.headers["Retry-After"] = str(seconds)
    return response


def _http_error(error: HTTPException) -> Response | HTTPException:
    if error.response is not None or error.code is None or error.code < 400:
        return error
    if isinstance(error, SecurityError):
        return _foreign_host()
    response = _page(error.code, PAGES.get(error.code) or ErrorPage(error.name, error.description or ""))
    # Headers of the error itself: Allow of a 405, Retry-After of a 429.
    for name, value in error.get_headers():
        if name not in {"Content-Type", "Content-Length"}:
            response.headers[name] = value
    return response


def _foreign_host() -> Response:
    # Plain text: a page is full of URLs, and Flask cannot build any for an untrusted host.
    host = ascii(request.headers.get("Host", ""))[:SHOWN_HOST_CHARACTERS]
    cure = (
        "If it should, add that name to TRUSTED_HOSTS. If a proxy is in front, let it pass on the Host that the "
        "browser sent (nginx: proxy_set_header Host $host)."
    )
    current_app.logger.warning("host refused", extra={"fields": {"host": host, "cure": cure}})
    text = f"This site does not answer to the host {host}. {cure}\n"
    return Response(text, 400, content_type="text/plain; charset=utf-8")


def _page(status: int, page: ErrorPage, back_url: str = "") -> Response:
    # Not render_template: it loads the current user, and the database may be what failed.
    template = current_app.jinja_env.get_template("errors/error.html")
    html = template.render(status=status, page=page, back_url=back_url, request_id=current_request_id())
    response = make_response(html, status)
    response.headers["Cache-Control"] = "no-store"
    return response

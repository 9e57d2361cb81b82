"""The checks of `manage.py doctor` that ask other machines."""

import smtplib
import socket
import ssl
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

from flask import current_app

from app import outside_view
from app.extensions import mail
from app.kit.auth.provider_settings import Attempt, ProviderError
from app.kit.core.counting import how_many
from app.kit.core.finding import FAILURE, OK, WARNING, Finding
from app.kit.mail.message import build_message

CERTIFICATE_DAYS = 14
CONNECT_SECONDS = 15


def base_url() -> Iterator[Finding]:
    """Check that BASE_URL shows this site, and that PROXY_COUNT is right."""
    address = current_app.config["BASE_URL"]
    try:
        view = outside_view.ask_site()
    except outside_view.NoAnswerError as error:
        yield Finding(FAILURE, "base URL", f"{address}: {error}", error.cure)
        return
    yield Finding(OK, "base URL", f"{address} shows this site")
    cure = f"Set PROXY_COUNT={view.proxies}, and start the site again."
    if view.address == outside_view.CLAIMED_ADDRESS:
        yield Finding(FAILURE, "proxies", "visitors can choose their address: PROXY_COUNT is too large", cure)
    elif view.proxies is None:
        how = "Let it append to that header (nginx: proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for)."
        yield Finding(FAILURE, "proxies", "a proxy deletes X-Forwarded-For", how)
    elif view.proxies != view.proxy_count:
        what = f"PROXY_COUNT is {view.proxy_count}, and a request passes {view.proxies}: visitors share an address"
        yield Finding(FAILURE, "proxies", what, cure)
    else:
        yield Finding(OK, "proxies", f"{view.proxies}, as PROXY_COUNT says")


def certificate() -> Iterator[Finding]:
    """Check that cookies fit BASE_URL, and its certificate."""
    parts = urlsplit(current_app.config["BASE_URL"])
    is_https = parts.scheme == "https"
    if is_https == current_app.config["SSL_DISABLE"]:
        cure = "Remove SSL_DISABLE." if is_https else "Begin BASE_URL with https, or set SSL_DISABLE=true for a test."
        yield Finding(FAILURE, "cookies", f"BASE_URL is {parts.scheme}, and cookies are made for the other", cure)
    else:
        yield Finding(OK, "cookies", "Secure, with __Host- names" if is_https else "for plain http")
    if not is_https:
        return
    address = (parts.hostname or "", parts.port or 443)
    context = ssl.create_default_context()
    try:
        with (
            socket.create_connection(address, CONNECT_SECONDS) as raw,
            context.wrap_socket(raw, server_hostname=address[0]) as tls,
        ):
            presented = tls.getpeercert() or {}
    except ssl.SSLError as error:
        cure = "Renew it, or let the web server send its whole chain."
        yield Finding(FAILURE, "certificate", f"refused ({error.reason})", cure)
        return
    days = int((ssl.cert_time_to_seconds(str(presented["notAfter"])) - time.time()) / 86400)
    level = OK if days >= CERTIFICATE_DAYS else WARNING
    yield Finding(
        level, "certificate", f"valid for {how_many(days, 'day')}", "" if level == OK else "Is its renewal running?"
    )


def providers() -> Iterator[Finding]:
    """Check that the providers with which users log in call themselves what the settings say."""
    for provider in current_app.config["PROVIDERS"].values():
        # Imported here: 18 MiB, which only a site with a provider needs.
        from app.kit.auth.openid import authorization_url

        try:
            address = authorization_url(provider, Attempt("https://example.com", state="-", nonce="-", verifier="-"))
        except ProviderError as error:
            cure = f"Open {provider.issuer}/.well-known/openid-configuration: is its issuer the one of the settings?"
            yield Finding(FAILURE, "sign-in", f"{provider.label}: {error}", cure)
        else:
            yield Finding(OK, "sign-in", f"{provider.label} is at {urlsplit(address).hostname}")


def mail_server(send_to: str) -> Iterator[Finding]:
    """Check that the mail server takes emails; send one to ``send_to`` unless it is empty."""
    settings = current_app.config
    if settings["MAILBOX_DIR"]:
        yield Finding(OK, "mail server", "none: emails go to /dev/mailbox")
        return
    where = f"{settings['MAIL_SERVER']}:{settings['MAIL_PORT']}"
    test = build_message(
        sender=settings["EMAIL_SENDER"],
        recipient=send_to or "nobody@example.com",
        subject=f"{settings['EMAIL_SUBJECT_PREFIX']} A test",
        text="Emails of this site arrive.",
        html="<p>Emails of this site arrive.</p>",
        message_id=f"<doctor-{time.time_ns()}@{urlsplit(settings['BASE_URL']).hostname}>",
    )
    try:
        host = mail.connect().configure_host(time.monotonic() + CONNECT_SECONDS)
        with host:
            host.ehlo_or_helo_if_needed()
            code, answer = host.mail(test.sender) if not send_to else (250, b"")
            if send_to:
                host.sendmail(test.sender, [test.recipient], test.content)
    except (smtplib.SMTPException, OSError) as error:
        yield Finding(FAILURE, "mail server", f"{where}: {_said(error)}", _cure_of_mail(error))
        return
    if code >= 400:
        what = f"{where} refuses the sender {test.sender} ({code} {answer.decode(errors='replace')[:100]})"
        yield Finding(FAILURE, "mail server", what, "Set MAIL_DEFAULT_SENDER to an address that it may send for.")
    else:
        yield Finding(OK, "mail server", f"{where} took an email for {send_to}" if send_to else f"{where} takes emails")


def _said(error: Exception) -> str:
    code = getattr(error, "smtp_code", "")
    return f"{type(error).__name__} {code}".strip()


def _cure_of_mail(error: Exception) -> str:
    match error:
        case smtplib.SMTPAuthenticationError():
            return "Set MAIL_USERNAME and MAIL_PASSWORD as the server knows them."
        case smtplib.SMTPNotSupportedError():
            return "It offers no encryption or login here: try MAIL_PORT=587, or 465 with MAIL_USE_SSL=true."
        case ssl.SSLError():
            return "Set MAIL_SERVER to the name in its certificate; for port 465 set MAIL_USE_SSL=true."
        case smtplib.SMTPRecipientsRefused() | smtplib.SMTPSenderRefused():
            return "It refused the address: set MAIL_DEFAULT_SENDER to one that it may send for."
    return "Compare MAIL_SERVER and MAIL_PORT; a firewall may block the port (many block 25)."

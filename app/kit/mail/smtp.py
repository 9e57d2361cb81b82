"""Sending by SMTP: verified TLS, a deadline that even a dripping server cannot stretch, one
connection for many messages, and an answer to "what went wrong, and is it worth another try?".
"""

import io
import smtplib
import socket
import ssl
import time
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import flask_mail
from flask import current_app

from app.kit.mail.message import Message

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

# For who uses Flask-Mail directly; the outbox gives each message its own limit.
CONNECT_SECONDS = 60
HARD_ERROR = 500
SERVICE_CLOSING = 421
TOO_BIG = 552
# The server wants other credentials, or encryption first: our settings are wrong, not the message.
SETTINGS_CODES = {530, 534, 535, 538}


class Failure(StrEnum):
    """How a failed try is to be treated."""

    TEMPORARY = "temporary"  # this message, later
    SERVER = "server"  # the server is away: later, and nothing else is tried on it now
    SETTINGS = "settings"  # like SERVER, and someone has to mend our settings: said loudly
    PERMANENT = "permanent"  # never again


class _DeadlineReader(socket.SocketIO):
    """Reads from a socket, but not past a deadline.

    A socket's own timeout starts anew with every byte, so a server that sends one byte at a time
    would hold a message beyond its lease, and another worker would send it a second time.
    """

    def __init__(self, connection: "_Conversation", sock: socket.socket) -> None:
        super().__init__(sock, "r")  # type: ignore[arg-type]
        self._connection = connection

    def readinto(self, buffer: "WriteableBuffer") -> int | None:
        self._connection.limit_next_step()
        return super().readinto(buffer)


class _Conversation(smtplib.SMTP):
    """An SMTP client whose every step ends by ``deadline`` (``time.monotonic()`` seconds)."""

    def __init__(self, server: str, port: int, deadline: float, **options: Any) -> None:
        # Before anything else: the parent's constructor already talks to the server.
        self.deadline = deadline
        self.reached_data = False
        try:
            super().__init__(server, port, **options)
        except BaseException:
            self.close()
            raise

    def limit_next_step(self) -> None:
        """Give the next network call what is left of the time, at most the timeout of one step."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the mail server was too slow")
        if self.sock is not None:
            self.sock.settimeout(min(self.timeout, left))

    def send(self, s: "ReadableBuffer | str") -> None:
        self.limit_next_step()
        super().send(s)

    def getreply(self) -> tuple[int, bytes]:
        if self.file is None and self.sock is not None:
            self.file = io.BufferedReader(_DeadlineReader(self, self.sock))
        return super().getreply()

    def data(self, msg: "ReadableBuffer | str") -> tuple[int, bytes]:
        self.reached_data = True
        return super().data(msg)


class _EncryptedConversation(_Conversation, smtplib.SMTP_SSL):
    """The same, encrypted from the first byte (port 465)."""


class Connection(flask_mail.Connection):
    """Flask-Mail's connection, with the checks and limits that it lacks."""

    def configure_host(self, deadline: float | None = None) -> Any:
        """Connect, encrypt, check the certificate, log in, all by ``deadline`` (monotonic seconds).

        Flask-Mail's own way waits for ever, and accepts any certificate after STARTTLS.
        """
        settings = current_app.config
        context = tls_context()
        options: dict[str, Any] = {"timeout": settings["MAIL_TIMEOUT"]}
        make: type[_Conversation] = _Conversation
        if settings["MAIL_USE_SSL"]:
            make, options = _EncryptedConversation, {**options, "context": context}
        ends_at = time.monotonic() + CONNECT_SECONDS if deadline is None else deadline
        host = make(settings["MAIL_SERVER"], settings["MAIL_PORT"], ends_at, **options)
        try:
            if settings["MAIL_USE_TLS"] and not settings["MAIL_USE_SSL"]:
                host.starttls(context=context)
            if settings["MAIL_USERNAME"] and settings["MAIL_PASSWORD"]:
                host.login(settings["MAIL_USERNAME"], settings["MAIL_PASSWORD"])
        except BaseException:
            host.close()
            raise
        return host


class Mail(flask_mail.Mail):
    """Flask-Mail that opens verified connections."""

    def connect(self) -> Connection:
        """Return a connection, not yet open."""
        return Connection(current_app.extensions["mail"])


def tls_context() -> ssl.SSLContext:
    """Return rules for TLS that check the server's certificate and name."""
    return ssl.create_default_context()


class SmtpTransport:
    """Carries messages over one connection, which is opened at the first and kept for the next."""

    def __init__(self) -> None:
        self._host: _Conversation | None = None

    def send(self, message: Message, *, deadline: float, name: str) -> None:
        """Hand one message over by ``deadline`` (monotonic seconds), or raise what went wrong.

        ``name`` is only for transports that keep messages. A server may close a connection that
        it has served well, at any moment before the message itself: then a new one is opened.
        """
        reused = self._host is not None
        try:
            self._send(message, deadline)
        except (smtplib.SMTPException, OSError) as error:
            may_retry = reused and self._host is not None and not self._host.reached_data and was_closed(error)
            if not may_retry:
                self._drop_unless_usable(error)
                raise
            self._drop()
            self._send_or_drop(message, deadline)

    def _send(self, message: Message, deadline: float) -> None:
        if self._host is None:
            self._host = Connection(current_app.extensions["mail"]).configure_host(deadline)
        self._host.deadline = deadline
        self._host.reached_data = False
        self._host.sendmail(message.sender, [message.recipient], message.content)

    def _send_or_drop(self, message: Message, deadline: float) -> None:
        try:
            self._send(message, deadline)
        except (smtplib.SMTPException, OSError) as error:
            self._drop_unless_usable(error)
            raise

    def _drop_unless_usable(self, error: Exception) -> None:
        if classify(error) in (Failure.SERVER, Failure.SETTINGS):
            self._drop()

    def _drop(self) -> None:
        host, self._host = self._host, None
        if host is not None:
            host.close()

    def close(self) -> None:
        """Say goodbye, without minding whether anyone hears it."""
        host, self._host = self._host, None
        if host is None:
            return
        try:
            host.deadline = time.monotonic() + 1
            host.quit()
        except (smtplib.SMTPException, OSError):
            host.close()


def was_closed(error: Exception) -> bool:
    """Return whether the server ended the connection, politely (421) or not."""
    code = getattr(error, "smtp_code", None)
    return isinstance(error, smtplib.SMTPServerDisconnected | ConnectionError) or code == SERVICE_CLOSING


def classify(error: Exception) -> Failure:
    """Tell how to treat a failed try, from what smtplib, ssl or the network raised."""
    match error:
        case smtplib.SMTPAuthenticationError() | smtplib.SMTPNotSupportedError() | ssl.SSLError():
            return Failure.SETTINGS
        case smtplib.SMTPRecipientsRefused(recipients=refused):
            return _by_code(next(iter(refused.values()))[0], hard=Failure.PERMANENT)
        case smtplib.SMTPDataError(smtp_code=code):
            return Failure.PERMANENT if code >= HARD_ERROR else _by_code(code, hard=Failure.PERMANENT)
        case smtplib.SMTPSenderRefused(smtp_code=code):
            return Failure.PERMANENT if code == TOO_BIG else _by_code(code, hard=Failure.SETTINGS)
        case smtplib.SMTPResponseException(smtp_code=code):
            return Failure.SETTINGS if code >= HARD_ERROR else Failure.SERVER
        case smtplib.SMTPException() | OSError():
            return Failure.SERVER
    return Failure.PERMANENT


def _by_code(code: int, *, hard: Failure) -> Failure:
    if code in SETTINGS_CODES:
        return Failure.SETTINGS
    if code >= HARD_ERROR:
        return hard
    return Failure.SERVER if code == SERVICE_CLOSING else Failure.TEMPORARY

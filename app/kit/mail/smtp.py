"""Send by SMTP, with verified TLS, one connection for many messages, and a deadline for each.

The deadline also holds for a server that sends one byte at a time. :func:`classify` returns whether a failed try
is worth a retry.
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

# For code that uses Flask-Mail directly; the outbox gives each message a deadline of its own.
CONNECT_SECONDS = 60
HARD_ERROR = 500
SERVICE_CLOSING = 421
TOO_BIG = 552
# The server wants other credentials, or encryption first: the settings are wrong, not the message.
SETTINGS_CODES = {530, 534, 535, 538}


class Failure(StrEnum):
    """How to treat a failed try."""

    TEMPORARY = "temporary"  # retry this message later
    SERVER = "server"  # the server is unavailable: retry later, and try nothing else on it now
    SETTINGS = "settings"  # like SERVER, and logged as an error: somebody has to fix the settings
    PERMANENT = "permanent"  # never retry


class _DeadlineReader(socket.SocketIO):
    """Reads from a socket until a deadline.

    A socket's own timeout starts again with every byte. A server that sends one byte at a time would delay a
    message beyond its lease, and another worker would send it a second time.
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
        # First, because the parent's constructor already talks to the server.
        self.deadline = deadline
        self.reached_data = False
        try:
            super().__init__(server, port, **options)
        except BaseException:
            self.close()
            raise

    def limit_next_step(self) -> None:
        """Limit the next network call to the time left, at most one step's. Raises TimeoutError when none is left."""
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
    """An SMTP client that is encrypted from the first byte (port 465)."""


class Connection(flask_mail.Connection):
    """Flask-Mail's connection, with the checks and limits that it lacks."""

    def configure_host(self, deadline: float | None = None) -> Any:
        """Connect, encrypt, verify the certificate and log in, all by ``deadline`` (``time.monotonic()`` seconds).

        Flask-Mail itself waits without a limit, and accepts any certificate after STARTTLS.
        """
        settings = current_app.config
        options: dict[str, Any] = {"timeout": settings["MAIL_TIMEOUT"]}
        make: type[_Conversation] = _Conversation
        if settings["MAIL_USE_SSL"]:
            make, options["context"] = _EncryptedConversation, ssl.create_default_context()
        ends_at = time.monotonic() + CONNECT_SECONDS if deadline is None else deadline
        host = make(settings["MAIL_SERVER"], settings["MAIL_PORT"], ends_at, **options)
        try:
            if settings["MAIL_USE_TLS"] and not settings["MAIL_USE_SSL"]:
                host.starttls(context=ssl.create_default_context())
            if settings["MAIL_USERNAME"] and settings["MAIL_PASSWORD"]:
                host.login(settings["MAIL_USERNAME"], settings["MAIL_PASSWORD"])
        except BaseException:
            host.close()
            raise
        return host


class Mail(flask_mail.Mail):
    """Flask-Mail with verified connections."""

    def connect(self) -> Connection:
        """Return a connection that is not yet open."""
        return Connection(current_app.extensions["mail"])


class SmtpTransport:
    """Sends messages over one connection, which is opened for the first and reused."""

    def __init__(self) -> None:
        self._host: _Conversation | None = None

    def send(self, message: Message, *, deadline: float, name: str) -> None:
        """Send one message by ``deadline`` (``time.monotonic()`` seconds), or raise what went wrong.

        ``name`` is only for transports that store messages. A server may close a reused connection at any time; if
        it does so before the message itself was sent, this opens a new one and tries again.
        """
        reused = self._host is not None
        try:
            self._send(message, deadline)
        except (smtplib.SMTPException, OSError) as error:
            may_retry = reused and self._host is not None and not self._host.reached_data and was_closed(error)
            if may_retry or classify(error) in (Failure.SERVER, Failure.SETTINGS):
                self._drop()
            if not may_retry:
                raise
            self.send(message, deadline=deadline, name=name)  # by a new connection, so at most once more

    def _send(self, message: Message, deadline: float) -> None:
        host = self._host
        if host is None:
            host = self._host = Connection(current_app.extensions["mail"]).configure_host(deadline)
        host.deadline = deadline
        host.reached_data = False
        host.sendmail(message.sender, [message.recipient], message.content)

    def _drop(self) -> None:
        host, self._host = self._host, None
        if host is not None:
            host.close()

    def close(self) -> None:
        """Send QUIT and close the connection; ignore errors."""
        host, self._host = self._host, None
        if host is None:
            return
        try:
            host.deadline = time.monotonic() + 1
            host.quit()
        except (smtplib.SMTPException, OSError):
            host.close()


def was_closed(error: Exception) -> bool:
    """Return whether the server closed the connection, with a response (421) or without."""
    code = getattr(error, "smtp_code", None)
    return isinstance(error, smtplib.SMTPServerDisconnected | ConnectionError) or code == SERVICE_CLOSING


def classify(error: Exception) -> Failure:
    """Return how to treat a failed try, from what smtplib, ssl or the network raised."""
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

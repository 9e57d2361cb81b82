"""A real SMTP server that keeps the messages it receives, and replies as a test wants."""

from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.servers.redis import free_port

ACCEPT = "250 OK"


class MailSink:
    """The received ``messages``, and the replies to RCPT and DATA."""

    def __init__(self) -> None:
        self.port = 0
        self.clear()

    def clear(self) -> None:
        """Delete all messages and accept every one from now on."""
        self.messages: list[EmailMessage] = []
        self.recipient_answer = ACCEPT
        self.data_answer = ACCEPT
        self.connections = 0

    async def handle_EHLO(  # noqa: N802 — aiosmtpd looks for this name
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        self.connections += 1
        session.host_name = hostname
        return responses

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.recipient_answer == ACCEPT:
            envelope.rcpt_tos.append(address)
        return self.recipient_answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.data_answer == ACCEPT:
            message = message_from_bytes(envelope.content or b"", policy=policy.default)
            assert isinstance(message, EmailMessage)
            self.messages.append(message)
        return self.data_answer


@contextmanager
def start_mail_sink() -> Iterator[MailSink]:
    """Run the server on a free port of this machine; yield the sink."""
    sink = MailSink()
    controller = Controller(sink, hostname="127.0.0.1", port=free_port())
    controller.start()
    assert controller.server is not None
    sink.port = controller.server.sockets[0].getsockname()[1]
    try:
        yield sink
    finally:
        controller.stop()

"""An SMTP server with faults that a test chooses."""

import asyncio
import ssl
from collections import Counter
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult

from tests.servers.redis import free_port


class SmtpServer:
    """An SMTP server that keeps what it accepts, and replies as ``behavior`` says.

    ``behavior`` maps a moment (connect, mail, rcpt, data, after_data) to a fault: a reply such as "451 later",
    "stall", "drip" or "close". It may be changed at any time.
    """

    def __init__(self, port: int = 0, *, tls: ssl.SSLContext | None = None, credentials: Any = None) -> None:
        self.port = port or free_port()
        self.behavior: dict[str, str] = {}
        self.accepted: list[bytes] = []
        self.connections = 0
        self.reached: Counter[str] = Counter()
        self.protocols: list[Any] = []
        self.stall_seconds = 30.0
        self._options: dict[str, Any] = {"tls_context": tls, "require_starttls": tls is not None} if tls else {}
        if credentials:
            self._options |= {"authenticator": _authenticator(credentials), "auth_require_tls": tls is not None}
        self._controller: Controller | None = None

    def start(self) -> "SmtpServer":
        """Listen on the port."""
        self._controller = _Controller(self, hostname="127.0.0.1", port=self.port, **self._options)
        self._controller.start()
        return self

    def stop(self) -> None:
        """Refuse connections from now on."""
        if self._controller is not None:
            asyncio.run_coroutine_threadsafe(self._hang_up(), self._controller.loop).result(5)
            self._controller.stop()
            self._controller = None

    async def _hang_up(self) -> None:
        for protocol in self.protocols:
            if protocol.transport is not None:
                protocol.transport.abort()
            if protocol._handler_coroutine is not None:
                protocol._handler_coroutine.cancel()
        self.protocols.clear()
        await asyncio.sleep(0.01)

    @property
    def messages(self) -> list[EmailMessage]:
        """Return every accepted message, parsed, in the order of arrival."""
        return [message_from_bytes(raw, policy=policy.default) for raw in list(self.accepted)]  # type: ignore[misc]

    def count_by_recipient(self) -> Counter[str]:
        """Return how many messages each email address has received."""
        return Counter(str(message["To"]) for message in self.messages)


class _Controller(Controller):
    def __init__(self, server: SmtpServer, **options: Any) -> None:
        self._server = server
        super().__init__(_Handler(server), **options)

    def factory(self) -> SMTP:
        self._server.connections += 1
        protocol = _Protocol(self.handler, server=self._server, **self.SMTP_kwargs)
        self._server.protocols.append(protocol)
        return protocol


class _Protocol(SMTP):
    """aiosmtpd's conversation, with faults."""

    def __init__(self, handler: Any, *, server: SmtpServer, **options: Any) -> None:
        self._faulty, self._greeted = server, False
        super().__init__(handler, **options)

    async def push(self, status: Any) -> None:
        if not self._greeted:
            self._greeted = True
            status = await _misbehave(self._faulty, "connect", self) or status
        await super().push(status)


class _Handler:
    def __init__(self, server: SmtpServer) -> None:
        self._server = server

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's name
        self, protocol: SMTP, _session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        answer = await _misbehave(self._server, "mail", protocol)
        if answer is None:
            envelope.mail_from = address
            envelope.mail_options.extend(options)
        return answer or "250 OK"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, protocol: SMTP, _session: Any, envelope: Any, address: str, _options: list[str]
    ) -> str:
        answer = await _misbehave(self._server, "rcpt", protocol)
        if answer is None:
            envelope.rcpt_tos.append(address)
        return answer or "250 OK"

    async def handle_DATA(self, protocol: SMTP, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        answer = await _misbehave(self._server, "data", protocol)
        if answer is not None:
            return answer
        self._server.accepted.append(envelope.content)
        return await _misbehave(self._server, "after_data", protocol) or "250 OK"


async def _misbehave(server: SmtpServer, moment: str, protocol: SMTP) -> str | None:
    """Cause the fault for this moment; return the reply, None to continue as usual."""
    server.reached[moment] += 1
    order = server.behavior.get(moment)
    if order == "stall":
        await asyncio.sleep(server.stall_seconds)
        return "451 that took long"
    if order == "drip":
        for letter in "250-" + "x" * 400:
            protocol._writer.write(letter.encode())
            await asyncio.sleep(0.2)
        return "250 OK"
    if order == "close":
        protocol.transport.close()
        return "421 closing"
    return order


def _authenticator(credentials: tuple[str, str]) -> Any:
    def authenticate(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        given = (data.login.decode(), data.password.decode())
        return AuthResult(success=given == credentials, handled=False)

    return authenticate

"""What a visit of a page transfers over the network."""

from dataclasses import dataclass, field
from typing import Any

from tests.browser.visitor import Visitor


@dataclass
class Wire:
    """Requests that reached the server, and the bytes of their responses, including headers."""

    sizes: dict[str, int] = field(default_factory=dict)
    _urls: dict[str, str] = field(default_factory=dict, repr=False)
    _cached: set[str] = field(default_factory=set, repr=False)

    @property
    def requests(self) -> int:
        return len(self.sizes)

    @property
    def bytes(self) -> int:
        return sum(self.sizes.values())

    @classmethod
    def of_visit(cls, visitor: Visitor, path: str) -> "Wire":
        """Open a page and return what Chromium's network log says about it."""
        wire = cls()
        log = visitor.context.new_cdp_session(visitor.page)
        log.on("Network.requestWillBeSent", wire._note_request)
        log.on("Network.requestServedFromCache", lambda event: wire._cached.add(event["requestId"]))
        log.on("Network.responseReceived", wire._note_response)
        log.on("Network.loadingFinished", wire._note_end)
        log.send("Network.enable")
        visitor.page.goto(visitor.address + path, wait_until="networkidle")
        log.detach()
        return wire

    def _note_request(self, event: dict[str, Any]) -> None:
        self._urls[event["requestId"]] = event["request"]["url"]

    def _note_response(self, event: dict[str, Any]) -> None:
        if event["response"].get("fromDiskCache"):
            self._cached.add(event["requestId"])

    def _note_end(self, event: dict[str, Any]) -> None:
        request = event["requestId"]
        if request in self._urls and request not in self._cached:
            self.sizes[self._urls[request]] = int(event["encodedDataLength"])

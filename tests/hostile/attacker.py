"""Sends hostile requests as several people to each address of an application, and keeps what failed."""

import itertools
import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote_from_bytes

from flask import Flask, got_request_exception
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from tests.hostile.asked_names import noticed_names
from tests.hostile.values import FORM
from tests.html_forms import HtmlForm, forms_on

VARIABLE = re.compile(r"<[^>]+>")
# A page takes milliseconds. In processor time, since other tests run beside this one.
TOO_LONG_SECONDS = 1.5
HANGS_SECONDS = 60
ROUNDS = 4
PLAUSIBLE = {
    "email": "ada@example.net",
    "number": "1",
    "url": "https://example.net",
    "date": "2026-01-01",
    "checkbox": "y",
}


def _nothing() -> None:
    pass


@dataclass
class World:
    """What a site holds: the Cookie header of each person, and what its addresses may name."""

    cookies: dict[str, str]
    numbers: list[int] = field(default_factory=lambda: [1])
    texts: list[str] = field(default_factory=list)
    put_back: Callable[[], None] = _nothing  # what the last request changed


@dataclass(frozen=True)
class Target:
    """A route with a method as one person, and what its address names."""

    person: str
    method: str
    rule: Rule
    named: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.method} {self.rule.rule} as {self.person}"

    def address(self, hostile: str | None = None, position: int = 0) -> str:
        """Return the target's path, with ``hostile`` in the place of its variable number ``position``."""
        texts = list(self.named)
        if hostile is not None:
            texts[position] = hostile
        rest = iter(texts)
        return VARIABLE.sub(lambda _match: next(rest), self.rule.rule)


class Attacker:
    """Keeps in ``failed`` each request that was an error of the server, or took too long."""

    def __init__(self, app: Flask, world: World, expected: frozenset[tuple[str, int]] = frozenset()) -> None:
        self.app, self.world, self.expected = app, world, expected
        self.failed: list[str] = []
        self.sent = 0
        self._client = app.test_client(use_cookies=False)
        self._plausible: dict[str, dict[str, bytes]] = {}

    def send(self, person: str, method: str, path: str, **options: Any) -> TestResponse:
        """Send one request with nothing but the person's cookie, note what failed, and undo what it changed."""
        headers = {"Cookie": self.world.cookies[person], **options.pop("headers", {})}
        errors: list[BaseException] = []
        begun = time.thread_time()
        with _ends_within(HANGS_SECONDS), got_request_exception.connected_to(_into(errors), self.app):
            answer = self._client.open(path, method=method, headers=headers, **options)
        self.sent += 1
        failures = list(self._failures(answer, time.thread_time() - begun, errors))
        # A body of a megabyte takes longer to describe than to answer.
        self.failed += [f"{method} {path[:80]} {str(options)[:150]} as {person}: {failure}" for failure in failures]
        self.world.put_back()
        return answer

    def _failures(self, answer: TestResponse, seconds: float, errors: list[BaseException]) -> Iterator[str]:
        if answer.status_code >= 500 and (answer.request.path, answer.status_code) not in self.expected:
            yield f"{answer.status_code} {[repr(error)[:200] for error in errors]}"
        elif b"Traceback (most recent call last)" in answer.data:
            yield "shows a traceback"
        if seconds > TOO_LONG_SECONDS:
            yield f"took {seconds:.1f} s of processor time"

    def targets(self) -> Iterator[Target]:
        """Return every route and method for each person, its address naming what the site has, where anything fits."""
        for rule in sorted(self.app.url_map.iter_rules(), key=str):
            named = self._what_opens(rule)
            for person in self.world.cookies:
                for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                    yield Target(person, method, rule, named)

    def _what_opens(self, rule: Rule) -> tuple[str, ...]:
        """Return what opens the page to anybody or, without a page, is found; else the first of all."""
        choices = [self._candidates(rule, name) for name in VARIABLE.findall(rule.rule)]
        method = "GET" if "GET" in (rule.methods or set()) else min(rule.methods or {"POST"})
        for person, named in itertools.product(self.world.cookies, itertools.product(*choices)) if choices else ():
            status = self.send(person, method, Target(person, method, rule, named).address()).status_code
            if status == 200 or (method != "GET" and status != 404):
                return named
        return tuple(candidates[0] for candidates in choices)

    def _candidates(self, rule: Rule, variable: str) -> list[str]:
        is_number = variable.startswith(("<int", "<float"))
        return [str(number) for number in self.world.numbers] if is_number else [*self.world.texts, "x"]

    def paths(self, target: Target, parts: list[str]) -> None:
        """Open the target with each of ``parts`` in the place of each of its variables."""
        for position in range(len(target.named)):
            for text in parts:
                self.send(target.person, target.method, target.address(text, position))

    def parameters(
        self, target: Target, texts: list[bytes], one_by_one: bool, but: frozenset[str] = frozenset()
    ) -> None:
        """Send each text in each parameter that the target reads: in all at once, or in each one ``but`` these."""
        plausible = self.plausible_parameters(target)
        for text in texts if plausible else ():
            if not one_by_one:
                self.submit(target, dict.fromkeys(plausible, text))
                continue
            for name in [name for name in plausible if name not in but]:
                self.submit(target, {**plausible, name: text})
        for name in plausible if one_by_one else ():
            self.submit(target, {kept: value for kept, value in plausible.items() if kept != name})

    def plausible_parameters(self, target: Target) -> dict[str, bytes]:
        """Return every parameter that the target reads, with a value that gets it to read further ones."""
        if str(target) not in self._plausible:
            self._plausible[str(target)] = self._find_parameters(target)
        return self._plausible[str(target)]

    def _find_parameters(self, target: Target) -> dict[str, bytes]:
        known = self._fields_on_page(target)
        found: dict[str, bytes] = {}
        with noticed_names(self.app) as names:
            for _round in range(ROUNDS):
                names.clear()
                self.submit(target, found or {"probe": b"1"})
                fresh = (names | set(known)) - set(found)
                if not fresh:
                    break
                found |= {name: known.get(name, "ada").encode() for name in fresh}
        return found

    def _fields_on_page(self, target: Target) -> dict[str, str]:
        if "GET" not in (target.rule.methods or set()):
            return {}
        page = self.send(target.person, "GET", target.address())
        forms = forms_on(page.text) if page.status_code == 200 else []
        return {name: _plausible(form, name) for form in forms if form.method == target.method for name in form.types}

    def submit(self, target: Target, sent: dict[str, bytes]) -> TestResponse:
        """Send these parameters to the target, in its address and, where it has one, its body."""
        encoded = "&".join(f"{quote_from_bytes(name.encode())}={quote_from_bytes(text)}" for name, text in sent.items())
        body = {} if target.method == "GET" else {"data": encoded, "content_type": FORM}
        return self.send(target.person, target.method, target.address(), query_string=encoded, **body)


def _plausible(form: HtmlForm, name: str) -> str:
    return form.values[name] or PLAUSIBLE.get(
        form.types[name], "a long enough passphrase" if "password" in name else "Ada"
    )


def _into(errors: list[BaseException]) -> Callable[..., None]:
    def note(_sender: Flask, exception: BaseException, **_rest: Any) -> None:
        errors.append(exception)

    return note


@contextmanager
def _ends_within(seconds: int) -> Iterator[None]:
    """Raise TimeoutError in whatever still runs after so many seconds: the request fails, and says where it hung."""

    def stop(_number: int, _frame: Any) -> None:
        raise TimeoutError(f"no answer within {seconds} s")

    earlier = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, earlier)

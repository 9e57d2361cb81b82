"""Read typed settings from environment variables, and report all mistakes at once."""

import logging
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from dotenv import load_dotenv
from dotenv.parser import Original, parse_stream

TRUE_WORDS = {"true", "1", "yes", "on"}
FALSE_WORDS = {"false", "0", "no", "off"}
LAST_PORT = 65535

# Its warning about a line that it skips names no file.
logging.getLogger("dotenv").setLevel(logging.ERROR)


def load_settings_file(file: Path) -> list[str]:
    """Set the variables of ``file`` that the environment lacks, and return what is wrong with the file."""
    if not file.is_file():
        return []
    try:
        with file.open(encoding="utf-8") as stream:
            wrong = [_line_of(binding.original) for binding in parse_stream(stream) if binding.error]
    except UnicodeDecodeError:
        return [f"{file}: it is not in UTF-8. Save it as UTF-8."]
    load_dotenv(file, override=False)
    # Without its text, which can be a secret.
    return [f"{file}, line {number}: write it as NAME=value, and close every quotation mark." for number in wrong]


def _line_of(statement: Original) -> int:
    # It begins with the empty lines before it.
    blanks = len(statement.string) - len(statement.string.lstrip())
    return statement.line + statement.string[:blanks].count("\n")


def split_url(url: str) -> SplitResult:
    """Return the parts of ``url``, all empty if its host or its port is impossible."""
    try:
        parts = urlsplit(url)
        return urlsplit("") if parts.port == 0 else parts
    except ValueError:
        return urlsplit("")


def is_ip_address(url: str) -> bool:
    """Return whether the host of a URL is an IP address."""
    try:
        return bool(ip_address(split_url(url).hostname or ""))
    except ValueError:
        return False


class ConfigError(RuntimeError):
    """One or more settings are missing or wrong; the message names each and how to fix it."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(["The configuration is not usable:", *(f"  {p}" for p in problems)]))


class Environment:
    """Reads variables from a mapping, records their names, and collects problems.

    An empty variable counts as absent: hosting platforms and ``.env`` files often set empty ones.
    """

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables
        self.names: set[str] = set()
        self.problems: list[str] = []

    def text(self, name: str, default: str = "") -> str:
        """Return the variable's text without surrounding blanks, or ``default``."""
        self.names.add(name)
        return self._variables.get(name, "").strip() or default

    def names_that_are_set(self) -> list[str]:
        """Return the name of each variable that is not empty, for settings whose names a deployment chooses."""
        return [name for name, value in self._variables.items() if value.strip()]

    def texts(self, name: str) -> list[str]:
        """Return the parts of a comma-separated variable, or an empty list when it is absent."""
        return [part.strip() for part in self.text(name).split(",") if part.strip()]

    def integer(self, name: str, default: int, minimum: int = 0, maximum: int | None = None) -> int:
        """Return a whole number from ``minimum`` to ``maximum``; any other value is recorded as a problem."""
        text = self.text(name)
        if not text:
            return default
        try:
            number = int(text)
        except ValueError:
            self.problem(name, f"{text!r} is not a whole number.", f"Set it to one, such as {default}.")
            return default
        if number < minimum:
            self.problem(name, f"{number} is too small.", f"Set it to {minimum} or more.")
        if maximum is not None and number > maximum:
            self.problem(name, f"{number} is too large.", f"Set it to {maximum} or less.")
        return number

    def port(self, name: str, default: int) -> int:
        """Return the number of a port."""
        return self.integer(name, default, minimum=1, maximum=LAST_PORT)

    def flag(self, name: str, default: bool) -> bool:
        """Return a boolean setting; any word but the eight known ones is recorded as a problem."""
        word = self.text(name).lower()
        if word in TRUE_WORDS:
            return True
        if word in FALSE_WORDS:
            return False
        if word:
            self.problem(name, f"{word!r} is neither true nor false.", "Set it to true or false.")
        return default

    def problem(self, name: str, what: str, cure: str) -> None:
        """Record ``what`` is wrong with the variable ``name``, and its ``cure``."""
        self.problems.append(f"{name}: {what} {cure}")

    def raise_problems(self) -> None:
        """Raise :class:`ConfigError` with all problems, if there are any."""
        if self.problems:
            raise ConfigError(self.problems)

"""Read typed settings from environment variables, and report all mistakes at once."""

from collections.abc import Mapping

TRUE_WORDS = {"true", "1", "yes", "on"}
FALSE_WORDS = {"false", "0", "no", "off"}


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

    def texts(self, name: str) -> list[str]:
        """Return the parts of a comma-separated variable, or an empty list when it is absent."""
        return [part.strip() for part in self.text(name).split(",") if part.strip()]

    def integer(self, name: str, default: int, minimum: int = 0) -> int:
        """Return a whole number of at least ``minimum``; any other value is recorded as a problem."""
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
        return number

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

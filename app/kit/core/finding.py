"""What a check finds."""

from dataclasses import dataclass

OK, WARNING, FAILURE = "ok", "warning", "failure"


@dataclass(frozen=True)
class Finding:
    """The outcome of one check, with the cure if it is not ok."""

    level: str
    name: str
    text: str
    cure: str = ""

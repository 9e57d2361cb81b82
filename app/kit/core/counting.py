"""A number with its noun."""


def how_many(number: int, noun: str) -> str:
    """Return a number with its noun: "1 row", "2 rows", "1,234 rows"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"

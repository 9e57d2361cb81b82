"""The initials of a name, for users without a picture."""

from functools import lru_cache


@lru_cache(maxsize=1000)
def initials(name: str) -> str:
    """Return the first letters of the first and the last word ("AL" for Ada Lovelace), or "" for an empty name."""
    words = [letters for word in name.split() if (letters := [sign for sign in word if sign.isalnum()])]
    # A single letter each: the capital of ß is SS.
    return "".join(word[0].upper()[0] for word in (words[:1] + words[1:][-1:]))

"""Normalize email addresses, and refuse those that mail programs cannot handle."""

import unicodedata

EMAIL_MAX_LENGTH = 254  # RFC 5321, 4.5.3.1.3: a path of 256 octets, less its angle brackets


def normalized_email(typed: str) -> str | None:
    """Return the address as it is stored, or None when it is not valid.

    Surrounding blanks are dropped, look-alike characters are unified (NFKC), and an internationalized domain
    becomes its ASCII name (IDNA). A local part outside ASCII is refused: few servers accept such mail, and an
    address that we accept must be able to receive its link.
    """
    if len(typed) > 4 * EMAIL_MAX_LENGTH:  # anybody could make us normalize half a megabyte
        return None
    text = unicodedata.normalize("NFKC", typed.strip())
    if len(text) > EMAIL_MAX_LENGTH or not all(_is_plain(character) for character in text):
        return None
    # Imported here: it spends 40 ms on compiling patterns, which would delay the start of a web process.
    from email_validator import EmailNotValidError, validate_email

    try:
        address = validate_email(text, check_deliverability=False, allow_smtputf8=False, strict=True)
    except EmailNotValidError:
        return None
    ascii_address = address.ascii_email
    return ascii_address if ascii_address and len(ascii_address) <= EMAIL_MAX_LENGTH else None


def _is_plain(character: str) -> bool:
    """Return whether a character is no blank, control character, surrogate or mark of writing direction."""
    return not unicodedata.category(character).startswith(("C", "Z"))

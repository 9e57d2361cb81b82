"""One spelling for each email address, and refusal of those that mail programs stumble over."""

import unicodedata

EMAIL_MAX_LENGTH = 254  # RFC 5321, 4.5.3.1.3: a path of 256 octets, less its angle brackets


def normalized_email(typed: str) -> str | None:
    """Return the address as it is stored, or None when it cannot be one.

    Blanks around it are dropped, look-alikes of one character become one (NFKC), and a domain in
    another script becomes the ASCII name under which it is found. A local part outside ASCII is
    refused: few servers take such mail, and what we accept must be able to receive its link.
    """
    if len(typed) > 4 * EMAIL_MAX_LENGTH:  # normalizing half a megabyte is work that anybody could ask for
        return None
    text = unicodedata.normalize("NFKC", typed.strip())
    if len(text) > EMAIL_MAX_LENGTH or not all(_is_plain(character) for character in text):
        return None
    # Imported here: it compiles 40 ms worth of patterns, which the start of a web process need not wait for.
    from email_validator import EmailNotValidError, validate_email

    try:
        address = validate_email(text, check_deliverability=False, allow_smtputf8=False, strict=True)
    except EmailNotValidError:
        return None
    ascii_address = address.ascii_email
    return ascii_address if ascii_address and len(ascii_address) <= EMAIL_MAX_LENGTH else None


def _is_plain(character: str) -> bool:
    """Control characters, surrogates and marks that turn the writing direction are not for addresses."""
    return not unicodedata.category(character).startswith(("C", "Z"))

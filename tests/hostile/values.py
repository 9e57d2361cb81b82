"""What strangers send: texts for every parameter, parts of addresses, bodies, headers, methods."""

FORM = "application/x-www-form-urlencoded"
EMAIL_PART = b'Content-Disposition: form-data; name="email"'
MULTIPART = "multipart/form-data; boundary=b"


def part(headers: bytes, content: bytes = b"x") -> bytes:
    """Return a multipart body of one part with these headers."""
    return b"--b\r\n" + headers + b"\r\n\r\n" + content + b"\r\n--b--\r\n"


# As bytes: some are no text in any encoding.
TEXTS = {
    "NUL": b"a\x00b@example.org",
    "not utf-8": b"\xff\xfe\x80",
    "a huge number": b"9" * 400,
    "line breaks": b"a@example.org\r\nBcc: b@example.org",
    "a surrogate": b"\xed\xa0\x80",
    "nothing": b"",
    "blanks": b" \t ",
    "control characters": bytes(range(1, 32)) + b"\x7f\xc2\x85\xe2\x80\xa8",
    "right to left": "\u202egro.elpmaxe@a".encode(),
    "invisible": "\u200b\u2066\ufeff\u00ad".encode(),
    "no characters": "\uffff\ufffe\U0010ffff\ufffd".encode(),
    "many accents": ("a" + "\u0301" * 500).encode(),
    "emoji": "👩‍👩‍👧@👩‍👩‍👧.example".encode(),
    "cases that change length": "ßİŉΐ@example.org".encode(),
    "minus one": b"-1",
    "zero": b"0",
    "beyond 32 bits": b"2147483648",
    "beyond 64 bits": b"9223372036854775808",
    "beyond floats": b"1e309",
    "no number": b"NaN",
    "other digits": "٣".encode(),
    "5,000 digits": b"1" * 5000,
    "a date that is none": b"2026-02-30",
    "a date beyond dates": b"9999-99-99",
    "the first day": b"0001-01-01",
    "the last day": b"9999-12-31",
    "markup": b'"><script>alert(1)</script>',
    "a template": b"{{ 7 * 7 }}{% raw %}{0.__class__}%s%n",
    "a statement": b"' OR 1=1; --",
    "wildcards": b"%_\\%%",
    "json": b'{"a": [null, true, 1e999]}',
    "a path": b"../../../../etc/passwd",
    "another site": b"//evil.example/\\@",
    "half an address": b"http://[::1",
    "many dots": b"a@" + b"b." * 120 + b"org",
    "punycode": b"a@xn--a.xn--zzzzzzzzzzzzzzzz",
    "long": "ä".encode() * 5_000,  # its percent signs take most of the time, and 100,000 letters follow
    "100,000 letters": b"a" * 100_000,
    "many words": b"a " * 2_000,
    "markdown": b"[" * 2_000 + b"*_`" * 500,
}
FEW_TEXTS = ("NUL", "not utf-8", "a huge number", "line breaks")

PATH_PARTS = [
    *[
        "%00",
        "a%00b",
        "%ED%A0%80",
        "%FF",
        "%E2%80%AE",
        "%0d%0aa:b",
        "%EF%BF%BD",
        "..",
        "%2e%2e",
        "..%2f..%2fetc",
        "%2f",
    ],
    *["%25", "%25%30%30", "a" * 5000, "'--", "{{7*7}}", "%20", ".", "-", "%5c", "~", ":", "@", ";a=b", "\u00e4"],
    *[
        "0",
        "-1",
        "00",
        "1e3",
        "2147483648",
        "9223372036854775808",
        "1" * 5000,
        "%D9%A3",
        "1.5",
        "NaN",
        "9" * 400 + ".0",
    ],
]
FEW_PATH_PARTS = ["%00", "%FF", "9223372036854775808"]

QUERIES = [
    "%ff=%ff&[=]&a[b]=c&==&%00&&&;",
    "__proto__=1&constructor=1&a[]=1&a[]=2&a.b=1",
    "next=http://[::1&next=//evil.example&next=%0d%0aSet-Cookie:%20a=b",
    "a=" * 3000,
    "&".join(f"{number}=1" for number in range(1500)),
]
BODIES = {
    "json number": ("application/json", b'{"email": 5, "password": 5}'),
    "json list": ("application/json", b"[1]"),
    "json nested deeply": ("application/json", b"[" * 5000),
    "json surrogate": ("application/json", b'{"email": "\\ud800", "password": "\\ud800"}'),
    "json of nothing": ("application/json", b""),
    "text": ("text/plain", b"email=a"),
    "xml": ("application/xml", b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>'),
    "no type": ("", b"email=a"),
    "no such type": ("////;;=", b"email=a"),
    "nothing": (FORM, b""),
    "broken percent signs": (FORM, b"email=%zz&password=%&=%00&%00=a"),
    "not utf-8": (FORM, b"email=%ff%fe&password=\xff"),
    "another charset": (FORM + "; charset=utf-7", b"email=+AAA-"),
    "utf-8 surrogates": (FORM, b"email=%ED%A0%80&password=%ED%A0%80&search=%ED%A0%80"),
    "ten thousand fields": (FORM, b"email=a&" * 10_000),
    "arrays": (FORM, b"email[]=a&email[b]=c&email=1&email=2&__proto__=1&password=&password="),
    "multipart without parts": (MULTIPART, b""),
    "multipart cut off": (MULTIPART, b'--b\r\nContent-Disposition: form-data; name="email"\r\n\r\na'),
    "multipart without a boundary": ("multipart/form-data", b"--b\r\n"),
    "multipart with an odd boundary": ('multipart/form-data; boundary="\xe4"', b"--b\r\n"),
    "multipart of many parts": (MULTIPART, part(b'Content-Disposition: form-data; name="a"')[:-7] * 2000 + b"--b--"),
    "a part without a name": (MULTIPART, part(b"Content-Disposition: form-data")),
    "a file without a name": (MULTIPART, part(b'Content-Disposition: form-data; filename="a"')),
    "a part without headers": (MULTIPART, part(b"")),
    "a part that is not for a form": (MULTIPART, part(b'Content-Disposition: attachment; name="email"')),
    "a part with a broken header": (MULTIPART, part(b"\xff\xfe: \x00")),
    "a part named in another charset": (MULTIPART, part(b"Content-Disposition: form-data; name*=utf-7''%00%ff")),
    "a part in another charset": (MULTIPART, part(EMAIL_PART + b"\r\nContent-Type: a; charset=x")),
    "a part of bytes": (MULTIPART, part(EMAIL_PART, b"\xff\x00")),
    "a file for a text": (MULTIPART, part(EMAIL_PART + b'; filename="../../a\x00"')),
}  # fmt: skip
FEW_BODIES = ("json number", "a part without a name", "not utf-8")

HEADERS = [
    {"Cookie": "session=\x01; remember_token=a|\xc3\xa9; __Host-session=.eJ; theme=\x00"},
    {"Cookie": "session=" + "a" * 4000 + "; " + "=;" * 100},
    {"User-Agent": "\u00ff" * 5000, "Referer": "http://[::1", "Origin": "null"},
    {"User-Agent": "a\x00b", "Referer": "http://localhost/\\evil.example", "X-Request-ID": "\x00"},
    {"Range": "bytes=9-1,--", "If-Modified-Since": "never", "If-None-Match": "x", "If-Range": "\xff", "If-Match": '"'},
    {"Accept": ";;;q=x", "Accept-Encoding": "\x7f;q=-1", "Accept-Language": "*;q=" + "9" * 400},
    {"Content-Length": "-1", "Content-Type": FORM},
    {"Content-Length": "99999999999999999999", "Content-Type": FORM},
    {"X-Forwarded-For": "x" * 500, "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "\x00"},
    {"X-HTTP-Method-Override": "DELETE", "X-CSRFToken": "\xff", "X-CSRF-Token": "a" * 5000},
    {"Authorization": "Basic \xff", "Content-Encoding": "gzip", "Expect": "x", "Upgrade": "websocket"},
    {"Authorization": "Digest username=,=,", "Cache-Control": "max-age=x", "Date": "\xff", "Max-Forwards": "-1"},
]
METHODS = [
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "PATCH",
    "DELETE",
    "OPTIONS",
    "TRACE",
    "CONNECT",
    "PROPFIND",
    "BREW",
    "get",
    "\xff",
]

"""Codes of authenticator apps, with the vectors that RFC 4226 and RFC 6238 publish."""

from urllib.parse import parse_qs, urlsplit

import pytest

from app.kit.auth import totp

SECRET = b"12345678901234567890"
# RFC 4226, appendix D.
HOTP = ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"]
# RFC 6238, appendix B, SHA-1.
TOTP = {
    59: "94287082",
    1111111109: "07081804",
    1111111111: "14050471",
    1234567890: "89005924",
    2000000000: "69279037",
    20000000000: "65353130",
}


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(totp, "current_step", lambda: 1000)


def test_the_vectors_of_rfc_4226() -> None:
    assert [totp.code_at(SECRET, step) for step in range(10)] == HOTP


def test_the_vectors_of_rfc_6238() -> None:
    assert {second: totp.code_at(SECRET, second // totp.STEP_SECONDS, digits=8) for second in TOTP} == TOTP


def test_the_present_step_and_the_one_before_are_accepted() -> None:
    steps = range(985, 1016)
    accepted = {step for step in steps if totp.accepted_step(SECRET, totp.code_at(SECRET, step)) is not None}
    assert accepted == {999, 1000}
    assert [totp.accepted_step(SECRET, totp.code_at(SECRET, step)) for step in (999, 1000)] == [999, 1000]


def test_a_clock_that_is_five_minutes_off_is_recognized() -> None:
    near = {step for step in range(980, 1021) if totp.is_of_wrong_clock(SECRET, totp.code_at(SECRET, step))}
    assert near == set(range(990, 1011))


@pytest.mark.parametrize("typed", ["123456", "123 456", " 12-34-56 ", "123\u00a0456", "1 2 3 4 5 6"])
def test_blanks_and_dashes_are_dropped(typed: str) -> None:
    assert totp.typed_code(typed) == "123456"


@pytest.mark.parametrize(
    "typed", ["", "12345", "1234567", "\uff11\uff12\uff13\uff14\uff15\uff16", "١٢٣٤٥٦", "12345\ud800", "12345a"]
)
def test_anything_but_six_ascii_digits_is_no_code(typed: str) -> None:
    assert totp.typed_code(typed) is None


def test_a_secret_has_160_bits_and_its_link_names_site_and_account() -> None:
    secret = totp.new_secret()
    assert len(secret) * 8 == 160
    link = urlsplit(totp.setup_link(SECRET, "A: site & more", "ada+x@example.org"))
    assert (link.scheme, link.netloc, link.path) == (
        "otpauth",
        "totp",
        "/A%20site%20%26%20more%3Aada%2Bx%40example.org",
    )
    assert parse_qs(link.query) == {"secret": ["GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"], "issuer": ["A: site & more"]}

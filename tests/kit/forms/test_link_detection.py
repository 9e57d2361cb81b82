"""Tests for names that mail programs turn into links, and for real names that only resemble them."""

import time

import pytest

from app.kit.forms.link_detection import holds_link

LINKS = [
    "www.evil-prize.com",
    "http:/evil.com",
    "http://evil",
    "HTTPS：//evil.com",
    "HTTPS：／／evil",
    "https : //evil",
    "hxxp:\\\\evil",
    "//evil/prize",
    "evil.com",
    "evil.com/x",
    "Ada evil.com Lovelace",
    "Ada,evil.com",
    "evil-prize.com",
    "EVIL.CO",
    "ＷＷＷ．ｅｖｉｌ．ｃｏｍ",
    "ｗｗｗ。evil。com",
    "evil｡com",
    "evil﹒com",
    "evil․com",
    "evil︒com",
    "evil.\u200dcom",
    "evil\u200c.com",
    "evil.\ufe0fcom",
    "evil.\u034fcom",
    "ẹ́vil.com",
    "𝐞𝐯𝐢𝐥.𝐜𝐨𝐦",
    "ⓔⓥⓘⓛ.ⓒⓞⓜ",
    "пример.рф",
    "例え.テスト",
    "مثال.إختبار",
    "xn--e1afmkfd.xn--p1ai",
    "💩.la",
    "192.168.11.11",
    "a@evil.com",
    "mailto:ada@evil",
    "MAILTO: ada",
    "tel:112",
    "javascript:alert(1)",
    "J.R.R.Party",
    "Call 0800 555 1234",
    "☎ ٠٨٠٠٥٥٥١٢٣٤",
]
NAMES = [
    "Ada",
    "J. R. R. Tolkien",
    "J.R.R. Tolkien",
    "J.R.R.",
    "A.",
    "St. John",
    "Dr. Ada",
    "Ph.D.",
    "Sammy Davis, Jr.",
    "O'Brien",
    "O’Brien",
    "D'Angelo-Smith",
    "Jean-Luc",
    "Hans-J. Müller",
    "Hans-J.-Peter",
    "Maria do Ó",
    "S:t Cyr",
    "Kanien’kehá:ka",
    "Kumar s/o Ravi",
    "Ada / Grace",
    "María-José (Pepa)",
    "X Æ A-12",
    "John Smith 3rd",
    "Louis XIV.",
    "Mbali !Xóõ",
    "А. С. Пушкин",
    "А.С. Пушкин",
    "Νίκος",
    "Ćirić",
    "Nguyễn Thị Ánh",
    "Đặng",
    "毛泽东",
    "たかし・ジョン",
    "김민준",
    "สมชาย",
    "محمد بن سلمان",
    "دنیا\u200cزاد",
    "אֲבִיגַיִל",
    "சுப்பிரமணியன்",
    "क\u094d\u200dषमा",
    "Յովհաննէս",
    "გიორგი",
    "ብርሃን",
    "ᐊᓕᒃ",
    "李·约翰",
]


@pytest.mark.parametrize("text", LINKS)
def test_what_mail_programs_link_is_found(text: str) -> None:
    assert holds_link(text)


@pytest.mark.parametrize("name", NAMES)
def test_names_of_people_are_none(name: str) -> None:
    assert not holds_link(name)


@pytest.mark.parametrize("unit", ["a", ".", ":", "/", "a.", ": ", "tel", "\u0301"])
def test_a_long_text_is_judged_quickly(unit: str) -> None:
    begun = time.process_time()
    holds_link(unit * 20_000)
    assert time.process_time() - begun < 0.8

"""The key ring for what is stored and has to be read again."""

import pytest
from flask import Flask

from app.kit.core.data_keys import UnreadableError, decrypt, encrypt, encrypt_anew

OLD, NEW, OTHER = "old" * 12, "new" * 12, "other" * 8


def test_what_is_encrypted_is_read_with_the_keys_and_with_no_others(bare_app: Flask) -> None:
    bare_app.config["DATA_KEYS"] = [OLD]
    text = encrypt(b"a secret")
    assert "a secret" not in text
    assert text != encrypt(b"a secret")
    assert decrypt(text) == b"a secret"
    bare_app.config["DATA_KEYS"] = [OTHER]
    for unreadable in (text, "", "x", text[:-8] + "AAAAAAA="):
        with pytest.raises(UnreadableError):
            decrypt(unreadable)


def test_a_new_key_encrypts_and_an_old_one_still_decrypts(bare_app: Flask) -> None:
    bare_app.config["DATA_KEYS"] = [OLD]
    text = encrypt(b"a secret")
    bare_app.config["DATA_KEYS"] = [NEW, OLD]
    anew = encrypt_anew(text)
    assert decrypt(text) == decrypt(anew) == b"a secret"
    bare_app.config["DATA_KEYS"] = [NEW]
    assert decrypt(anew) == b"a secret"

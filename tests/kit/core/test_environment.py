"""A settings file that cannot be read is told by its name and line, and without its contents."""

import os
from pathlib import Path

import pytest

import config
from app.kit.core.environment import ConfigError, load_settings_file


def test_an_unreadable_line_is_told_with_its_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("BEFORE", "")
    monkeypatch.delenv("BEFORE")
    (tmp_path / ".env").write_text("BEFORE=1\n\nSECRET_KEY='canary-secret\n")
    [problem] = load_settings_file(tmp_path / ".env")
    assert problem.startswith(f"{tmp_path / '.env'}, line 3: ")
    assert "canary-secret" not in problem
    assert os.environ["BEFORE"] == "1"
    assert not caplog.records

    monkeypatch.setattr(config, "SETTINGS_FILE_PROBLEMS", [problem])
    with pytest.raises(ConfigError, match="line 3: "):
        config.config["testing"]({})


def test_another_encoding_is_told(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes("APP_NAME=Café\n".encode("latin-1"))
    assert load_settings_file(tmp_path / ".env") == [f"{tmp_path / '.env'}: it is not in UTF-8. Save it as UTF-8."]
    assert load_settings_file(tmp_path / "nowhere") == []

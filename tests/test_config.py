"""Tests for settings: typed, complete, and all errors reported at once."""

import pytest

from app import create_app
from app.kit.core.environment import ConfigError, Environment
from config import config, with_psycopg

PRODUCTION = {
    "SECRET_KEY": "x" * 48,
    "DATA_KEYS": "y" * 48,
    "BASE_URL": "https://kit.example.org",
    "DATABASE_URL": "postgres://ada:pw@db.example.org/kit",
    "REDIS_URL": "rediss://user:pw@queue.example.org:6380/3",
    "MAIL_SERVER": "mail.example.org",
}


def test_production_starts_with_what_it_needs_and_nothing_more() -> None:
    settings = config["production"](PRODUCTION)
    assert settings.SQLALCHEMY_DATABASE_URI == "postgresql+psycopg://ada:pw@db.example.org/kit"
    assert settings.SESSION_COOKIE_NAME == "__Host-session"
    assert settings.SESSION_COOKIE_SECURE
    assert settings.TRUSTED_HOSTS == ["kit.example.org"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", ""),
        ("SECRET_KEY", "short"),
        ("SECRET_KEY", "SECRET_KEY_ENV_VAR_NOT_SET"),
        ("SECRET_KEY", "change-me-change-me-change-me-change-me"),
        ("DATA_KEYS", ""),
        ("DATA_KEYS", f"{'y' * 48}, short"),
        ("DATA_KEYS", "development-key-that-guards-nothing-outside-this-machine"),
        ("SECOND_FACTOR_REQUIRED", "administrators"),
        ("ADMIN_PASSWORD", "password"),
        ("BASE_URL", ""),
        ("MAIL_SERVER", ""),
        ("DATABASE_URL", ""),
        ("RAYGUN_APIKEY", "abc"),
        ("UPLOADS_FOLDER", "config.py"),
        ("UPLOADS_BUCKET", "https://bucket.example.org"),
        ("UPLOADS_BUCKET", "s3://"),
        ("MAIL_PORT", "65536"),
        ("PORT", "0"),
        ("BASE_URL", "https://kit.example.org:99999"),
        ("BASE_URL", "https://[kit.example.org"),
        ("REDIS_URL", "redis://127.0.0.1:99999/0"),
        ("UPLOADS_ENDPOINT", "https://s3.example.org:99999"),
        ("UPLOADS_ENDPOINT", "s3.example.org"),
        ("UPLOADS_SECRET_ACCESS_KEY", "alone"),
    ],
)
def test_production_refuses_what_is_vital_and_wrong(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=f"{name}: "):
        config["production"]({**PRODUCTION, name: value})


@pytest.mark.parametrize("base_url", ["https://example.org", "https://192.0.2.1"])
def test_a_second_factor_is_demanded_only_where_one_can_be_set_up(base_url: str) -> None:
    settings = {**PRODUCTION, "BASE_URL": base_url, "SECOND_FACTOR_REQUIRED": "admin"}
    assert config["production"](settings).SECOND_FACTOR_REQUIRED == "admin"
    settings |= {"AUTHENTICATOR_APPS": "false"} | ({} if "192" in base_url else {"PASSKEYS": "false"})
    with pytest.raises(ConfigError, match="SECOND_FACTOR_REQUIRED: nobody can set one up"):
        config["production"](settings)


def test_a_bucket_without_its_package_is_told_at_start(monkeypatch: pytest.MonkeyPatch) -> None:
    assert config["production"]({**PRODUCTION, "UPLOADS_BUCKET": "s3://files/site"}).UPLOADS_BUCKET
    monkeypatch.setattr("config.find_spec", lambda _name: None)
    with pytest.raises(ConfigError, match=r"requirements/storage\.txt"):
        config["production"]({**PRODUCTION, "UPLOADS_BUCKET": "s3://files/site"})


def test_all_problems_are_told_in_one_message() -> None:
    with pytest.raises(ConfigError) as caught:
        config["heroku"]({})
    named = {problem.split(":")[0] for problem in caught.value.problems}
    assert named == {"SECRET_KEY", "DATA_KEYS", "BASE_URL", "MAIL_SERVER", "DATABASE_URL"}


@pytest.mark.parametrize("name", ["production", "unix", "heroku"])
def test_production_writes_to_no_database_that_was_not_named(name: str) -> None:
    with pytest.raises(ConfigError, match="DATABASE_URL: it is missing"):
        config[name]({**PRODUCTION, "DATABASE_URL": ""})


def test_only_heroku_refuses_sqlite() -> None:
    on_sqlite = {**PRODUCTION, "DATABASE_URL": "sqlite:////srv/site.sqlite"}
    assert config["unix"](on_sqlite).SQLALCHEMY_DATABASE_URI == "sqlite:////srv/site.sqlite"
    with pytest.raises(ConfigError, match="DATABASE_URL: SQLite would be lost"):
        config["heroku"](on_sqlite)


@pytest.mark.parametrize("name", ["production", "unix", "heroku"])
def test_without_redis_production_starts_and_uses_nobody_elses(name: str) -> None:
    settings = config[name]({**PRODUCTION, "REDIS_URL": ""})
    assert (settings.REDIS_URL, settings.RATELIMIT_STORAGE_URI) == ("", "memory://")


def test_https_is_promised_for_a_day_until_somebody_asks_for_more() -> None:
    assert config["production"](PRODUCTION).STRICT_TRANSPORT_SECURITY == "max-age=86400"
    asked = {**PRODUCTION, "HSTS_DAYS": "730", "HSTS_SUBDOMAINS": "true"}
    assert config["production"](asked).STRICT_TRANSPORT_SECURITY == "max-age=63072000; includeSubDomains"


@pytest.mark.parametrize("word", ["true", "1", "yes", "on", "TRUE"])
def test_words_for_true(word: str) -> None:
    assert Environment({"FLAG": word}).flag("FLAG", default=False) is True


@pytest.mark.parametrize("word", ["false", "0", "no", "off", "Off"])
def test_words_for_false(word: str) -> None:
    assert Environment({"FLAG": word}).flag("FLAG", default=True) is False


def test_any_other_word_is_an_error_that_names_the_variable() -> None:
    with pytest.raises(ConfigError, match="MAIL_USE_TLS: 'maybe' is neither true nor false"):
        config["development"]({"MAIL_USE_TLS": "maybe"})


@pytest.mark.parametrize(("text", "message"), [("many", "not a whole number"), ("7", "too small")])
def test_numbers_are_checked(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=f"PASSWORD_MIN_LENGTH: .*{message}"):
        config["development"]({"PASSWORD_MIN_LENGTH": text})


def test_redis_address_is_taken_apart() -> None:
    settings = config["production"](PRODUCTION)
    parts = (settings.RQ_DEFAULT_HOST, settings.RQ_DEFAULT_PORT, settings.RQ_DEFAULT_PASSWORD, settings.RQ_DEFAULT_DB)
    assert parts == ("queue.example.org", 6380, "pw", 3)


@pytest.mark.parametrize(
    ("name", "address", "used"),
    [
        ("heroku", "rediss://:pw@h.example.org:1", "rediss://:pw@h.example.org:1?ssl_cert_reqs=none"),
        ("heroku", "rediss://h/0?ssl_cert_reqs=required", "rediss://h/0?ssl_cert_reqs=required"),
        ("production", "rediss://:pw@h.example.org:1", "rediss://:pw@h.example.org:1"),
    ],
)
def test_only_herokus_own_certificate_goes_unchecked(name: str, address: str, used: str) -> None:
    settings = config[name]({**PRODUCTION, "REDIS_URL": address})
    assert settings.REDIS_URL == settings.RATELIMIT_STORAGE_URI == used


def test_redistogo_address_is_taken_when_there_is_no_other() -> None:
    settings = config["production"]({**PRODUCTION, "REDIS_URL": "", "REDISTOGO_URL": "redis://old.example.org:1/0"})
    assert settings.RQ_DEFAULT_HOST == "old.example.org"


def test_plain_http_gets_plain_cookies() -> None:
    settings = config["production"]({**PRODUCTION, "SSL_DISABLE": "true"})
    assert settings.SESSION_COOKIE_NAME == "session"
    assert not settings.SESSION_COOKIE_SECURE


@pytest.mark.parametrize("url", ["postgres://h/d", "postgresql://h/d", "postgresql+psycopg://h/d"])
def test_every_spelling_of_postgresql_means_psycopg(url: str) -> None:
    assert with_psycopg(url) == "postgresql+psycopg://h/d"


def test_development_answers_to_this_machine_and_to_what_it_is_told() -> None:
    assert config["development"]({}).TRUSTED_HOSTS == ["localhost", "127.0.0.1"]
    settings = config["development"]({"BASE_URL": "http://box.local:5000", "TRUSTED_HOSTS": "phone.example"})
    assert settings.TRUSTED_HOSTS == ["localhost", "127.0.0.1", "box.local", "phone.example"]


@pytest.mark.parametrize("url", ["nonsense", "mysql+none://host/name", "postgres://host:port/name", "sqlite"])
def test_what_is_no_address_of_a_database_is_told_with_the_rest(url: str) -> None:
    with pytest.raises(ConfigError, match=r"(?s)MAIL_PORT: .*DEV_DATABASE_URL: it is no address"):
        config["development"]({"DEV_DATABASE_URL": url, "MAIL_PORT": "many"})


@pytest.mark.parametrize("dsn", ["nonsense", "https://sentry.example.org/1", "https://key@sentry.example.org/"])
def test_what_is_no_address_of_sentry_is_told(dsn: str) -> None:
    with pytest.raises(ConfigError, match="SENTRY_DSN: it is no Sentry address"):
        config["production"]({**PRODUCTION, "SENTRY_DSN": dsn})


@pytest.mark.parametrize("dsn", ["https://k3y@o12.ingest.sentry.io/345", "http://key:secret@localhost:9000/path/1"])
def test_every_kind_of_sentry_address_is_taken(dsn: str) -> None:
    config["production"]({**PRODUCTION, "SENTRY_DSN": dsn})


def test_links_in_development_lead_to_the_port_that_dev_listens_on() -> None:
    assert config["development"]({}).BASE_URL == "http://localhost:5000"
    assert config["development"]({"PORT": "8123"}).BASE_URL == "http://localhost:8123"


def test_nothing_runs_in_an_environment_that_nobody_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FLASK_CONFIG", raising=False)
    with pytest.raises(ConfigError, match=r"FLASK_CONFIG: it is missing. Set it to production, heroku or unix"):
        create_app()


def test_an_unknown_environment_is_named_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"FLASK_CONFIG: 'prodution' is unknown. Set it to one of: .*production"):
        create_app("prodution")

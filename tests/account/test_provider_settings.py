"""The settings of providers."""

import pytest

from app.kit.core.environment import ConfigError
from config import config
from tests.test_config import PRODUCTION

WORK = {
    "OIDC_AT_WORK_ISSUER": "https://login.example.org/realms/work",
    "OIDC_AT_WORK_CLIENT_ID": "kit",
    "OIDC_AT_WORK_CLIENT_SECRET": "a secret",
}


def test_providers_are_read_by_name() -> None:
    settings = {**PRODUCTION, **WORK, "GITHUB_CLIENT_ID": "1", "GITHUB_CLIENT_SECRET": "2", "OIDC_AT_HOME_LABEL": ""}
    found = config["production"](settings).PROVIDERS
    assert {name: (one.label, one.issuer) for name, one in found.items()} == {
        "github": ("GitHub", "https://github.com"),
        "at_work": ("At Work", "https://login.example.org/realms/work"),
    }
    assert "a secret" not in repr(found)


@pytest.mark.parametrize("missing", [*WORK, "GOOGLE_CLIENT_ID", "GITHUB_CLIENT_SECRET"])
def test_what_is_missing_for_a_provider_is_named_with_its_cure(missing: str) -> None:
    whole = {**PRODUCTION, **WORK}
    whole |= {f"{name}_CLIENT_{part}": "x" for name in ("GITHUB", "GOOGLE") for part in ("ID", "SECRET")}
    with pytest.raises(ConfigError, match=rf"{missing}: it is missing. Copy (it|both) from"):
        config["production"]({**whole, missing: ""})


def test_only_development_trusts_a_provider_on_this_machine_without_https() -> None:
    local = {**WORK, "OIDC_AT_WORK_ISSUER": "http://localhost:9000"}
    assert "at_work" in config["development"](local).PROVIDERS
    with pytest.raises(ConfigError, match="OIDC_AT_WORK_ISSUER: it is no https address"):
        config["production"]({**PRODUCTION, **local})
    with pytest.raises(ConfigError, match="OIDC_AT_WORK_ISSUER"):
        config["development"]({**local, "OIDC_AT_WORK_ISSUER": "http://192.168.0.7"})


@pytest.mark.parametrize(
    "issuer",
    [
        "http://login.example.org",
        "http://localhost:9000",
        "https://user@login.example.org",
        "https://login.example.org?a=b",
        "login.example.org",
    ],
)
def test_production_refuses_an_issuer_that_is_not_secure(issuer: str) -> None:
    with pytest.raises(ConfigError, match="OIDC_X_ISSUER: "):
        config["production"]({**PRODUCTION, "OIDC_X_ISSUER": issuer})

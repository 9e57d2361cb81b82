"""The tests run on settings of their own, in a checkout in which every setting is another one.

That they also pass there is shown by ``test_recipes.py``, together with what it shows of the recipes.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from config import config
from tests.servers.development_site import ROOT, copy_project

# Every setting of .env.example, with a value that is neither its default nor any test's.
OTHER_SETTINGS = {
    "FLASK_CONFIG": "production",
    "APP_NAME": "Another <Name>",
    "BASE_URL": "https://another.example.net",
    "SECRET_KEY": "another key with more than thirty-two characters",
    "SECRET_KEY_FALLBACKS": "an older key with more than thirty-two characters",
    "DATA_KEYS": "another data key with more than thirty-two characters",
    "LOG_LEVEL": "ERROR",
    "SECURITY_CONTACT": "security@another.example.net",
    "SECURITY_LANGUAGES": "de",
    "SECURITY_POLICY": "https://another.example.net/policy",
    "ADMIN_EMAIL": "another-admin@another.example.net",
    "ADMIN_PASSWORD": "seven other words",
    "PASSWORD_MIN_LENGTH": "31",
    "PASSWORD_BREACH_CHECK": "true",
    "PASSKEYS": "false",
    "AUTHENTICATOR_APPS": "false",
    "SECOND_FACTOR_REQUIRED": "admin",
    "MAGIC_LINK": "on",
    "MAGIC_LINK_FOR_ADMINISTRATORS": "on",
    "UNCONFIRMED_ACCOUNT_DAYS": "3",
    "AUDIT_RETENTION_DAYS": "4",
    "SAMPLE_PROVIDER": "false",
    "MAIL_SERVER": "mail.another.example.net",
    "MAIL_PORT": "2525",
    "MAIL_USE_TLS": "false",
    "MAIL_USE_SSL": "true",
    "MAIL_USERNAME": "another",
    "MAIL_PASSWORD": "another",
    "MAIL_TIMEOUT": "7",
    "MAIL_DEFAULT_SENDER": "sender@another.example.net",
    "EMAIL_SENDER": "Another <other@another.example.net>",
    "EMAIL_SUBJECT_PREFIX": "(another)",
    "SENT_EMAIL_DAYS": "2",
    "DEV_DATABASE_URL": "sqlite:///another-development.sqlite",
    "TEST_DATABASE_URL": "sqlite:///another-test.sqlite",
    "DATABASE_URL": "sqlite:///another.sqlite",
    "REDIS_URL": "redis://another.example.net:1/7",
    "CACHE_REDIS_URL": "redis://another.example.net:1/8",
    "PORT": "7",
    "PROXY_COUNT": "2",
    "SSL_DISABLE": "false",
    "TRUSTED_HOSTS": "another.example.net",
    "SENTRY_DSN": "https://key@errors.another.example.net/1",
    "GOOGLE_ANALYTICS_ID": "G-ANOTHER",
    "SEGMENT_API_KEY": "another",
}
SHOW = "import tests, config; s = vars(config.config['testing']()); del s['environment']; print(s)"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the project in which every setting is another one, those of a fork included."""
    project = copy_project(tmp_path_factory.mktemp("settings") / "project")
    change_every_setting(project)
    return project


def change_every_setting(project: Path) -> None:
    sample = (project / ".env.example").read_text().splitlines()
    names = {line.partition("=")[0] for line in sample if "=" in line and not line.startswith("#")}
    settings = {name: OTHER_SETTINGS.get(name, "another") for name in names}
    assert all(f"{name}={value}" not in sample for name, value in settings.items())
    (project / ".env").write_text("".join(f'{name}="{value}"\n' for name, value in settings.items()))


def run(project: Path, *arguments: str, **variables: str) -> str:
    """Run Python in ``project`` with a developer's environment, and return its output."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(project.parent), **variables}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=project, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{done.stdout[-8000:]}\n{done.stderr[-2000:]}"
    return done.stdout


@pytest.mark.thorough
def test_neither_the_settings_file_nor_the_environment_reaches_the_tests(checkout: Path) -> None:
    expected = {name: value for name, value in vars(config["testing"]({})).items() if name != "environment"}

    shown = run(checkout, "-c", SHOW, **{**OTHER_SETTINGS, "TEST_DATABASE_URL": ""})

    assert shown.replace(str(checkout), str(ROOT)).strip() == str(expected)

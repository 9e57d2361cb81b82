"""The production site with a cheap password hash and no rate limits, to measure the rest of a login."""

import os

from flask import Flask

from app import create_app
from app.kit.auth import passwords
from app.kit.core.environment import Environment
from config import ProductionConfig, config


class WithoutHash(ProductionConfig):
    """Production without its protection of passwords. Never use it for a real site."""

    RATELIMIT_ENABLED = False

    def _read_accounts(self, env: Environment) -> None:
        super()._read_accounts(env)
        self.ARGON2_MEMORY_COST = 8
        self.ARGON2_TIME_COST = 1


def create() -> Flask:
    """Return the application, as ``create_app`` does."""
    config["without_hash"] = WithoutHash
    os.environ["FLASK_CONFIG"] = "without_hash"
    app = create_app()
    # A login would also compute the costly method of the other users' hashes. The first one renews its user's own.
    passwords.init_app(app, methods_in_use=lambda: ())
    return app

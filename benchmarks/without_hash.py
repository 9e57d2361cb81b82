"""The production site with a hash that costs nothing and no limit on tries: what logging in costs besides."""

import os

from flask import Flask

from app import create_app
from app.kit.core.environment import Environment
from config import ProductionConfig, config


class WithoutHash(ProductionConfig):
    """Never for a real site."""

    RATELIMIT_ENABLED = False

    def _read_accounts(self, env: Environment) -> None:
        super()._read_accounts(env)
        self.ARGON2_MEMORY_COST = 8
        self.ARGON2_TIME_COST = 1


def create() -> Flask:
    """Return the application, as ``create_app`` does."""
    config["without_hash"] = WithoutHash
    os.environ["FLASK_CONFIG"] = "without_hash"
    return create_app()

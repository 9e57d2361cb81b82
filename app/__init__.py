"""The application factory: read it as the table of contents."""

import os

from flask import Flask

# The module, not its names: it imports app.kit, and somebody may import it before this package.
import config
from app import access, areas, assets, commands, errors, jobs, navigation, sessions, templating
from app.extensions import cache, compress, csrf, db, limiter, login_manager, mail
from app.kit.auth import guesses, limits, passwords
from app.kit.core import error_tracking, request_log
from app.kit.core.environment import ConfigError
from app.kit.db import database, migrations
from app.kit.forms import form as forms
from app.kit.http import caching, conflicts, proxies, routing, security_headers, static_files
from app.kit.jobs import queue
from app.models.user import password_methods

__all__ = ["compress", "create_app", "csrf", "db", "limiter", "login_manager", "mail"]

# Who uses the site, each a package of its own (areas.py).
AREAS = [
    "main",
    "account",
    "admin",
    # An area of your own: one more line below this one, where no release of the kit writes.
]


def create_app(config_name: str | None = None) -> Flask:
    """Return the application in one of the environments of ``config.py``.

    ``config_name`` defaults to the variable FLASK_CONFIG. Raises :class:`app.kit.core.environment.ConfigError`,
    naming each setting that is missing or wrong.
    """
    app = Flask(__name__, static_folder=None)
    _configure(app, config_name or os.environ.get("FLASK_CONFIG", ""))
    _bind_extensions(app)
    _set_up_requests(app)
    _register_areas(app)
    return app


def _configure(app: Flask, config_name: str) -> None:
    if not config_name:
        # Development shows everybody's mail: a server that was told nothing must not become one by accident.
        raise ConfigError(
            [
                "FLASK_CONFIG: it is missing. Set it to production, heroku or unix on a server; "
                "on your own machine, python3 manage.py dev runs the site."
            ]
        )
    if config_name not in config.config:
        known = ", ".join(sorted(config.config))
        raise ConfigError([f"FLASK_CONFIG: {config_name!r} is unknown. Set it to one of: {known}."])
    settings = config.config[config_name](os.environ)
    app.config.from_object(settings)
    # Areas read settings of their own from it.
    app.extensions["environment"] = settings.environment
    app.config["INSTANCE_DIR"].mkdir(exist_ok=True)
    # Flask's own command line would otherwise decide this by a variable of its own.
    app.debug = app.config["DEBUG"]


def _bind_extensions(app: Flask) -> None:
    db.init_app(app)
    database.init_app(app, db)
    migrations.init_app(app)
    mail.init_app(app)
    queue.init_app(app)
    jobs.init_app()
    passwords.init_app(app, password_methods)
    sessions.init_app(app)


def _set_up_requests(app: Flask) -> None:
    routing.init_app(app)
    error_tracking.init_app(app)
    proxies.init_app(app)
    request_log.init_app(app)
    security_headers.init_app(app)
    limits.init_app(app, limiter)
    guesses.init_app(app, limiter)
    forms.init_app(app)
    csrf.init_app(app)
    caching.init_app(app, cache, templating.look, frozenset({templating.THEME_COOKIE}))
    compress.init_app(app)
    assets.init_app(app)
    static_files.init_app(app)
    templating.init_app(app)
    navigation.init_app(app)
    errors.init_app(app)
    conflicts.init_app(app)
    commands.init_app(app)
    access.init_app(app)


def _register_areas(app: Flask) -> None:
    # The developer's area shows everybody's mail: in production not even its code is loaded.
    areas.init_app(app, areas.load([*AREAS, "dev"] if app.debug or app.testing else AREAS))

"""The application factory, and the table of contents of the code."""

import os

from flask import Flask

# Import the module, not its names: config imports app.kit, so it may be only half loaded here.
import config
from app import access, areas, assets, audit, commands, errors, jobs, maintenance, navigation, sessions, templating
from app.extensions import cache, compress, csrf, db, limiter, login_manager, mail
from app.kit.auth import passwords
from app.kit.core import error_tracking, metrics, request_log
from app.kit.core.environment import ConfigError
from app.kit.db import database, migrations
from app.kit.forms import form as forms
from app.kit.http import caching, conflicts, proxies, routing, security_headers, session_cookie, static_files
from app.kit.jobs import queue
from app.kit.storage import configured as storage
from app.models.user import password_methods

__all__ = ["compress", "create_app", "csrf", "db", "limiter", "login_manager", "mail"]

# The areas of the site, each a package of its own (areas.py).
AREAS = [
    "main",
    "account",
    "admin",
    # An area of your own: one more line below this one, where no release of the kit writes.
]


def create_app(config_name: str | None = None) -> Flask:
    """Return the application in one of the environments of ``config.py``.

    ``config_name`` defaults to the environment variable FLASK_CONFIG. Raises
    :class:`app.kit.core.environment.ConfigError`, which names each missing or wrong setting.
    """
    app = Flask(__name__, static_folder=None)
    _configure(app, config_name or os.environ.get("FLASK_CONFIG", ""))
    _bind_extensions(app)
    _set_up_requests(app)
    _register_areas(app)
    return app


def _configure(app: Flask, config_name: str) -> None:
    if not config_name:
        # There is no default: a server without FLASK_CONFIG must not run as development, which shows everybody's mail.
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
    # Areas read their own settings from it.
    app.extensions["environment"] = settings.environment
    app.config["INSTANCE_DIR"].mkdir(exist_ok=True)
    # Flask's command line would otherwise take this from FLASK_DEBUG.
    app.debug = app.config["DEBUG"]


def _bind_extensions(app: Flask) -> None:
    db.init_app(app)
    database.init_app(app, db)
    migrations.init_app(app)
    mail.init_app(app)
    storage.init_app(app)
    jobs.init_app()
    passwords.init_app(app, password_methods)
    sessions.init_app(app)


def _set_up_requests(app: Flask) -> None:
    routing.init_app(app)
    error_tracking.init_app(app)
    proxies.init_app(app)
    session_cookie.init_app(app)
    request_log.init_app(app)
    queue.init_app(app)
    security_headers.init_app(app)
    maintenance.init_app(app)
    metrics.init_app(app, lambda: database.connections_in_use(app))
    limiter.init_app(app)
    forms.init_app(app)
    csrf.init_app(app)
    caching.init_app(app, cache, templating.look, frozenset({templating.THEME_COOKIE}))
    compress.init_app(app)
    assets.init_app(app)
    static_files.init_app(app, app.extensions["assets"].counterpart)
    navigation.init_app(app)
    audit.init_app(app)
    templating.init_app(app)
    errors.init_app(app)
    conflicts.init_app(app)
    commands.init_app(app)
    access.init_app(app)


def _register_areas(app: Flask) -> None:
    # The developer's area shows everybody's mail, so production does not even import it.
    areas.init_app(app, areas.load([*AREAS, "dev"] if app.debug or app.testing else AREAS))

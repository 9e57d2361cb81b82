"""The application factory: read it as the table of contents."""

import os

from flask import Flask

# The module, not its names: it imports app.kit, and somebody may import it before this package.
import config
from app import assets, commands, errors, jobs, sessions, templating
from app.account import account as account_area
from app.admin import admin as admin_area
from app.extensions import cache, compress, csrf, db, limiter, login_manager, mail
from app.kit.auth import limits
from app.kit.core import error_tracking, request_log
from app.kit.core.environment import ConfigError
from app.kit.db import database, migrations
from app.kit.forms import form as forms
from app.kit.http import caching, proxies, routing, security_headers, static_files
from app.kit.jobs import queue
from app.main import main as main_area

__all__ = ["compress", "create_app", "csrf", "db", "limiter", "login_manager", "mail"]


def create_app(config_name: str | None = None) -> Flask:
    """Answer the application in one of the environments of ``config.py``.

    ``config_name`` defaults to the variable FLASK_CONFIG, then to ``default``. Raises
    :class:`app.kit.core.environment.ConfigError`, naming each setting that is missing or wrong.
    """
    app = Flask(__name__, static_folder=None)
    _configure(app, config_name or os.environ.get("FLASK_CONFIG") or "default")
    _bind_extensions(app)
    _set_up_requests(app)
    _register_areas(app)
    return app


def _configure(app: Flask, config_name: str) -> None:
    if config_name not in config.config:
        known = ", ".join(sorted(config.config))
        raise ConfigError([f"FLASK_CONFIG: {config_name!r} is unknown. Set it to one of: {known}."])
    app.config.from_object(config.config[config_name](os.environ))
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
    sessions.init_app(app)


def _set_up_requests(app: Flask) -> None:
    routing.init_app(app)
    error_tracking.init_app(app)
    proxies.init_app(app)
    request_log.init_app(app)
    security_headers.init_app(app)
    limits.init_app(app, limiter)
    forms.init_app(app)
    csrf.init_app(app)
    caching.init_app(app, cache, templating.look, frozenset({templating.THEME_COOKIE}))
    compress.init_app(app)
    assets.init_app(app)
    static_files.init_app(app)
    templating.init_app(app)
    errors.init_app(app)
    commands.init_app(app)


def _register_areas(app: Flask) -> None:
    app.register_blueprint(main_area)
    app.register_blueprint(account_area, url_prefix="/account")
    app.register_blueprint(admin_area, url_prefix="/admin")
    if app.debug or app.testing:
        # Shows everybody's mail: in production not even its code is loaded.
        from app.dev import dev as dev_area

        app.register_blueprint(dev_area, url_prefix="/dev")

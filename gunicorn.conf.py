"""How gunicorn serves the site in production: `gunicorn "app:create_app()"` reads this file by itself."""

import os
import sys

# Heroku and most hosts say where to listen; behind a proxy of one's own, the loopback address would do.
bind = f"{os.environ.get('HOST', '0.0.0.0')}:{os.environ.get('PORT', '8000')}"  # noqa: S104 # nosec B104

# Eight requests at once in about 100 MB. Threads wait for the database and the password hasher,
# processes use the cores.
worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = int(os.environ.get("WEB_THREADS", "4"))

# The application is loaded once, before the fork: a wrong setting ends the start, and memory is shared.
preload_app = True

# A page that takes longer than Heroku's router waits (30 s) has no reader any more.
timeout = 30
graceful_timeout = 25
keepalive = 5

# Heartbeats in memory: on a slow disk they would block the workers.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108, PTH112 # nosec B108

# gunicorn would otherwise open a control socket in the home folder.
control_socket_disable = True

# The application logs each request with its id; a second line would say less.
accesslog = None


def on_starting(_server: object) -> None:
    """Refuse a wrong configuration in one message instead of a traceback."""
    from app.kit.environment import ConfigError
    from config import config

    try:
        config[os.environ.get("FLASK_CONFIG") or "default"](os.environ)
    except ConfigError as error:
        sys.exit(str(error))

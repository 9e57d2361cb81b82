"""How gunicorn serves the site in production: `gunicorn "app:create_app()"` reads this file by itself."""

import gc
import os
from typing import Any

# Heroku and most hosts say where to listen; behind a proxy of one's own, the loopback address would do.
bind = f"{os.environ.get('HOST', '0.0.0.0')}:{os.environ.get('PORT', '8000')}"  # noqa: S104 # nosec B104

# Eight requests at once in about 140 MB. Threads wait for the database and the password hasher,
# processes use the cores.
worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = int(os.environ.get("WEB_THREADS", "4"))

# The application is loaded once, before the fork: memory is shared, and a wrong setting ends the start
# with its message (gunicorn prints a RuntimeError, such as ConfigError, without a traceback).
preload_app = True

# What a start loads, it keeps: looking for garbage in it takes a tenth of the time.
gc.disable()


def pre_fork(_server: Any, _worker: Any) -> None:
    """Let no worker look for garbage in what all of them share.

    Looking writes to every object, and what is written to is no longer shared: two workers that
    have answered some thousand requests take 140 MB with this, 170 without. Before each fork, not
    once: a reload (SIGHUP) reads this file anew.
    """
    gc.freeze()
    gc.enable()


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

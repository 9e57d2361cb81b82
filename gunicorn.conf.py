"""How gunicorn serves the site in production: `gunicorn "app:create_app()"` reads this file by itself."""

import errno
import gc
import os
import sys
from typing import Any

# A thread per connection (gthread) is taken by whoever sends a request slowly: with 2 x 4 threads, eight such
# clients ended the site for everybody; with 2 x 200 it took 400. gevent waits for all of them at once in one
# thread (what it costs: docs/performance.md). It is installed on Linux, where sites run.
# WEB_WORKER=gthread is for code that gevent does not fit, behind a proxy that buffers (docs/deploy.md).
worker_class = os.environ.get("WEB_WORKER") or ("gevent" if sys.platform == "linux" else "gthread")

if worker_class == "gevent":
    from gevent import monkey

    # Before the application is loaded: a lock that was made earlier would stop the whole process.
    monkey.patch_all()

# Nobody but this machine, unless the platform says otherwise: a proxy in front is what strangers should meet.
# Heroku's router (it sets DYNO) comes from another machine; a container has to say HOST=0.0.0.0.
_default_host = "0.0.0.0" if "DYNO" in os.environ else "127.0.0.1"  # noqa: S104 # nosec B104
bind = f"{os.environ.get('HOST') or _default_host}:{os.environ.get('PORT') or '8000'}"

# Eight requests at once in about 150 MB: processes use the cores; what a request waits for (the database,
# Redis) leaves its process to another one.
workers = int(os.environ.get("WEB_CONCURRENCY") or "2")
threads = int(os.environ.get("WEB_THREADS") or "4")

# Clients that are connected to one process, whatever they do. Each can hold two files (its connection, and a
# large body), and most systems allow a process 1024.
worker_connections = 400
# Seconds for the whole headers, and for the next request on an open connection.
keepalive = 5
# Seconds from the end of the headers to the end of the answer; then the connection is closed.
REQUEST_SECONDS = int(os.environ.get("WEB_REQUEST_SECONDS") or "60")

# Also the defaults, stated because they are limits: a request line of 4 kB, 100 headers of 8 kB each.
limit_request_line = 4094
limit_request_fields = 100
limit_request_field_size = 8190

# Nothing in front of us names the mount point or the path by a header. gunicorn would take SCRIPT_NAME and
# PATH_INFO from any proxy on this machine, which passes on what a stranger sent: "SCRIPT_NAME: //evil.example"
# was the beginning of every redirect.
forwarder_headers = ""
header_map = "drop"

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


def post_worker_init(worker: Any) -> None:
    """Wait for a request's whole body before the application takes it, and then for one of its turns."""
    if worker_class != "gevent":
        return
    from app.kit.http.whole_requests import WholeRequests

    largest_body = getattr(worker.wsgi, "config", {}).get("MAX_CONTENT_LENGTH") or 0
    worker.wsgi = WholeRequests(worker.wsgi, at_once=threads, largest_body=largest_body)


def pre_request(_worker: Any, request: Any) -> None:
    """Give the client a time in which to send its body and to read the answer."""
    if worker_class == "gevent":
        from gevent import Timeout, sleep

        # Who sends a hundred requests at once waits behind everybody else after each of them.
        sleep(0)
        # What gunicorn would see if the client had gone: it closes, and writes no line that a stranger could repeat.
        gone = ConnectionResetError(errno.ECONNRESET, f"the request took more than {REQUEST_SECONDS} s")
        request.deadline = Timeout.start_new(REQUEST_SECONDS, gone)


def post_request(_worker: Any, request: Any, _environ: Any, _response: Any) -> None:
    """The request is over: forget its deadline."""
    if worker_class == "gevent":
        request.deadline.close()


# A process that does not answer the first one for so long is replaced.
timeout = 30
graceful_timeout = 25

# Heartbeats in memory: on a slow disk they would block the workers.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108, PTH112 # nosec B108

# gunicorn would otherwise open a control socket in the home folder.
control_socket_disable = True

# The application logs each request with its id; a second line would say less.
accesslog = None

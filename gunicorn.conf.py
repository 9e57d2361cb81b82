"""The settings of gunicorn in production. `gunicorn "app:create_app()"` reads this file by itself."""

import ctypes
import errno
import gc
import os
import sys
from typing import Any

# With a thread per connection (gthread), clients that send slowly block threads: with 2 x 4 threads, eight such
# clients blocked the site for everybody; with 2 x 200 it took 400. gevent waits for all connections in one thread
# (docs/performance.md has its cost). It is installed on Linux only.
# WEB_WORKER=gthread is for code that does not work with gevent, behind a proxy that buffers (docs/deploy.md).
worker_class = os.environ.get("WEB_WORKER") or ("gevent" if sys.platform == "linux" else "gthread")

if worker_class == "gevent":
    from gevent import monkey

    # Before the application is loaded: a lock created earlier would block the whole process.
    monkey.patch_all()

# Listen only on this machine by default: the public should reach the site through a proxy. Heroku (which sets
# DYNO) has its router on another machine. A container has to set HOST=0.0.0.0.
_default_host = "0.0.0.0" if "DYNO" in os.environ else "127.0.0.1"  # noqa: S104 # nosec B104
bind = f"{os.environ.get('HOST') or _default_host}:{os.environ.get('PORT') or '8000'}"

# Eight requests at once in about 150 MB. Processes use the cores; while a request waits for the database or
# Redis, its process runs others.
workers = int(os.environ.get("WEB_CONCURRENCY") or "2")
threads = int(os.environ.get("WEB_THREADS") or "4")

# The most connections per process. Each can have two open files (its socket, and a large body), and most systems
# allow 1024 per process.
worker_connections = 400
# Seconds to receive all headers, and to wait for the next request on an open connection.
keepalive = 5
# Seconds from the end of the headers to the end of the response; then the connection is closed.
REQUEST_SECONDS = int(os.environ.get("WEB_REQUEST_SECONDS") or "60")

# gunicorn's defaults, stated because they limit memory: a request line of 4 kB, 100 headers of 8 kB each.
limit_request_line = 4094
limit_request_fields = 100
limit_request_field_size = 8190

# Accept no mount point or path from headers. By default gunicorn takes SCRIPT_NAME and PATH_INFO from any proxy on
# this machine, which may pass on an attacker's headers: with "SCRIPT_NAME: //evil.example" every redirect began
# with that host.
forwarder_headers = ""
header_map = "drop"

# Load the application once, before the fork: the workers share its memory, and a wrong setting stops the start
# with its message (gunicorn prints a RuntimeError, such as ConfigError, without a traceback).
preload_app = True

# By default, glibc keeps a freed block once it has seen one of that size: each hash of a password takes 19 MiB, and
# between smaller blocks the holes add up. Blocks of 1 MiB or more go back to the system at once. Other C libraries
# have no mallopt.
M_MMAP_THRESHOLD = -3
if hasattr(ctypes.CDLL(None), "mallopt"):
    ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, 1024 * 1024)

# The start creates almost no garbage, and collecting takes a tenth of its time.
gc.disable()


def pre_fork(_server: Any, _worker: Any) -> None:
    """Exclude the objects that all workers share from garbage collection.

    A collection writes to every object, and pages that are written to are no longer shared: after some thousand
    requests, two workers take 140 MB with this, 170 without. This runs before each fork, because a reload
    (SIGHUP) runs this file again.
    """
    gc.freeze()
    gc.enable()
    if worker_class == "gevent":
        from gevent import sleep

        # Let timers end that the application started (Flask-Limiter's): in the child, gevent would log a traceback.
        sleep(0.02)


def post_worker_init(worker: Any) -> None:
    """Pass a request to the application only once its whole body has arrived, at most ``threads`` at once."""
    # benchmarks/start.py runs bare Flask with this file, and must not import the kit into it.
    if worker_class != "gevent" or "app" not in sys.modules:
        return
    from app.kit.http.large_bodies import largest_body_for
    from app.kit.http.whole_requests import WholeRequests

    worker.wsgi = WholeRequests(worker.wsgi, at_once=threads, largest_body=largest_body_for(worker.wsgi))


def pre_request(_worker: Any, request: Any) -> None:
    """Limit the time in which the client has to send its body and read the response."""
    if worker_class == "gevent":
        from gevent import Timeout, sleep

        # Let other connections run first, so that a client with a hundred pipelined requests delays nobody.
        sleep(0)
        # gunicorn treats this like a client that disconnected: it closes the connection and logs nothing, so an
        # attacker cannot fill the log.
        gone = ConnectionResetError(errno.ECONNRESET, f"the request took more than {REQUEST_SECONDS} s")
        request.deadline = Timeout.start_new(REQUEST_SECONDS, gone)


def post_request(_worker: Any, request: Any, _environ: Any, _response: Any) -> None:
    """Cancel the deadline of a finished request."""
    if worker_class == "gevent":
        request.deadline.close()


# Seconds without a heartbeat after which a worker is replaced, and seconds for its requests to finish at the end.
timeout = 30
graceful_timeout = 25

# Keep the heartbeat files in memory: on a slow disk they would block the workers.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108, PTH112 # nosec B108

# Otherwise gunicorn opens a control socket in the home folder.
control_socket_disable = True

# The application logs each request with its id.
accesslog = None

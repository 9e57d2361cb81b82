"""Werkzeug's development server, which survives a saved mistake: it shows it and waits for the next save."""

import os
import traceback
from collections.abc import Callable
from typing import Any, NoReturn

from flask import Flask
from werkzeug.serving import is_running_from_reloader, run_simple


def serve(load_app: Callable[[], Flask], host: str, port: int, reload: bool) -> None:
    """Serve the application; with ``reload`` a second process does, and is replaced at every save."""
    if reload and not is_running_from_reloader():
        # This process only watches over the one that serves.
        run_simple(host, port, _nothing, use_reloader=True)
        return
    try:
        app = load_app()
    except Exception as error:
        show_until_mended(error)
    run_simple(host, port, app, use_reloader=reload, use_debugger=app.debug, threaded=True)


def show_until_mended(error: Exception) -> None:
    """Answer every request with the error of code that does not load; raises it when nothing would reload."""
    if not is_running_from_reloader():
        raise error
    traceback.print_exception(error)

    def application(_environ: Any, _start_response: Any) -> NoReturn:
        raise error

    run_simple("127.0.0.1", int(os.environ.get("PORT", 0)), application, use_reloader=True, use_debugger=True)


def _nothing(_environ: Any, _start_response: Any) -> NoReturn:
    raise RuntimeError("the watching process serves nothing")

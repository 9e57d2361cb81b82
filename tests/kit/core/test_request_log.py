"""Tests for the request log: one line for each request, and no secret in it."""

import json
import logging
import os
import sys

import pytest
from flask import Flask, abort

from app.kit.core import request_log
from app.kit.core.request_log import JsonFormatter, ReadableFormatter, current_request_id, log_fields

TOKEN = "CANARY-token"
FORGED = 'typed\n2026-01-01 ERROR forged {"level": "error"}\x1b[2J\u2028\ud800'


@pytest.fixture
def site(bare_app: Flask) -> Flask:
    """Return a site with a page behind a token, one that fails, and one that returns its request id."""
    bare_app.config["PROPAGATE_EXCEPTIONS"] = False
    request_log.init_app(bare_app)
    bare_app.add_url_rule("/open/<token>", view_func=lambda token: "open", endpoint="open")
    bare_app.add_url_rule("/broken/<token>", view_func=lambda token: 1 / 0, endpoint="broken")
    bare_app.add_url_rule("/closed/<token>", view_func=lambda token: abort(403), endpoint="closed")
    bare_app.add_url_rule("/id", view_func=lambda: current_request_id() or "", endpoint="id")
    return bare_app


def lines(caplog: pytest.LogCaptureFixture, formatter: logging.Formatter) -> list[str]:
    return [formatter.format(record) for record in caplog.records]


@pytest.mark.parametrize("formatter", [JsonFormatter(), ReadableFormatter()])
@pytest.mark.parametrize(
    ("path", "status", "route"),
    [
        ("/open/" + TOKEN, 200, "/open/<token>"),
        ("/closed/" + TOKEN, 403, "/closed/<token>"),
        ("/broken/" + TOKEN, 500, "/broken/<token>"),
        ("/nowhere/" + TOKEN, 404, "(none)"),
    ],
)
def test_a_line_names_the_route_and_never_the_address(
    site: Flask, caplog: pytest.LogCaptureFixture, path: str, status: int, route: str, formatter: logging.Formatter
) -> None:
    caplog.set_level(logging.DEBUG)
    headers = {"Referer": f"https://example.org/{TOKEN}", "Cookie": f"session={TOKEN}", "User-Agent": TOKEN}
    assert site.test_client().get(f"{path}?next={TOKEN}", headers=headers).status_code == status
    logged = "\n".join(lines(caplog, formatter))
    assert route in logged
    assert str(status) in logged
    assert TOKEN not in logged


def test_a_failure_is_logged_with_its_traceback(site: Flask, caplog: pytest.LogCaptureFixture) -> None:
    site.test_client().get("/broken/x")
    failure = next(record for record in caplog.records if record.exc_info)
    line = json.loads(JsonFormatter().format(failure))
    assert "ZeroDivisionError" in line["exception"]
    assert line["route"] == "/broken/<token>"


def test_a_line_is_one_json_object_with_the_time_in_utc(site: Flask, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    answer = site.test_client().get("/open/x")
    line = json.loads(lines(caplog, JsonFormatter())[-1])
    assert line["time"].endswith("+00:00")
    assert (line["level"], line["event"], line["status"], line["method"]) == ("info", "request", 200, "GET")
    assert answer.headers["X-Request-ID"]


@pytest.mark.parametrize("formatter", [JsonFormatter(), ReadableFormatter()])
def test_what_somebody_typed_begins_no_line_of_its_own(formatter: logging.Formatter) -> None:
    record = logging.LogRecord("test", logging.INFO, __file__, 1, "hello %s", (FORGED,), None)
    record.fields = {"also": FORGED}
    line = formatter.format(record)
    assert line.isprintable()
    line.encode()


def test_a_readable_line_keeps_letters_of_every_script() -> None:
    record = logging.LogRecord("test", logging.INFO, __file__, 1, "hello %s", ("Ωmega é",), None)
    assert "Ωmega é" in ReadableFormatter().format(record)


@pytest.mark.parametrize("sent", ["0123456789abcdef", "req-1.2_3"])
def test_a_proxys_request_id_is_taken_and_a_strangers_is_not(site: Flask, sent: str) -> None:
    for proxies, taken in ((1, True), (0, False)):
        site.config["PROXY_COUNT"] = proxies
        answer = site.test_client().get("/id", headers={"X-Request-ID": sent})
        assert (answer.text == sent) is taken
        assert answer.headers["X-Request-ID"] == answer.text


@pytest.mark.parametrize(
    "sent", ["", "short", "x" * 65, "a b c d e f g", "../../../etc", "<script>alert</script>", "é" * 9]
)
def test_even_from_a_proxy_an_odd_request_id_is_replaced(site: Flask, sent: str) -> None:
    site.config["PROXY_COUNT"] = 1
    answer = site.test_client().get("/id", headers={"X-Request-ID": sent})
    assert answer.text != sent
    assert len(answer.text) == 16


def test_in_a_job_the_id_is_that_of_the_request_it_came_from(bare_app: Flask) -> None:
    with log_fields(request_id="of-the-request", job_id=7):
        assert current_request_id() == "of-the-request"
        record = logging.LogRecord("test", logging.INFO, __file__, 1, "sent", (), None)
        line = json.loads(JsonFormatter().format(record))
        assert (line["request_id"], line["job_id"]) == ("of-the-request", 7)
    assert current_request_id() is None


def test_setting_up_twice_prints_once(site: Flask) -> None:
    request_log.configure_logging(level="INFO", as_json=False)
    handlers = [handler for handler in logging.getLogger().handlers if handler.get_name() == "request_log"]
    assert len(handlers) == 1
    assert not logging.getLogger("werkzeug").isEnabledFor(logging.INFO)


def test_lines_of_the_server_can_still_be_written_in_its_own_form(
    site: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    logging.getLogger("gunicorn.error").warning("Booting worker")
    gunicorns = logging.Formatter("%(asctime)s [%(process)d] [%(levelname)s] %(message)s")
    assert gunicorns.format(caplog.records[-1]).endswith(f" [{os.getpid()}] [WARNING] Booting worker")


def test_without_a_terminal_and_outside_development_lines_are_json(
    bare_app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: False, raising=False)
    monkeypatch.setattr(bare_app, "testing", False)
    request_log.init_app(bare_app)
    (handler,) = [handler for handler in logging.getLogger().handlers if handler.get_name() == "request_log"]
    assert isinstance(handler.formatter, JsonFormatter)

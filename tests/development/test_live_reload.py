"""Pages get a script that reloads them after a save; nothing else changes."""

from pathlib import Path

import pytest
from werkzeug.test import Client
from werkzeug.wrappers import Request, Response

from development import live_reload
from development.live_reload import LiveReload

PAGE = "<!doctype html>\n<title>A page</title>\n"
# What a browser sends when it opens a page.
VISIT = {"Accept": "text/html,*/*;q=0.8", "Sec-Fetch-Dest": "document"}


@pytest.fixture
def template(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a template in a folder that is watched instead of the application's."""
    monkeypatch.setattr(live_reload, "APP", tmp_path)
    monkeypatch.setattr(live_reload, "LOOK_SECONDS", 0.01)
    file = tmp_path / "templates" / "main" / "page.html"
    file.parent.mkdir(parents=True)
    file.write_text("before")
    return file


@Request.application
def site(request: Request) -> Response:
    """Return a page, or JSON at /data."""
    return (
        Response("{}", mimetype="application/json") if request.path == "/data" else Response(PAGE, mimetype="text/html")
    )


def seen_by(reloading: LiveReload) -> str:
    """Return the state that a page of now carries."""
    return Client(reloading).get("/", headers=VISIT).text.partition('data-seen="')[2].partition('"')[0]


def test_a_page_gets_the_script_and_the_right_length(template: Path) -> None:
    response = Client(LiveReload(site)).get("/", headers=VISIT)
    assert response.text.startswith(PAGE + '<script src="/dev/live-reload.js" ')
    assert response.content_length == len(response.data)
    script = Client(LiveReload(site)).get("/dev/live-reload.js")
    assert (script.mimetype, "EventSource" in script.text) == ("text/javascript", True)


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("POST", "/", VISIT),
        ("HEAD", "/", VISIT),
        ("GET", "/data", VISIT),
        ("GET", "/", {**VISIT, "Sec-Fetch-Dest": "iframe"}),
        ("GET", "/", {"Accept": "*/*"}),
    ],
)
def test_nothing_but_a_page_that_can_be_reloaded_gets_it(
    template: Path, method: str, path: str, headers: dict[str, str]
) -> None:
    response = Client(LiveReload(site)).open(path, method=method, headers=headers)
    assert "<script" not in response.text


def test_a_save_is_told_to_the_page_that_was_made_before_it(template: Path) -> None:
    reloading = LiveReload(site)
    before = seen_by(reloading)
    stream = iter(Client(reloading).get(f"/dev/live-reload?seen={before}").response)
    assert [next(stream), next(stream)] == [b"retry: 300\n\n", b":\n\n"]
    template.write_text("after")
    template.touch()
    assert next(stream) == b"data: saved\n\n"
    assert seen_by(reloading) != before


def test_another_process_is_news_and_a_stopping_one_ends_its_streams(template: Path) -> None:
    old, new = LiveReload(site), LiveReload(site)
    stream = iter(Client(new).get(f"/dev/live-reload?seen={seen_by(old)}").response)
    assert [next(stream), next(stream)] == [b"retry: 300\n\n", b"data: saved\n\n"]
    new.stop()
    assert list(stream) == []

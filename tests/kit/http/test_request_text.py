"""Views and forms only get text that can be stored, and a malformed body is 400."""

import io

import pytest
from flask import Flask, jsonify, request
from flask.testing import FlaskClient

from app.kit.forms import form as forms
from app.kit.http import routing

MULTIPART = "multipart/form-data; boundary=b"
NAMELESS = {
    "field": b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n",
    "file": b'--b\r\nContent-Disposition: form-data; filename="a.txt"\r\n\r\nx\r\n--b--\r\n',
}


class BrokenChunkError(Exception):
    """Like gunicorn's error: not an OSError, so Werkzeug does not catch it."""


class BrokenStream:
    """A body that cannot be read to its end."""

    def read(self, _size: int = -1) -> bytes:
        """Raise the error that gunicorn raises at a chunk without a valid size."""
        raise BrokenChunkError


@pytest.fixture
def client(bare_app: Flask) -> FlaskClient:
    """Return a client of a site whose views read the request themselves."""
    bare_app.testing = False
    routing.init_app(bare_app)
    forms.init_app(bare_app)

    @bare_app.route("/", methods=["GET", "POST"])
    def said() -> object:
        files = [file.filename for file in request.files.values()]
        return jsonify(form=request.form, args=request.args, browser=request.user_agent.string, files=files)

    @bare_app.post("/raw")
    @forms.accepts("text/plain")
    def raw() -> object:
        return request.get_data()

    for number, rule in enumerate(["/<value>", "/<string:value>", "/<path:value>", "/<int(signed=True):value>"]):
        bare_app.add_url_rule(f"/{number}{rule}", f"rule{number}", lambda value: jsonify(value))
    bare_app.add_url_rule("/float/<float:value>", "float", lambda value: jsonify(round(value)))
    return bare_app.test_client()


@pytest.mark.parametrize("kind", NAMELESS)
def test_such_a_part_does_not_reach_the_check_of_the_token(csrf_app: Flask, kind: str) -> None:
    answer = csrf_app.test_client().post("/account/login", data=NAMELESS[kind], content_type=MULTIPART)
    assert answer.status_code == 400


@pytest.mark.parametrize("kind", NAMELESS)
def test_a_part_without_a_name_is_refused(client: FlaskClient, kind: str) -> None:
    assert client.post("/", data=NAMELESS[kind], content_type=MULTIPART).status_code == 400


def test_nul_is_replaced_wherever_it_stands(client: FlaskClient) -> None:
    upload = {"a\x00": "b\x00", "file": (io.BytesIO(b"x"), "c\x00.txt")}
    for body in ({"data": b"a%00=b%00"}, {"data": upload}):
        kind = "application/x-www-form-urlencoded" if body["data"] is not upload else None
        said = client.post("/?d%00=e%00", **body, content_type=kind, headers={"User-Agent": "f\x00"}).json
        assert said["form"] == {"a\ufffd": "b\ufffd"}
        assert said["args"] == {"d\ufffd": "e\ufffd"}
        assert said["browser"] == "f\ufffd"
        assert "\x00" not in str(said["files"])


def test_all_else_arrives_as_it_was_sent(client: FlaskClient) -> None:
    text = "ä\t\r\n\x1b\u200d\u202e😀 %"
    said = client.post("/", query_string={"a": text}, data={"a": text, "b": ""}, headers={"User-Agent": "x"}).json
    assert said == {"form": {"a": text, "b": ""}, "args": {"a": text}, "browser": "x", "files": []}
    assert client.post("/?a=1&a=2", data={"a": ["1", "2"]}).status_code == 200


def test_repeated_parameters_stay_repeated_beside_one_that_is_mended(bare_app: Flask) -> None:
    forms.init_app(bare_app)
    with bare_app.test_request_context("/?a=1&a=2%00&b=3"):
        assert request.args.getlist("a") == ["1", "2\ufffd"]


@pytest.mark.parametrize("path", ["/", "/raw"])
def test_broken_chunks_are_the_clients_mistake(client: FlaskClient, path: str) -> None:
    kind = "application/x-www-form-urlencoded" if path == "/" else "text/plain"
    chunked = {"wsgi.input": BrokenStream(), "wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
    assert client.post(path, content_type=kind, environ_overrides=chunked).status_code == 400


@pytest.mark.parametrize("odd", ["%00", "a%00b", "%0A", "%1B", "%7F", "%FF", "%ED%A0%80", "%EF%BF%BD"])
def test_no_page_is_named_by_what_cannot_be_stored(client: FlaskClient, odd: str) -> None:
    assert [client.get(f"/{number}/{odd}").status_code for number in range(3)] == [404] * 3


@pytest.mark.parametrize("text", ["a", "%C3%A4", "%F0%9F%98%80", "a%20b", "a.b-c_d~", "%25"])
def test_other_texts_name_pages(client: FlaskClient, text: str) -> None:
    assert [client.get(f"/{number}/{text}").status_code for number in range(3)] == [200] * 3
    assert client.get(f"/2/{text}/{text}").status_code == 200


def test_numbers_are_those_that_rows_have(client: FlaskClient) -> None:
    answers = {text: client.get(f"/3/{text}").status_code for text in ("7", "-7", "2147483648", "-2147483649")}
    assert list(answers.values()) == [200, 200, 404, 404]
    assert client.get("/float/1.5").status_code == 200
    assert client.get("/float/" + "9" * 400 + ".0").status_code == 404

"""Forms read form bodies; every other body is refused before the view runs."""

import io

import pytest
from flask import Flask, jsonify, request
from flask.testing import FlaskClient
from wtforms import FileField, StringField

from app.kit.forms import form as forms
from app.kit.forms.form import Form, accepts

JSON_BODIES = ['{"name": 5}', "[1]", '"\\ud800"', "[" * 5000, "null", "{", "\x00"]


class NameForm(Form):
    name = StringField("Name")
    picture = FileField("Picture")


@pytest.fixture
def client(bare_app: Flask) -> FlaskClient:
    """Return a client of a site with a form and a view that accepts JSON."""
    bare_app.config["WTF_CSRF_ENABLED"] = False
    forms.init_app(bare_app)

    @bare_app.route("/form", methods=["GET", "POST", "PUT"])
    def form() -> object:
        name_form = NameForm()
        picture = name_form.picture.data
        return jsonify(
            valid=name_form.validate_on_submit(),
            name=name_form.name.data,
            picture=picture.filename if picture else None,
        )

    @bare_app.post("/json")
    @accepts("application/json")
    def json() -> object:
        return jsonify(request.get_json(silent=True))

    return bare_app.test_client()


def test_both_form_types_are_read_with_their_files(client: FlaskClient) -> None:
    assert client.post("/form", data={"name": "Ada"}).json == {"valid": True, "name": "Ada", "picture": None}
    upload = {"name": "Ada", "picture": (io.BytesIO(b"x"), "ada.png")}
    assert client.post("/form", data=upload).json == {"valid": True, "name": "Ada", "picture": "ada.png"}


def test_an_address_fills_in_no_form(client: FlaskClient) -> None:
    assert client.get("/form?name=Ada").json == {"valid": False, "name": None, "picture": None}


@pytest.mark.parametrize("body", JSON_BODIES)
def test_json_never_reaches_a_form(client: FlaskClient, body: str) -> None:
    for method in ("POST", "PUT", "GET"):
        assert client.open("/form", method=method, data=body, content_type="application/json").status_code == 415


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "", "x", "application/json; charset=utf-16"])
def test_no_other_type_does(client: FlaskClient, content_type: str) -> None:
    assert client.post("/form", data="name=Ada", content_type=content_type).status_code == 415


def test_a_body_of_unknown_length_is_one_too(client: FlaskClient) -> None:
    chunked = {"Transfer-Encoding": "chunked", "Content-Type": "application/json"}
    assert client.post("/form", headers=chunked).status_code == 415


def test_a_view_that_says_so_takes_json_and_nothing_else(client: FlaskClient) -> None:
    assert client.post("/json", json={"a": 1}).json == {"a": 1}
    assert client.post("/json", data={"a": 1}).status_code == 415


def test_an_empty_post_and_an_unknown_address_pass_the_gate(client: FlaskClient) -> None:
    assert client.post("/form").status_code == 200
    assert client.post("/nowhere", data="x", content_type="text/plain").status_code == 404

"""The picture of an account in a browser: chosen, made while one waits, and refused before it is sent."""

import pytest
from flask import Flask
from playwright.sync_api import FilePayload, expect

from app.jobs import make_picture
from app.pictures import waiting_uploads
from tests.browser.people import People
from tests.browser.visitor import Visitor
from tests.pictures import good

pytestmark = pytest.mark.thorough

# Chooses a file of that many bytes, and returns what the browser says about it.
CHOOSE = """(input, size) => {
    const files = new DataTransfer();
    files.items.add(new File([new Uint8Array(size)], "me.png", {type: "image/png"}));
    input.files = files.files;
    input.dispatchEvent(new Event("change"));
    return input.validationMessage;
}"""


def choose(visitor: Visitor, content: bytes) -> None:
    visitor.page.set_input_files("input[type=file]", FilePayload(name="me.png", mimeType="image/png", buffer=content))


def test_a_picture_shows_by_itself_once_it_is_made(app: Flask, people: People, visitor: Visitor) -> None:
    visitor.become(people.cookies["user"])
    visitor.open("/account/picture")
    choose(visitor, good())
    visitor.page.get_by_role("button", name="Upload").click()
    expect(visitor.page.get_by_text("Your new picture is being made")).to_be_visible()
    for upload_id in waiting_uploads():
        make_picture(upload_id)
    shown = visitor.page.locator("main img.avatar")
    expect(shown).to_be_visible()
    assert shown.evaluate("picture => picture.naturalWidth") == 256


def test_a_file_that_is_too_large_is_told_before_it_is_sent(people: People, visitor: Visitor) -> None:
    visitor.become(people.cookies["user"])
    visitor.open("/account/picture")
    field = visitor.page.get_by_label("New picture")
    assert field.evaluate(CHOOSE, 5_000_001) == "This file is larger than 5 MB. Choose a smaller one."
    assert field.evaluate(CHOOSE, 5_000_000) == ""

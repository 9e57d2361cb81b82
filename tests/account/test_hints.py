"""Tests for what leads on: the mailbox of a developer, and the way out of a form."""

import pytest
from flask.testing import FlaskClient

from tests.account.test_registration import FORM
from tests.factories import PASSWORD, let_in, make_user

HINT = "Emails sent on this machine are in the"


def test_after_each_request_for_an_email_the_mailbox_is_near(client: FlaskClient) -> None:
    forms = {"/account/register": FORM, "/account/confirm-account": {}, "/account/reset-password": {"email": "a@b.org"}}
    for path, form in forms.items():
        assert HINT in client.post(path, data=form, follow_redirects=True).text, path
    let_in(client, make_user())
    moving = {"email": "new@example.org", "password": PASSWORD}
    assert HINT in client.post("/account/manage/change-email", data=moving, follow_redirects=True).text
    assert HINT in client.post("/account/manage/export", follow_redirects=True).text


@pytest.mark.parametrize("page", ["change-email", "change-password", "delete"])
def test_a_form_about_the_account_can_be_left(client: FlaskClient, page: str) -> None:
    let_in(client, make_user())
    assert '<a class="button" href="/account/manage/info">Cancel</a>' in client.get(f"/account/manage/{page}").text

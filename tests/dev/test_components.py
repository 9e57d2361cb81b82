"""The components page shows the colors as they were built; its forms can be sent, and nothing comes of it."""

from flask.testing import FlaskClient

from app.kit.assets.contrast import READ_ON


def test_every_pair_of_colors_that_the_build_checks_is_shown(client: FlaskClient) -> None:
    page = client.get("/dev/components").text
    assert [pair for pair in READ_ON if f"<strong>{pair[0]}</strong><br>on {pair[1]}<br>" not in page] == []


def test_what_is_sent_is_thrown_away(client: FlaskClient) -> None:
    answer = client.post("/dev/components", data={"empty-name": "Ada"}, follow_redirects=True)
    assert answer.status_code == 200
    assert "What you sent arrived, and was thrown away." in answer.text
    assert 'value="Ada"' not in answer.text

"""A user's picture: uploaded, made by the worker, shown, refused, replaced and removed."""

import json
import re
import resource
from base64 import b64decode
from datetime import timedelta
from io import BytesIO

import psutil
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, encode_multipart

from app.extensions import db
from app.jobs import export_data, make_picture, make_waiting_pictures, sweep_files
from app.kit.db.database import utc_now
from app.kit.jobs.queue import queue_named
from app.kit.storage.bucket import BucketStore
from app.kit.storage.folder import FolderStore
from app.kit.storage.store import StorageError, current_store, new_key
from app.models import AuditEvent, DataExport, StoredFile, User, delete_user
from app.pictures import upload_picture, waiting_uploads
from tests.factories import browser_of, let_in, make_user
from tests.pictures import PLANTED, good, hostile_files, with_secrets
from tests.servers.bucket import ACCESS_KEY_ID, start_bucket

PAGE = "/account/picture"


@pytest.fixture(autouse=True)
def _empty_store(app: Flask, db: object) -> None:
    for key in stored_keys():
        current_store().delete(key)


@pytest.fixture
def storage_away(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.extensions, "storage", FolderStore(None))


def stored_keys() -> set[str]:
    return set(current_store().keys_older_than(utc_now() + timedelta(seconds=2)))


def upload(client: FlaskClient, content: bytes, name: str = "me.png", path: str = PAGE, **fields: str) -> TestResponse:
    # The test client would leave a temporary file open for a large file.
    boundary, body = encode_multipart({"picture": FileStorage(BytesIO(content), name), **fields})
    return client.post(path, data=body, content_type=f"multipart/form-data; boundary={boundary}")


def make_pictures() -> None:
    """Do the worker's jobs."""
    for upload_id in waiting_uploads():
        make_picture(upload_id)


def picture_address(page: TestResponse, size: int = 256) -> str:
    """Return the address of the picture on a page, in one of its sizes."""
    found = re.search(r'src="(/account/picture/[0-9a-f]{32})-\d+\.webp"', page.text)
    assert found, "there is no picture on the page"
    return f"{found.group(1)}-{size}.webp"


def user_with_picture(client: FlaskClient) -> User:
    user = make_user()
    let_in(client, user)
    assert upload(client, good()).location == PAGE
    make_pictures()
    return user


def test_an_upload_becomes_the_picture(client: FlaskClient) -> None:
    let_in(client, make_user())
    assert upload(client, with_secrets("JPEG"), "../../<b>.php").location == PAGE
    assert "is being made" in client.get(PAGE).text
    make_pictures()
    page = client.get(PAGE)
    assert "is being made" not in page.text
    for size in (256, 64):
        sent = client.get(picture_address(page, size))
        assert sent.data.startswith(b"RIFF")
        assert not [text for text in PLANTED if text in sent.data]
    assert stored_keys() == {key for (key,) in db.session.execute(select(User.picture_key))}, "the original is kept"


def test_a_picture_is_sent_as_nothing_but_a_picture(app: Flask, client: FlaskClient) -> None:
    user_with_picture(client)
    sent = app.test_client().get(picture_address(client.get(PAGE)))
    assert {name: sent.headers[name] for name in ("Content-Type", "Content-Disposition", "Cache-Control")} == {
        "Content-Type": "image/webp",
        "Content-Disposition": "inline; filename=picture.webp",
        "Cache-Control": "private, max-age=31536000, immutable",
    }
    assert sent.headers["X-Content-Type-Options"] == "nosniff"
    assert sent.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert "Set-Cookie" not in sent.headers


def test_only_the_two_files_of_a_shown_picture_have_an_address(client: FlaskClient) -> None:
    let_in(client, make_user())
    upload(client, good())
    key = db.session.scalar(select(StoredFile.key))
    assert client.get(f"{PAGE}/{key}-256.webp").status_code == 404, "an upload that waits is no picture"
    make_pictures()
    address = picture_address(client.get(PAGE))
    assert client.get(address).status_code == 200
    for other in (address.replace("-256", "-128"), address.replace("-256", "-0"), f"{PAGE}/{new_key()}-256.webp"):
        assert client.get(other).status_code == 404


def test_a_new_picture_takes_the_place_of_the_old_one(client: FlaskClient) -> None:
    user = user_with_picture(client)
    old = picture_address(client.get(PAGE))
    upload(client, good("WEBP"))
    upload(client, good("JPEG"))
    assert client.get(old).status_code == 200, "the old one is shown until the new one is made"
    make_pictures()
    assert client.get(old).status_code == 404
    assert stored_keys() == {user.picture_key}
    assert picture_address(client.get(PAGE)) != old


def test_a_job_that_runs_twice_or_too_late_changes_nothing(client: FlaskClient) -> None:
    user = user_with_picture(client)
    shown = user.picture_key
    upload(client, good())
    replaced = waiting_uploads()[0]
    upload(client, good())
    make_picture(replaced)
    assert user.picture_key == shown
    current = waiting_uploads()[0]
    make_picture(current)
    shown = user.picture_key
    make_picture(current)
    assert (user.picture_key, stored_keys()) == (shown, {shown})


def test_an_upload_removed_while_the_worker_makes_it_is_not_shown(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = make_user()
    let_in(client, user)
    upload(client, good())

    def removed_meanwhile(*_arguments: object) -> dict[int, bytes]:
        assert client.post(f"{PAGE}/remove").location == PAGE
        return {256: b"RIFF", 64: b"RIFF"}

    monkeypatch.setattr("app.pictures.small_pictures", removed_meanwhile)
    make_pictures()
    db.session.refresh(user)
    assert (user.picture_key, stored_keys(), db.session.scalar(select(StoredFile.id))) == (None, set(), None)


def test_a_file_that_only_the_worker_can_refuse_is_explained(client: FlaskClient) -> None:
    user = user_with_picture(client)
    shown = user.picture_key
    assert upload(client, hostile_files()["half a PNG"]).location == PAGE
    make_pictures()
    page = client.get(PAGE)
    assert "the file is damaged or unusual" in page.text
    assert shown in picture_address(page)
    assert stored_keys() == {shown}
    upload(client, good())
    assert "damaged" not in client.get(PAGE).text


def test_an_upload_that_the_worker_cannot_find_is_explained(client: FlaskClient) -> None:
    let_in(client, make_user())
    upload(client, good())
    current_store().delete(stored_keys().pop())
    make_pictures()
    assert "lost on our side" in client.get(PAGE).text


def test_a_file_that_the_form_refuses_is_not_stored(client: FlaskClient) -> None:
    let_in(client, make_user())
    assert "Choose a picture." in client.post(PAGE, data={}).text
    assert "Choose a picture." in client.post(PAGE, data={"picture": "text"}).text
    bomb = upload(client, hostile_files()["png bomb of 13000 x 6800"])
    assert "at most 25 megapixels" in bomb.text
    assert stored_keys() == set()


def test_a_file_that_is_too_large_is_told_so_by_the_form(csrf_app: Flask, client: FlaskClient) -> None:
    let_in(client, make_user())
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get(PAGE).text)
    assert token
    for size, status in ((5_000_001, 200), (10_000_001, 413)):
        answer = upload(client, good() + bytes(size), csrf_token=token.group(1))
        assert answer.status_code == status
        assert ("larger than 5 MB" in answer.text) == (status == 200)
    # All other pages keep their limit.
    assert upload(client, bytes(2_000_000), path="/account/login").status_code == 413


def test_a_bucket_serves_as_well_as_a_folder(app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    with start_bucket() as bucket:
        store = BucketStore("s3://files", bucket.address, access_key_id=ACCESS_KEY_ID, secret_access_key="s")
        monkeypatch.setitem(app.extensions, "storage", store)
        user = user_with_picture(client)
        assert set(bucket.files) == {f"/files/{user.picture_key}/{size}" for size in (256, 64)}
        assert client.get(picture_address(client.get(PAGE))).data.startswith(b"RIFF")
        client.post(f"{PAGE}/remove")
        assert bucket.files == {}


@pytest.mark.usefixtures("storage_away")
def test_while_the_storage_is_away_the_form_says_so(client: FlaskClient) -> None:
    let_in(client, make_user())
    answer = upload(client, good())
    assert (answer.status_code, db.session.scalar(select(StoredFile.id))) == (200, None)
    assert "could not be stored just now" in answer.text


def test_while_the_storage_is_away_pages_come_without_pictures(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = user_with_picture(client)
    upload(client, good())
    monkeypatch.setitem(app.extensions, "storage", FolderStore(None))
    page = client.get(PAGE)
    assert page.status_code == 200
    picture = client.get(picture_address(page))
    assert (picture.status_code, picture.headers["Cache-Control"]) == (404, "no-store")
    with pytest.raises(StorageError):
        make_pictures()
    assert len(waiting_uploads()) == 1
    assert client.post(f"{PAGE}/remove").location == PAGE
    assert user.picture_key is None


def test_without_redis_no_upload_is_lost(app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    app.extensions["redis"].flushdb()
    let_in(client, make_user())
    with monkeypatch.context() as redis_away:
        redis_away.setitem(app.extensions, "queue_paused_until", float("inf"))
        assert upload(client, good()).location == PAGE
    assert queue_named().jobs == []
    make_waiting_pictures()
    assert [(job.description, list(job.args)) for job in queue_named().jobs] == [("Make a picture", waiting_uploads())]


def test_removing_the_picture_deletes_its_files(client: FlaskClient) -> None:
    user_with_picture(client)
    address = picture_address(client.get(PAGE))
    upload(client, good())
    assert client.post(f"{PAGE}/remove").location == PAGE
    assert "Your picture is removed." in client.get(PAGE).text
    assert client.get(address).status_code == 404
    assert stored_keys() == set()
    events = list(db.session.scalars(select(AuditEvent.event).order_by(AuditEvent.id)))
    assert events[-3:] == ["user.picture_changed", "user.picture_changed", "user.picture_removed"]


@pytest.mark.parametrize("by_the_session", [True, False])
def test_a_deleted_user_leaves_no_file(client: FlaskClient, by_the_session: bool) -> None:
    user = user_with_picture(client)
    upload(client, good())
    other = make_user()
    upload_picture(other, BytesIO(good()))
    if by_the_session:
        db.session.delete(user)
    else:
        delete_user(user)
    assert len(stored_keys()) == 3, "the transaction may still be rolled back"
    db.session.commit()
    assert stored_keys() == {key for (key,) in db.session.execute(select(StoredFile.key))}
    assert len(stored_keys()) == 1


def test_files_that_no_row_names_are_swept_after_a_day(app: Flask, client: FlaskClient) -> None:
    user = user_with_picture(client)
    current_store().write(f"{new_key()}/original", BytesIO(b"left behind"))
    sweep_files()
    assert len(stored_keys()) == 2
    app.config["UNUSED_FILE_LIFETIME"] = timedelta(seconds=-2)
    sweep_files()
    app.config["UNUSED_FILE_LIFETIME"] = timedelta(days=1)
    assert stored_keys() == {user.picture_key}


def test_the_copy_of_ones_data_has_the_picture(client: FlaskClient) -> None:
    user = user_with_picture(client)
    export = DataExport(user_id=user.id)
    db.session.add(export)
    db.session.commit()
    export_data(export.id)
    kind, content = json.loads(export.content or "")["picture"].split(",")
    assert kind == "data:image/webp;base64"
    assert b64decode(content) == client.get(picture_address(client.get(PAGE))).data


@pytest.mark.usefixtures("limits")
def test_uploads_are_limited_per_user(app: Flask, client: FlaskClient) -> None:
    app.config["PICTURE_LIMIT"] = "2/hour"
    let_in(client, make_user())
    assert [upload(client, b"").status_code for _ in range(3)] == [200, 200, 429]
    assert upload(browser_of(app, make_user()), b"").status_code == 200
    app.config["PICTURE_LIMIT"] = "30/hour"


FEW = ["eps", "png bomb of 13000 x 6800", "png of 2^31 pixels a side", "half a JPEG", "png with a text of 20 MB"]


@pytest.mark.parametrize("names", [FEW, pytest.param(None, marks=pytest.mark.thorough)], ids=["few", "all"])
def test_no_file_is_an_error_of_ours_or_takes_memory(client: FlaskClient, names: list[str] | None) -> None:
    """The worker process is this one, too: what grows is the program that it starts."""
    let_in(client, make_user())
    files = {name: hostile_files()[name] for name in names or hostile_files()}
    upload(client, b"GIF89a")
    before = psutil.Process().memory_info().rss
    for name, content in files.items():
        answer = upload(client, content, f"{name}.png")
        assert answer.status_code in {200, 302}, name
        make_pictures()
        assert client.get(PAGE).status_code == 200, name
    grown = psutil.Process().memory_info().rss - before
    assert grown < 20_000_000, f"grown by {grown}"
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss < 600_000
    assert waiting_uploads() == []

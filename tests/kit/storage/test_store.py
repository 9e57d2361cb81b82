"""Both stores do the same: a folder, and a bucket behind a real HTTP server."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest

from app.kit.storage import bucket
from app.kit.storage.bucket import BucketStore
from app.kit.storage.folder import FolderStore
from app.kit.storage.store import PIECE_BYTES, FileMissingError, StorageError, Store, new_key
from tests.servers.bucket import ACCESS_KEY_ID, start_bucket

CONTENT = bytes(range(256)) * (PIECE_BYTES // 100)


def text_of(store: Store, path: str) -> bytes:
    return b"".join(store.read(path))


def everything(store: Store, ago: timedelta = timedelta()) -> set[str]:
    return set(store.keys_older_than(datetime.now(UTC) + timedelta(seconds=2) - ago))


class StoreTests:
    """What every store does; ``store`` works, and ``broken`` is out of order."""

    def test_what_is_written_is_read_in_pieces(self, store: Store) -> None:
        path = f"{new_key()}/original"
        store.write(path, BytesIO(CONTENT))
        pieces = list(store.read(path))
        assert b"".join(pieces) == CONTENT
        assert len(pieces) > 1

    def test_a_large_file_is_written_whole(self, store: Store) -> None:
        content = bytes(range(256)) * 4096 * 11  # 11 MB: a bucket gets it in parts
        path = f"{new_key()}/original"
        store.write(path, BytesIO(content))
        assert text_of(store, path) == content

    def test_a_file_that_nobody_reads_to_the_end_is_closed(self, store: Store) -> None:
        path = f"{new_key()}/original"
        store.write(path, BytesIO(CONTENT))
        store.read(path)
        next(store.read(path))

    def test_writing_again_replaces(self, store: Store) -> None:
        path = f"{new_key()}/original"
        store.write(path, BytesIO(b"first"))
        store.write(path, BytesIO(b""))
        assert text_of(store, path) == b""

    def test_what_is_not_there_is_missing_at_once(self, store: Store) -> None:
        with pytest.raises(FileMissingError):
            store.read(f"{new_key()}/original")

    def test_all_files_of_a_key_go_and_no_others(self, store: Store) -> None:
        gone, kept = new_key(), new_key()
        for path in (f"{gone}/256", f"{gone}/64", f"{gone}/1.txt", f"{kept}/256"):
            store.write(path, BytesIO(b"a picture"))
        store.delete(gone)
        store.delete(gone)
        assert everything(store) == {kept}
        assert list(store.paths()) == [f"{kept}/256"]
        assert text_of(store, f"{kept}/256") == b"a picture"

    def test_keys_are_found_by_their_age(self, store: Store) -> None:
        assert everything(store) == set()
        keys = {new_key() for _ in range(5)}
        for key in keys:
            store.write(f"{key}/original", BytesIO(b"x"))
        assert everything(store) == keys
        assert everything(store, ago=timedelta(hours=1)) == set()

    @pytest.mark.parametrize(
        "path", ["../secret", "a/../../secret", f"{'a' * 32}/../secret", f"{'a' * 32}/.hidden", ""]
    )
    def test_no_path_leads_out(self, store: Store, path: str) -> None:
        with pytest.raises(ValueError, match="no path"):
            store.write(path, BytesIO(b"x"))
        with pytest.raises(ValueError, match="no path"):
            store.read(path)

    def test_a_store_that_is_out_of_order_says_so(self, broken: Store) -> None:
        key = new_key()
        for use in (
            lambda: broken.write(f"{key}/original", BytesIO(b"x")),
            lambda: broken.read(f"{key}/original"),
            lambda: broken.delete(key),
            lambda: list(broken.keys_older_than(datetime.now(UTC))),
        ):
            with pytest.raises(StorageError) as raised:
                use()
            assert not isinstance(raised.value, FileMissingError)


class TestFolder(StoreTests):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Store:
        return FolderStore(tmp_path / "uploads")

    @pytest.fixture
    def broken(self, tmp_path: Path) -> Store:
        (tmp_path / "file").write_text("no folder")
        return FolderStore(tmp_path / "file")

    def test_a_platform_without_a_lasting_disk_stores_nothing(self) -> None:
        with pytest.raises(StorageError, match="UPLOADS_BUCKET"):
            FolderStore(None).write(f"{new_key()}/original", BytesIO(b"x"))


class TestBucket(StoreTests):
    @pytest.fixture
    def store(self) -> Iterator[Store]:
        with start_bucket() as server:
            yield BucketStore("s3://files/site", server.address, access_key_id=ACCESS_KEY_ID, secret_access_key="s")

    @pytest.fixture
    def broken(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
        monkeypatch.setattr(bucket, "RETRY_TIMEOUT", timedelta())
        with start_bucket() as server:
            server.is_out_of_order = True
            yield BucketStore("s3://files/site", server.address, access_key_id=ACCESS_KEY_ID, secret_access_key="s")

    def test_its_prefix_is_its_own(self) -> None:
        with start_bucket() as server:
            keys = {"access_key_id": ACCESS_KEY_ID, "secret_access_key": "s"}
            first, second = (BucketStore(f"s3://files/{name}", server.address, **keys) for name in ("one", "two"))
            first.write(f"{'a' * 32}/original", BytesIO(b"x"))
            assert list(server.files) == [f"/files/one/{'a' * 32}/original"]
            assert everything(second) == set()

    def test_wrong_credentials_are_a_storage_error(self) -> None:
        with start_bucket() as server:
            store = BucketStore("s3://files", server.address, access_key_id="other", secret_access_key="s")
            with pytest.raises(StorageError):
                store.write(f"{new_key()}/original", BytesIO(b"x"))

    def test_nobody_there_is_a_storage_error(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(bucket, "RETRY_TIMEOUT", timedelta())
        with start_bucket() as server:
            address = server.address
        store = BucketStore("s3://files", address, access_key_id=ACCESS_KEY_ID, secret_access_key="s")
        with pytest.raises(StorageError):
            store.write(f"{new_key()}/original", BytesIO(b"x"))

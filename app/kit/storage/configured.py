"""The store that the settings name."""

from flask import Flask

from app.kit.storage.folder import FolderStore


def init_app(app: Flask) -> None:
    """Set ``app.extensions["storage"]`` to the bucket at UPLOADS_BUCKET, else to the folder UPLOADS_FOLDER."""
    if app.config["UPLOADS_BUCKET"]:
        # Imported here, because obstore is an optional package.
        from app.kit.storage.bucket import BucketStore

        app.extensions["storage"] = BucketStore(
            app.config["UPLOADS_BUCKET"],
            endpoint=app.config["UPLOADS_ENDPOINT"],
            region=app.config["UPLOADS_REGION"],
            access_key_id=app.config["UPLOADS_ACCESS_KEY_ID"],
            secret_access_key=app.config["UPLOADS_SECRET_ACCESS_KEY"],
        )
    else:
        app.extensions["storage"] = FolderStore(app.config["UPLOADS_FOLDER"])

"""Send a stored file to a browser so that nothing in it can act on our site."""

from collections.abc import Iterator

from flask import Response

# Even a file that a browser takes for a page runs no script, loads nothing, and is not of our origin.
FILE_POLICY = "default-src 'none'; sandbox"


def file_response(pieces: Iterator[bytes], media_type: str, name: str, *, inline: bool = False) -> Response:
    """Return the file in ``pieces`` as a response; ``media_type`` and ``name`` are ours, never those of the upload.

    A browser shows it with ``inline``, and saves it otherwise.
    """
    response = Response(pieces, mimetype=media_type)
    response.headers.set("Content-Disposition", "inline" if inline else "attachment", filename=name)
    response.headers["Content-Security-Policy"] = FILE_POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response

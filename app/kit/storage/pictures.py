"""Check an uploaded picture without decoding it, and make small ones of it in a process of their own.

The check is for web processes. Making the small ones takes memory and time, so that is for workers.
"""

import os
import subprocess  # nosec B404 # runs our own program
import sys
from pathlib import Path
from typing import IO

from app.kit.storage.picture_header import picture_header

PROGRAM = Path(__file__).with_name("shrink_picture.py")
DEADLINE_SECONDS = 10
MEGA = 1_000_000
# The exit code of a bug or of missing packages, as opposed to those of a file that cannot be decoded.
PROGRAM_FAILED = 1


class UnreadablePictureError(Exception):
    """The file is damaged, no picture, or takes too much memory or time."""


def problem_with_picture(file: IO[bytes], most_bytes: int, most_pixels: int) -> str | None:
    """Return what is wrong with an uploaded file, in words for its owner, or None. Not one pixel is decoded."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    if size == 0:
        return "This file is empty."
    if size > most_bytes:
        return too_large(most_bytes)
    header = picture_header(file)
    if header is None or not header.width or not header.height:
        return "This is not a PNG, JPEG or WebP picture. Save it as one of these, then choose it again."
    if header.is_animated:
        return "This picture moves. Choose one that stands still."
    if header.width * header.height > most_pixels:
        pixels = f"{header.width} × {header.height} pixels"
        return f"This picture has {pixels}. Choose one of at most {most_pixels // MEGA} megapixels."
    return None


def too_large(most_bytes: int) -> str:
    """Return what a form says about a file of more than ``most_bytes``."""
    return f"This file is larger than {most_bytes // MEGA} MB. Choose a smaller one."


def small_pictures(original: bytes, most_pixels: int, sizes: tuple[int, ...]) -> dict[int, bytes]:
    """Return square WebP files by their size in pixels; ``sizes`` begins with the largest.

    They are new pictures: nothing but pixels is taken from the original. Raises :class:`UnreadablePictureError`.
    """
    # -I: the program finds the installed packages, but none of our modules.
    command = [sys.executable, "-I", str(PROGRAM), str(most_pixels), *map(str, sizes)]
    try:
        done = subprocess.run(  # nosec B603 # noqa: S603 - our own program
            command, input=original, env=_environment(), capture_output=True, check=False, timeout=DEADLINE_SECONDS
        )
    except subprocess.TimeoutExpired as error:
        raise UnreadablePictureError("it takes too long") from error
    if done.returncode == PROGRAM_FAILED:
        raise RuntimeError(done.stderr.decode(errors="replace"))
    if done.returncode != 0:
        raise UnreadablePictureError(f"the program ended with {done.returncode}")
    return dict(zip(sizes, _parts(done.stdout), strict=True))


def _environment() -> dict[str, str]:
    """Return no variable that could be a secret; some platforms need this one to start Python."""
    return {name: value for name, value in os.environ.items() if name == "LD_LIBRARY_PATH"}


def _parts(output: bytes) -> list[bytes]:
    parts = []
    while output:
        end = 4 + int.from_bytes(output[:4], "big")
        parts.append(output[4:end])
        output = output[end:]
    return parts

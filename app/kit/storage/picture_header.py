"""Read what a picture says about itself, without decoding it.

A file of 10 KB can decode to hundreds of megabytes. A web process therefore reads only the first bytes and the headers
of the parts of a file, never a pixel, with a parser that reserves no memory for what the file announces.
"""

import os
from dataclasses import dataclass
from typing import IO

PNG = b"\x89PNG\r\n\x1a\n"
# A JPEG's frame header is one of these; C4, C8 and CC are other parts.
JPEG_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
MOST_PARTS = 1000
WEBP_ANIMATION = 0x02


@dataclass(frozen=True)
class PictureHeader:
    """The size of a picture in pixels, and whether it has several frames."""

    width: int
    height: int
    is_animated: bool = False


def picture_header(file: IO[bytes]) -> PictureHeader | None:
    """Return the header of a PNG, JPEG or WebP file, told apart by its content, or None for anything else.

    The file's position is at the start afterwards.
    """
    file.seek(0)
    try:
        start = file.read(16)
        if start.startswith(PNG):
            return _png(file)
        if start.startswith(b"\xff\xd8\xff"):
            return _jpeg(file)
        if start.startswith(b"RIFF") and start[8:15] == b"WEBPVP8":
            return _webp(file)
        return None
    except EOFError:
        return None
    finally:
        file.seek(0)


def _png(file: IO[bytes]) -> PictureHeader | None:
    """Read the size from the first chunk, and look for animation in the chunks before the pixels."""
    file.seek(len(PNG))
    header = None
    for _ in range(MOST_PARTS):
        length, kind = _number(file, 4), _exactly(file, 4)
        if kind == b"IHDR":
            header = PictureHeader(_number(file, 4), _number(file, 4))
            length -= 8
        elif kind == b"acTL" and header:
            return PictureHeader(header.width, header.height, is_animated=True)
        elif kind in {b"IDAT", b"IEND"} or header is None:
            return header
        file.seek(length + 4, os.SEEK_CUR)
    return None


def _jpeg(file: IO[bytes]) -> PictureHeader | None:
    """Read the segments up to the one with the size."""
    file.seek(2)
    for _ in range(MOST_PARTS):
        if _exactly(file, 1) != b"\xff":
            return None
        if (marker := _number(file, 1)) == 0xFF:  # a byte that fills a gap
            file.seek(-1, os.SEEK_CUR)
            continue
        length = _number(file, 2)
        if marker in JPEG_FRAMES:
            _exactly(file, 1)
            height, width = _number(file, 2), _number(file, 2)
            return PictureHeader(width, height)
        file.seek(max(length - 2, 0), os.SEEK_CUR)
    return None


def _webp(file: IO[bytes]) -> PictureHeader | None:
    """Read the first chunk, which is one of three: lossy, lossless, or extended."""
    file.seek(12)
    kind, _length, data = _exactly(file, 4), _exactly(file, 4), _exactly(file, 10)
    if kind == b"VP8X":
        width, height = int.from_bytes(data[4:7], "little") + 1, int.from_bytes(data[7:10], "little") + 1
        return PictureHeader(width, height, is_animated=bool(data[0] & WEBP_ANIMATION))
    if kind == b"VP8L" and data[0] == 0x2F:
        bits = int.from_bytes(data[1:5], "little")
        return PictureHeader((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
    if kind == b"VP8 " and data[3:6] == b"\x9d\x01\x2a":
        width, height = int.from_bytes(data[6:8], "little"), int.from_bytes(data[8:10], "little")
        return PictureHeader(width & 0x3FFF, height & 0x3FFF)
    return None


def _number(file: IO[bytes], length: int) -> int:
    return int.from_bytes(_exactly(file, length), "big")


def _exactly(file: IO[bytes], length: int) -> bytes:
    found = file.read(length)
    if len(found) < length:
        raise EOFError
    return found

"""Pictures to upload: good ones, and fifty files that are none or should not be decoded."""

import struct
import zlib
from functools import cache
from io import BytesIO
from random import Random
from typing import Any

from PIL import Image
from PIL.PngImagePlugin import PngInfo

PLANTED = [b"planted-exif", b"planted-comment", b"planted-profile", b"planted-text", b"planted-xmp", b"planted-tail"]
PNG = b"\x89PNG\r\n\x1a\n"


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    """Return a file of the image."""
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def good(kind: str = "PNG", **options: Any) -> bytes:
    """Return a small picture, whose left half is red and right half blue."""
    return encoded(two_halves(), kind, **options)


def two_halves(width: int = 40, height: int = 20) -> Image.Image:
    image = Image.new("RGB", (width, height), (255, 0, 0))
    image.paste((0, 0, 255), (width // 2, 0, width, height))
    return image


def with_secrets(kind: str) -> bytes:
    """Return a picture that carries each of ``PLANTED`` for which its kind has a place, and lies on its side."""
    exif = Image.Exif()
    exif[0x010E], exif[0x0112] = "planted-exif", 6
    exif.get_ifd(0x8825)[29] = "planted-exif-gps"
    options: dict[str, Any] = {"exif": exif, "icc_profile": b"planted-profile"}
    if kind == "JPEG":
        options["comment"] = b"planted-comment<script>alert(1)</script>"
    if kind == "WEBP":
        options["xmp"] = b"planted-xmp"
    if kind == "PNG":
        text = PngInfo()
        text.add_text("Comment", "planted-text")
        options["pnginfo"] = text
    return good(kind, **options) + b"planted-tail<?php system('id') ?>"


def chunk(kind: bytes, data: bytes) -> bytes:
    """Return a chunk of a PNG file."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, data: bytes = b"", *before: bytes) -> bytes:
    """Return a PNG file that announces this size, whatever ``data`` holds."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return PNG + header + b"".join(before) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


def vp8x(width: int, height: int, flags: int = 0) -> bytes:
    """Return a WebP file that announces this size and holds no picture."""
    body = b"WEBPVP8X" + struct.pack("<I", 10) + bytes([flags, 0, 0, 0])
    body += (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return b"RIFF" + struct.pack("<I", len(body)) + body


def jpeg_of_size(width: int, height: int) -> bytes:
    """Return a JPEG file whose header was changed to this size."""
    file = good("JPEG")
    place = file.index(b"\xff\xc0") + 5
    return file[:place] + struct.pack(">HH", height, width) + file[place + 4 :]


def moving(kind: str) -> bytes:
    """Return an animation."""
    return good(kind, save_all=True, append_images=[Image.new("RGB", (40, 20), "green")])


@cache
def hostile_files() -> dict[str, bytes]:
    """Return fifty files by what is wrong with them. Files that only look like pictures come first."""
    noise = Random(7).randbytes  # noqa: S311 - the same noise in every run
    pictures = {kind: good(kind) for kind in ("PNG", "JPEG", "WEBP")}
    files = {
        "nothing": b"",
        "one byte": b"\x89",
        "zeros": bytes(5000),
        "noise": noise(5000),
        "text": b"no picture",
        "html": b"<!doctype html><script>alert(1)</script>",
        "svg": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
        "eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(%pipe%id) (r) file\n",
        "pdf": b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj",
        "zip": b"PK\x03\x04" + noise(500),
        "gzip of zeros": zlib.compress(bytes(10_000_000), wbits=31),
        "program": b"\x7fELF" + noise(500),
        "avif": b"\0\0\0\x20ftypavif" + noise(500),
        "psd": b"8BPS\0\x01" + noise(500),
        "wav in riff": b"RIFF\x24\0\0\0WAVEfmt " + noise(500),
        **{f"{kind} named png": good(kind) for kind in ("GIF", "TIFF", "BMP", "ICO", "PPM", "TGA", "JPEG2000")},
        "gif with script": good("GIF") + b"*/=alert(1)//",
        "moving png": moving("PNG"),
        "moving webp": moving("WEBP"),
        "moving webp without frames": vp8x(10, 10, flags=2),
        "png bomb of 13000 x 6800": encoded(Image.new("1", (13000, 6800)), "PNG"),
        "png of 2^31 pixels a side": png(2**31 - 1, 2**31 - 1),
        "png without width": png(0, 10),
        "jpeg of 65535 pixels a side": jpeg_of_size(65535, 65535),
        "jpeg without height": jpeg_of_size(10, 0),
        "webp of 16384 pixels a side": vp8x(16384, 16384),
        "webp of 2^24 pixels a side": vp8x(2**24, 2**24),
        "png that is too large a file": pictures["PNG"] + bytes(5_000_001),
        "png without header": PNG + chunk(b"IDAT", b""),
        "png of endless parts": PNG + chunk(b"tEXt", b"a") * 2000,
        "jpeg of endless parts": b"\xff\xd8" + b"\xff\xe0\x00\x02" * 5000,
        "jpeg of fill bytes": b"\xff\xd8" + b"\xff" * 4_000_000,
        "jpeg whose parts have length 0": b"\xff\xd8" + b"\xff\xe0\x00\x00" * 5000,
        # From here on the header is fine, and only the worker finds out.
        "png without pixels": png(100, 100),
        "png with too many pixels": png(10, 10, bytes(5_000_000)),
        "png with a broken checksum": pictures["PNG"][:45] + b"\0\0" + pictures["PNG"][47:],
        "png with a text of 20 MB": png(10, 10, b"", chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(20_000_000)))),
        "png with a profile of 20 MB": png(10, 10, b"", chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(20_000_000)))),
        "png that announces 24 megapixels": png(6000, 4000, bytes(1000)),
        "jpeg that announces 24 megapixels": jpeg_of_size(6000, 4000)[:-100],
        "webp that announces 24 megapixels": vp8x(6000, 4000),
        "lossless webp of noise": b"RIFF\x7c\2\0\0WEBPVP8L\x70\2\0\0\x2f\x27\xc0\x04\0" + noise(620),
        "png that is html": PNG + chunk(b"IHDR", b"\0\0\0\x09\0\0\0\x09") + b"<script>alert(1)</script>",
        **{f"half a {kind}": file[: len(file) // 2] for kind, file in pictures.items()},
        **{f"{kind} with noise inside": file[:40] + noise(200) + file[40:] for kind, file in pictures.items()},
    }
    assert len(files) >= 50
    return files

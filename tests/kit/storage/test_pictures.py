"""Uploaded pictures are checked without decoding them, and made smaller in a process with limits."""

from io import BytesIO
from time import process_time

import pytest
from PIL import Image

from app.kit.storage import pictures
from app.kit.storage.picture_header import PictureHeader, picture_header
from app.kit.storage.pictures import UnreadablePictureError, problem_with_picture, small_pictures
from tests.pictures import PLANTED, encoded, good, hostile_files, png, two_halves, with_secrets

MOST_BYTES, MOST_PIXELS = 5_000_000, 25_000_000
KINDS = ["PNG", "JPEG", "WEBP"]


def problem(file: bytes) -> str | None:
    return problem_with_picture(BytesIO(file), MOST_BYTES, MOST_PIXELS)


def opened(file: bytes) -> Image.Image:
    image = Image.open(BytesIO(file), formats=["WEBP"])
    image.load()
    return image


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("PNG", {}),
        ("PNG", {"icc_profile": b"p" * 100_000}),
        ("JPEG", {}),
        ("JPEG", {"progressive": True, "icc_profile": b"p" * 200_000}),
        ("WEBP", {}),
        ("WEBP", {"lossless": True}),
        ("WEBP", {"exif": b"Exif\0\0"}),
    ],
)
def test_the_size_is_read_from_the_header(kind: str, options: dict[str, object]) -> None:
    assert picture_header(BytesIO(good(kind, **options))) == PictureHeader(40, 20)
    assert problem(good(kind, **options)) is None


def test_every_problem_is_told_in_words() -> None:
    said = {name: problem(file) for name, file in hostile_files().items()}
    assert said["nothing"] == "This file is empty."
    assert said["png that is too large a file"] == "This file is larger than 5 MB. Choose a smaller one."
    assert "13000 × 6800 pixels. Choose one of at most 25 megapixels" in str(said["png bomb of 13000 x 6800"])
    assert said["moving webp"] == "This picture moves. Choose one that stands still."
    for name in ("eps", "svg", "GIF named png", "TIFF named png", "png that is html"):
        assert "not a PNG, JPEG or WebP" in str(said[name]), name


@pytest.mark.parametrize("name", ["png of endless parts", "jpeg of endless parts", "jpeg of fill bytes"])
def test_no_header_keeps_a_web_process_busy(name: str) -> None:
    started_at = process_time()
    assert problem(hostile_files()[name])
    assert process_time() - started_at < 0.2


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_but_pixels_is_left(kind: str) -> None:
    original = with_secrets(kind)
    assert [text for text in PLANTED if text in original]
    for size, file in small_pictures(original, MOST_PIXELS, (256, 64)).items():
        image = opened(file)
        assert image.size == (size, size)
        assert not {"exif", "icc_profile", "xmp", "comment"} & image.info.keys()
        assert not [text for text in [*PLANTED, b"EXIF", b"ICCP", b"XMP ", b"<script", b"<?php"] if text in file]


@pytest.mark.parametrize(("orientation", "red_at"), [(1, (5, 32)), (3, (58, 32)), (6, (32, 5)), (8, (32, 58))])
def test_a_picture_stands_upright(orientation: int, red_at: tuple[int, int]) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = small_pictures(good("JPEG", exif=exif), MOST_PIXELS, (64,))[64]
    pixel = opened(file).convert("RGB").getpixel(red_at)
    assert isinstance(pixel, tuple)
    assert pixel[0] > 200
    assert pixel[2] < 80


def test_transparent_parts_stay_transparent() -> None:
    image = Image.new("RGBA", (20, 20), (0, 0, 0, 0))
    made = opened(small_pictures(encoded(image, "PNG"), MOST_PIXELS, (64,))[64])
    assert made.convert("RGBA").getpixel((10, 10))[3] == 0


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16"])
def test_every_kind_of_color_is_read(mode: str) -> None:
    image = Image.new(mode, (20, 20), 1) if mode == "I;16" else two_halves().convert("L").convert(mode)
    assert small_pictures(encoded(image, "PNG"), MOST_PIXELS, (64,))[64]


def test_a_picture_that_takes_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "DEADLINE_SECONDS", 0.001)
    with pytest.raises(UnreadablePictureError, match="too long"):
        small_pictures(good(), MOST_PIXELS, (64,))


def test_the_program_refuses_too_many_pixels_by_itself() -> None:
    with pytest.raises(UnreadablePictureError):
        small_pictures(png(6000, 4001, bytes(10)), 24_000_000, (64,))


def test_a_picture_that_needs_too_much_memory_ends_its_program_only() -> None:
    with pytest.raises(UnreadablePictureError):
        small_pictures(encoded(Image.new("1", (16_000, 11_000)), "PNG"), 10**9, (64,))

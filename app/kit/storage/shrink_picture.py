"""Make small pictures of an uploaded one: a program of its own, which ``pictures.py`` starts for each picture.

A decoder may take any amount of memory or time for a hostile file, or crash: here that ends nothing but this process.
It gets no environment and no files but its pipes, and starts in a tenth of a second because it imports nothing of the
application. It reads the picture from standard input and writes WebP files to standard output, each after its length.
"""

import io
import resource
import sys
from contextlib import suppress

FORMATS = ["PNG", "JPEG", "WEBP"]
# 25 megapixels with transparency take 100 MB, in a WebP file up to four times that.
MEMORY_BYTES = 640 * 1024 * 1024
PROCESSOR_SECONDS = 10
QUALITY = 82
# The exit code for a file that is no picture, or that needs more than the limits above.
REFUSED = 3

# The limits come before the import of the library that they are for.
resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
resource.setrlimit(resource.RLIMIT_CPU, (PROCESSOR_SECONDS, PROCESSOR_SECONDS))

from PIL import Image, ImageOps  # noqa: E402


def main(most_pixels: int, sizes: list[int]) -> None:
    """Write a square picture of each of ``sizes`` pixels, beginning with the largest."""
    try:
        pictures = shrunk(sys.stdin.buffer.read(), most_pixels, sizes)
    except Exception:  # decoders raise almost anything for a file that is damaged
        sys.exit(REFUSED)
    for picture in pictures:
        sys.stdout.buffer.write(len(picture).to_bytes(4, "big") + picture)


def shrunk(original: bytes, most_pixels: int, sizes: list[int]) -> list[bytes]:
    """Return WebP files of these sizes. Raises any exception for what cannot be decoded."""
    with Image.open(io.BytesIO(original), formats=FORMATS) as image:
        if image.width * image.height > most_pixels:
            raise ValueError("too many pixels")
        image.draft("RGB", (2 * sizes[0], 2 * sizes[0]))  # decodes a JPEG at a fraction of its size
        image.load()
        colored = in_colors(image)
        # A quick average first: resizing a large picture at once takes ten times as long.
        rough = colored.reduce(max(1, min(colored.size) // (2 * sizes[0])))
    square = ImageOps.fit(rough, (sizes[0], sizes[0]))
    with suppress(Exception):  # damaged EXIF data is common, and no reason to refuse the picture
        square = ImageOps.exif_transpose(square)
    return [encoded(square.resize((size, size))) for size in sizes]


def in_colors(image: Image.Image) -> Image.Image:
    """Return the picture in RGB, or in RGBA if it has transparent parts."""
    if image.mode.startswith("I"):
        image = image.point(lambda value: value / 256).convert("L")  # 16 bits of gray
    mode = "RGBA" if image.has_transparency_data else "RGB"
    return image if image.mode == mode else image.convert(mode)


def encoded(image: Image.Image) -> bytes:
    """Return a WebP file with the pixels and nothing else: no EXIF, comment, color profile or place."""
    pixels_only = Image.frombytes(image.mode, image.size, image.tobytes())
    file = io.BytesIO()
    pixels_only.save(file, "WEBP", quality=QUALITY)
    return file.getvalue()


if __name__ == "__main__":
    main(int(sys.argv[1]), [int(size) for size in sys.argv[2:]])

"""The kit's own logo and icons, drawn in the brand's color: one mark, as SVG and as PNG."""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Mapping, Sequence
from functools import lru_cache

from app.kit.assets.contrast import rgb

# Rounded rectangles on a grid of 32: x, y, width, height, radius. The ground first, then the mark on it.
GROUND = (0.0, 0.0, 32.0, 32.0, 8.0)
MARK = [(8.0, 7.5, 16.0, 4.0, 2.0), (8.0, 14.0, 11.0, 4.0, 2.0), (8.0, 20.5, 4.0, 4.0, 2.0)]
GRID = 32
PNG_SIZES = (192, 512)

Rectangle = tuple[float, float, float, float, float]
Color = tuple[int, int, int]


def draw(colors: Mapping[str, str]) -> dict[str, bytes]:
    """Return file name and content of logo, favicon and icons, in the ``colors`` of the brand."""
    accent, on_accent = colors["accent-light"], colors["on-accent-light"]
    svg = _svg(accent, on_accent)
    pngs = {f"icon-{size}.png": _png(size, accent, on_accent) for size in PNG_SIZES}
    return {"logo.svg": svg, "favicon.svg": svg, **pngs}


def _svg(ground: str, mark: str) -> bytes:
    shapes = [_svg_rectangle(GROUND, ground), *(_svg_rectangle(shape, mark) for shape in MARK)]
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {GRID} {GRID}">{"".join(shapes)}</svg>\n'.encode()


def _svg_rectangle(shape: Rectangle, color: str) -> str:
    x, y, width, height, radius = shape
    return f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="{radius:g}" fill="{color}"/>'


@lru_cache(maxsize=8)
def _png(size: int, ground: str, mark: str) -> bytes:
    """A PNG of ``size`` × ``size``: the ground fills it, because platforms cut icons to their own shape."""
    colors = rgb(ground), rgb(mark)
    return png([_png_row(row, size, *colors) for row in range(size)])


def _png_row(row: int, size: int, ground: Color, mark: Color) -> bytes:
    scale = GRID / size
    y = (row + 0.5) * scale
    near = [shape for shape in MARK if shape[1] - scale < y < shape[1] + shape[3] + scale]
    if not near:
        return bytes(ground) * size
    pixels = bytearray()
    for column in range(size):
        share = max(_coverage(shape, (column + 0.5) * scale, y, scale) for shape in near)
        pixels += bytes(round(g + (m - g) * share) for g, m in zip(ground, mark, strict=True))
    return bytes(pixels)


def _coverage(shape: Rectangle, x: float, y: float, pixel: float) -> float:
    """How much of the pixel around (x, y) the rectangle covers, from its distance to the rounded outline."""
    left, top, width, height, radius = shape
    dx = max(left + radius - x, 0, x - (left + width - radius))
    dy = max(top + radius - y, 0, y - (top + height - radius))
    distance = math.hypot(dx, dy) - radius
    return min(1.0, max(0.0, 0.5 - distance / pixel))


def png(rows: Sequence[bytes]) -> bytes:
    """Answer the PNG whose pixels are ``rows``: red, green and blue (0-255) of each pixel, all rows equally long."""
    header = struct.pack(">IIBBBBB", len(rows[0]) // 3, len(rows), 8, 2, 0, 0, 0)
    lines = b"".join(b"\x00" + row for row in rows)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(lines, 9)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_png_chunk(kind, data) for kind, data in chunks)


def _png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

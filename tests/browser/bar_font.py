"""A font whose letters are all the same bar, so that pictures look the same on every machine.

Machines have different fonts, and render the ones they share a little differently. The pictures test the page's
style, not the shape of letters, so each letter becomes a bar with the size, weight and color that the style sets.
The format is that of https://learn.microsoft.com/typography/opentype/spec, with the tables that Chromium insists on.
"""

import struct

EM = 1000
ASCENT, DESCENT = 800, -200
WIDTH = 500
# Bars overlap. Otherwise edges between them would show at which part of a pixel a letter begins.
OVERLAP = 40
# Glyph 0 means "missing": the browser would use a font of the machine.
NONE, SPACE, BAR, GLYPHS = 0, 1, 2, 3
LAST_CHARACTER = 0x10FFFF
# The version number, 1.0, of a font file and of most of its tables.
ONE = 0x10000
HEAD_MAGIC = 0x5F0F3CF5


def bar_font(height: int) -> bytes:
    """Return a TrueType font whose letters are bars of ``height`` thousandths of the font's size."""
    box = (-OVERLAP, 0, WIDTH + OVERLAP, height)
    bar = _rectangle(*box)
    return _file(
        {
            b"OS/2": _measures(height),
            b"cmap": _characters(),
            b"glyf": bar,
            b"head": struct.pack(">LL4xLHH16x4hHHhhh", ONE, ONE, HEAD_MAGIC, 0, EM, *box, 0, 8, 2, 0, 0),
            b"hhea": struct.pack(
                ">LhhhHhhhhh10xhH", ONE, ASCENT, DESCENT, 0, WIDTH, -OVERLAP, -OVERLAP, WIDTH + OVERLAP, 1, 0, 0, 1
            ),
            b"hmtx": struct.pack(">Hhhh", WIDTH, 0, 0, -OVERLAP),
            b"loca": struct.pack(">HHHH", 0, 0, 0, len(bar) // 2),
            b"maxp": struct.pack(">LHHHHHH16x", ONE, GLYPHS, 4, 1, 0, 0, 1),
            b"name": struct.pack(">HHH", 0, 0, 6),
            b"post": struct.pack(">L28x", 3 * ONE),
        }
    )


def _rectangle(left: int, bottom: int, right: int, top: int) -> bytes:
    width, height = right - left, top - bottom
    box = struct.pack(">hhhhh", 1, left, bottom, right, top)
    # Four corners of the outline, each relative to the one before.
    return box + struct.pack(">HH4B8h", 3, 0, 1, 1, 1, 1, left, 0, width, 0, bottom, height, 0, -height)


def _measures(height: int) -> bytes:
    lines = struct.pack(">hhhHH8x", ASCENT, DESCENT, 0, ASCENT, -DESCENT)
    # The heights of x and of capitals: where they are missing, versions of Chromium measure in different ways.
    return struct.pack(">Hh3H58x", 4, WIDTH, 400, 5, 0) + lines + struct.pack(">hh6x", height, height)


def _characters() -> bytes:
    """Return a "cmap" of two ranges (format 13): the empty space, and all characters after it."""
    ranges = struct.pack(">6L", ord(" "), ord(" "), SPACE, ord(" ") + 1, LAST_CHARACTER, BAR)
    return struct.pack(">HHHHL", 0, 1, 3, 10, 12) + struct.pack(">HHLLL", 13, 0, 16 + len(ranges), 0, 2) + ranges


def _file(tables: dict[bytes, bytes]) -> bytes:
    directory, body = struct.pack(">LHHHH", ONE, len(tables), 128, 3, len(tables) * 16 - 128), b""
    start = len(directory) + 16 * len(tables)
    for tag, table in sorted(tables.items()):
        directory += struct.pack(">4sLLL", tag, 0, start + len(body), len(table))
        body += table + bytes(-len(table) % 4)
    return directory + body

"""The kit's icons, drawn on a grid of 24 with one stroke."""

from functools import cache

from markupsafe import Markup

PATHS = {
    "alert": "M12 8v5m0 3.5v.01M12 3l9.5 17h-19z",
    "check": "M4 12.5l5.5 5.5L20 7",
    "close": "M6 6l12 12M18 6L6 18",
    "clock": "M12 7v5l3 2M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z",
    "devices": "M3 5h13v10H3zM1 19h12M17 10h5v9h-5z",
    "down": "M6 9l6 6 6-6",
    "download": "M12 4v11m-5-4l5 5 5-5M4 20h16",
    "edit": "M4 20l1-5L16 4l4 4L9 19zM14 6l4 4",
    "home": "M4 11l8-7 8 7v9h-6v-6h-4v6H4z",
    "image": "M3 5h18v14H3zM3 16l5-5 5 5 3-3 5 4M15.5 8.5v.01",
    "inbox": "M3 13l3-8h12l3 8v6H3zM3 13h5l2 3h4l2-3h5",
    "key": "M15 4a5 5 0 1 0 .01 0zM11.5 12.5L3 21m2.5-2.5L8 21m0-5l2.5 2.5",
    "list": "M8 6h12M8 12h12M8 18h12M4 6v.01M4 12v.01M4 18v.01",
    "mail": "M3 6h18v12H3zM3 7l9 7 9-7",
    "menu": "M4 7h16M4 12h16M4 17h16",
    "plus": "M12 5v14M5 12h14",
    "send": "M3 11l18-7-7 18-3-8z",
    "shield": "M12 3l8 3v6c0 5-4 8-8 9-4-1-8-4-8-9V6z",
    "sort": "M8 10l4-4 4 4M8 14l4 4 4-4",
    "trash": "M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13M10 11v5m4-5v5",
    "user": "M12 4a4 4 0 1 0 .01 0zM4 21c0-4 4-6 8-6s8 2 8 6",
    "users": "M9 5a3.5 3.5 0 1 0 .01 0zM2 20c0-4 3-6 7-6s7 2 7 6M16 5.5a3.5 3.5 0 0 1 0 6.5M18 14.5c3 .5 4 2.5 4 5.5",
}


@cache
def icon(name: str) -> Markup:
    """Return the icon called ``name`` as an SVG element, or empty markup for an unknown name.

    Icons are decoration: the words beside them carry the meaning.
    """
    if name not in PATHS:
        return Markup("")
    return Markup(
        '<svg class="icon" viewBox="0 0 24 24" width="20" height="20" aria-hidden="true"><path d="{}"/></svg>'
    ).format(PATHS[name])

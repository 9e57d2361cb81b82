"""The bundles of styles and scripts, and ``asset_url``, which returns the URLs of the built files.

Sources are in ``app/assets`` and are built into ``app/static``. Each built file has the hash of its content in
its name, so that browsers may cache it forever. A new bundle is one row here.
"""

from functools import lru_cache
from pathlib import Path
from threading import Lock

from flask import Flask, current_app
from markupsafe import Markup

from app.kit.assets.brand_colors import brand_colors
from app.kit.assets.manifest import AssetManifest
from app.kit.core.environment import ConfigError

SOURCES = Path(__file__).parent / "assets"
STATIC = Path(__file__).parent / "static"
STATIC_URL = "/static/"
_building = Lock()

# Every page loads app_css and app_js. The other scripts are loaded by the macros or pages that need them.
BUNDLES = {
    "app_css": ["styles/app.scss"],
    "app_js": ["scripts/theme.js", "scripts/flashes.js", "scripts/menu.js", "scripts/forms.js", "scripts/dialogs.js"],
    "password_js": ["scripts/password_field.js", "scripts/password_meter.js"],
    "proof_js": ["scripts/proof.js"],
    "proof_worker_js": ["scripts/proof_worker.js"],
    "profile_js": ["scripts/time_zone.js"],
    "list_js": ["scripts/list.js"],
    "editor_js": ["scripts/editor.js", "scripts/editor_page.js"],
    "mailbox_js": ["scripts/mailbox.js"],
    "copy_js": ["scripts/copy.js"],
    "passkeys_js": ["scripts/passkeys.js"],
    "mailed_code_js": ["scripts/mailed_code.js"],
    "reload_js": ["scripts/reload.js"],
}


# What is read on what, and the least ratio: 4.5 for text, 3 for the outline of a control (WCAG 1.4.3, 1.4.11).
READ_ON = [
    (text, ground, 4.5)
    for text in ("text", "text-muted", "accent-text", "danger-text", "success-text", "warning-text", "info-text")
    for ground in ("ground", "surface", "surface-sunken")
] + [
    ("on-accent", "accent", 4.5),
    ("on-accent", "accent-strong", 4.5),
    ("on-danger", "danger", 4.5),
    ("danger-text", "danger-tint", 4.5),
    ("success-text", "success-tint", 4.5),
    ("warning-text", "warning-tint", 4.5),
    ("info-text", "info-tint", 4.5),
    ("text", "accent-tint", 4.5),
    ("accent-text", "accent-tint", 4.5),
    ("control-edge", "surface", 3.0),
    ("focus", "ground", 3.0),
    ("focus", "surface", 3.0),
]


def init_app(app: Flask) -> None:
    """Register the globals of the templates.

    Raises :class:`ConfigError` if built files are missing and ASSETS_AUTO_BUILD is off, since every page would fail.
    """
    manifest = AssetManifest(STATIC, STATIC_URL)
    app.extensions["assets"] = manifest
    app.jinja_env.globals.update(asset_url=asset_url, brand_color=brand_color, script=script, theme_color=theme_color)
    missing = manifest.missing(BUNDLES)
    if missing and not app.config["ASSETS_AUTO_BUILD"]:
        raise ConfigError(
            [f"app/static: {', '.join(missing)} not built. Run: python manage.py build_assets, then start again."]
        )


def asset_url(name: str) -> str:
    """Return the URL of a bundle ("app_css") or of a file in ``app/assets/images`` ("logo.svg").

    With ASSETS_AUTO_BUILD, stale files are built first. Raises ``KeyError`` if there is no such asset.
    """
    if current_app.config["ASSETS_AUTO_BUILD"]:
        build_stale_assets(current_app.extensions["assets"])
    return current_app.extensions["assets"].url(name)


def script(name: str) -> Markup:
    """Return the element that loads a bundle of scripts.

    It is a module, which runs after the page is parsed, and only once even if the page has several elements for it.
    """
    return Markup(f'<script type="module" src="{asset_url(name)}"></script>')  # noqa: S704  a URL of our own


def theme_color(mode: str) -> str:
    """Return the color of the browser's frame in "light" or "dark" mode, which is the page's background."""
    return brand_color(f"ground-{mode}")


def brand_color(name: str) -> str:
    """Return a color of ``styles/_brand.scss``, such as "accent-light", for emails, which have no style sheet.

    Raises ``KeyError`` if there is no such color.
    """
    path = SOURCES / "styles" / "_brand.scss"
    # With ASSETS_AUTO_BUILD, the modification time is part of the cache key, so that saved colors show at once.
    saved_at_ns = path.stat().st_mtime_ns if current_app.config["ASSETS_AUTO_BUILD"] else 0
    return _colors_of(path, saved_at_ns)[name]


@lru_cache(maxsize=1)
def _colors_of(path: Path, _saved_at_ns: int) -> dict[str, str]:
    return brand_colors(path.read_text())


def build_stale_assets(manifest: AssetManifest) -> None:
    """Build all assets if a source is newer than the last build."""
    # Two browsers that reload after a save ask at the same time, each in a thread.
    with _building:
        if manifest.is_older_than(SOURCES):
            build_assets()


def build_assets() -> list[Path]:
    """Build every bundle and image into ``app/static``, and return the files written.

    This needs neither database nor settings. Raises :class:`app.kit.assets.build.AssetError` for a style that
    does not compile, or colors with too little contrast.
    """
    # Imported here, so that web workers in production never load the compilers.
    from app.kit.assets.build import build

    return build(SOURCES, STATIC, BUNDLES, READ_ON)

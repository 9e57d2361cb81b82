"""The catalogue of styles and scripts, and ``asset_url``, which finds what was built from them.

Sources stand in ``app/assets``; what browsers get is built into ``app/static``, each file with the
hash of its content in its name, so that it may be cached forever. A new bundle is one row here.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from flask import Flask, current_app
from markupsafe import Markup

from app.kit.assets.brand_colors import brand_colors
from app.kit.assets.manifest import AssetManifest
from app.kit.core.environment import ConfigError

SOURCES = Path(__file__).parent / "assets"
STATIC = Path(__file__).parent / "static"
STATIC_URL = "/static/"

# Every page loads app_css and app_js; the other scripts come with the macro or page that needs them.
BUNDLES = {
    "app_css": ["styles/app.scss"],
    "app_js": ["scripts/theme.js", "scripts/flashes.js", "scripts/menu.js", "scripts/forms.js", "scripts/dialogs.js"],
    "password_js": ["scripts/password_field.js", "scripts/password_meter.js"],
    "editor_js": ["scripts/editor.js", "scripts/editor_page.js"],
    "mailbox_js": ["scripts/mailbox.js"],
    "copy_js": ["scripts/copy.js"],
}


def init_app(app: Flask) -> None:
    """Give templates ``asset_url`` and ``script``; build what is stale when ASSETS_AUTO_BUILD is on.

    Raises ConfigError when nothing was built and nothing builds by itself: every page would fail.
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
    """Answer the address of a bundle ("app_css") or of a file of ``app/assets/images`` ("logo.svg").

    Raises KeyError when there is no such asset.
    """
    if current_app.config["ASSETS_AUTO_BUILD"]:
        build_stale_assets(current_app.extensions["assets"])
    url: str = current_app.extensions["assets"].url(name)
    return url


def script(name: str) -> Markup:
    """Answer the element that loads a bundle of scripts.

    Modules wait for the page to be parsed, and run once however often a page names them.
    """
    return Markup(f'<script type="module" src="{asset_url(name)}"></script>')  # noqa: S704  an address of our own


def theme_color(mode: str) -> str:
    """Return the color of the browser's own frame in "light" or "dark" mode: that of the page's ground."""
    return brand_color(f"ground-{mode}")


def brand_color(name: str) -> str:
    """Return a color of ``styles/_brand.scss``, such as "accent-light", for what no style sheet reaches: emails.

    Raises KeyError when there is no such color.
    """
    path = SOURCES / "styles" / "_brand.scss"
    # While styles are built by themselves, a saved color shows on the next page and in the next email.
    saved_at_ns = path.stat().st_mtime_ns if current_app.config["ASSETS_AUTO_BUILD"] else 0
    return _colors_of(path, saved_at_ns)[name]


@lru_cache(maxsize=1)
def _colors_of(path: Path, _saved_at_ns: int) -> dict[str, str]:
    return brand_colors(path.read_text())


def build_stale_assets(manifest: AssetManifest) -> None:
    """Build when a source is newer than the last build: a saved file shows on the next reload."""
    if manifest.is_older_than(SOURCES):
        build_assets()


def build_assets() -> list[Path]:
    """Build every bundle and image into ``app/static``; answer the files written.

    Needs neither database nor settings. Raises :class:`app.kit.assets.build.AssetError` for a style
    that does not compile or colors that nobody could read.
    """
    # Imported here: a web worker that only serves what was built never loads the compilers.
    from app.kit.assets.build import build

    return build(SOURCES, STATIC, BUNDLES)

"""Build the styles, scripts and images that browsers get from their sources."""

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from io import StringIO
from pathlib import Path

import jsmin
from click import ClickException
from flask import Flask
from flask_assets import Bundle, Environment
from sass import CompileError
from webassets.exceptions import FilterError
from webassets.filter.jsmin import JSMin
from whitenoise.compress import Compressor

from app.kit.assets import contrast
from app.kit.assets.brand_colors import brand_colors, light_and_dark
from app.kit.assets.manifest import MANIFEST_NAME

# libsass copies these to its output unchanged, and browsers ignore them: the rules would be silently missing.
SASS_MODULES = re.compile(r"@(use|forward)\b")
HASH_LENGTH = 12
# A release that still runs links to its own build, and pages that browsers have open link to the one before. Hidden,
# like all names with a dot, from the sweep.
BUILDS_NAME = ".builds.json"
KEPT_BUILDS = 3


class AssetError(ClickException):
    """A mistake in a source file; the message is for the developer who has just edited it."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"The assets cannot be built. {reason}")


class TemplateSafeJSMin(JSMin):
    """webassets' jsmin filter, which otherwise drops the spaces inside template literals."""

    name = "template_safe_jsmin"

    def output(self, _in: StringIO, out: StringIO, **_options: object) -> None:
        """Write the minified script ``_in`` to ``out``."""
        out.write(jsmin.jsmin(_in.read(), quote_chars="'\"`"))


def build(
    sources: Path, target: Path, bundles: Mapping[str, Sequence[str]], read_on: Sequence[contrast.Pair]
) -> list[Path]:
    """Build ``bundles`` and the images of ``sources`` into ``target``; return the files written.

    Each file has a hash of its content in its name, and compressed copies beside it. The manifest is written last
    and in one step, so that a running server uses either the old build or the new one. The files of the last three
    builds are kept.

    Raises AssetError when a source is wrong.
    """
    _check_brand(sources, read_on)
    styles_and_scripts = _bundles(sources, bundles)
    for _file_name, content in styles_and_scripts.values():
        _check_contrast(contrast.colors(content.decode()), read_on)
    contents = {**styles_and_scripts, **_images(sources)}
    target.mkdir(exist_ok=True)
    # Files with the same content share a name: a browser that has the logo need not load the favicon.
    name_of_content = {content: file_name for file_name, content in reversed(contents.values())}
    files = {name: _write_hashed(target, name_of_content[content], content) for name, (_, content) in contents.items()}
    kept = _last_builds(target, files)
    _write_in_one_step(target / BUILDS_NAME, json.dumps(kept).encode())
    _write_in_one_step(target / MANIFEST_NAME, json.dumps(files, indent=1).encode())
    _remove_old(target, {file_name for build in kept for file_name in build})
    return [target / file_name for file_name in files.values()]


def _check_brand(sources: Path, read_on: Sequence[contrast.Pair]) -> None:
    """Check the colors of the brand themselves: emails take them from it, without a style sheet."""
    try:
        colors = brand_colors((sources / "styles" / "_brand.scss").read_text())
    except ValueError as error:
        raise AssetError(str(error)) from error
    _check_contrast(light_and_dark(colors), read_on)


def _bundles(sources: Path, bundles: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, bytes]]:
    # Flask-Assets reads its settings from an app. This separate one needs no database and no secret.
    environment = Environment(Flask("asset_build", static_folder=str(sources)))
    environment.config["libsass_style"] = "compressed"
    environment.manifest = environment.cache = False
    return {name: _bundle(environment, name, files) for name, files in bundles.items()}


def _bundle(environment: Environment, name: str, files: Sequence[str]) -> tuple[str, bytes]:
    kind = name.rpartition("_")[2]
    filters = {"css": "libsass", "js": TemplateSafeJSMin}[kind]
    bundle = Bundle(*files, filters=filters, output=f"{name}.{kind}")
    built = StringIO()
    try:
        environment.register(name, bundle)
        bundle.build(force=True, output=built, disable_cache=True)
    except (CompileError, FilterError) as error:
        raise AssetError(f"{name}: {error}") from error
    content = built.getvalue()
    if kind == "css":
        _check_style(name, content)
    return f"{name.rpartition('_')[0]}.{kind}", content.encode()


def _check_style(name: str, css: str) -> None:
    if SASS_MODULES.search(css) or not css.strip():
        raise AssetError(f"{name}: libsass knows @import, not @use.")


def _check_contrast(colors: dict[str, tuple[str, str]], read_on: Sequence[contrast.Pair]) -> None:
    unreadable = contrast.problems(colors, read_on)
    if unreadable:
        raise AssetError("colors too close to each other (styles/_brand.scss): " + "; ".join(unreadable))


def _images(sources: Path) -> dict[str, tuple[str, bytes]]:
    return {path.name: (path.name, path.read_bytes()) for path in sorted((sources / "images").glob("*.*"))}


def _write_hashed(target: Path, file_name: str, content: bytes) -> str:
    stem, _, suffix = file_name.rpartition(".")
    hashed_name = f"{stem}.{hashlib.sha256(content).hexdigest()[:HASH_LENGTH]}.{suffix}"
    path = target / hashed_name
    if not path.exists():
        # Compressed copies first: a server that finds the file finds its copies, too.
        with tempfile.TemporaryDirectory(dir=target) as folder:
            draft = Path(folder) / hashed_name
            draft.write_bytes(content)
            for copy in [*_compressed(draft), draft]:
                copy.replace(target / copy.name)
    return hashed_name


def _compressed(path: Path) -> list[Path]:
    compressor = Compressor(quiet=True)
    if not compressor.should_compress(path.name):
        return []
    return [Path(copy) for copy in compressor.compress(str(path))]


def _last_builds(target: Path, files: Mapping[str, str]) -> list[list[str]]:
    """Return the file names of this build and of those before it."""
    this, known = sorted(set(files.values())), target / BUILDS_NAME
    earlier = json.loads(known.read_text()) if known.exists() else []
    return [this, *(build for build in earlier if build != this)][:KEPT_BUILDS]


def _write_in_one_step(path: Path, content: bytes) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_bytes(content)
    draft.replace(path)


def _remove_old(target: Path, kept: set[str]) -> None:
    for path in target.iterdir():
        name = path.name.removesuffix(".br").removesuffix(".gz")
        if path.is_file() and name not in kept and name != MANIFEST_NAME and not name.startswith("."):
            path.unlink(missing_ok=True)

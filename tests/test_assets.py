"""Tests for the build of styles, scripts and images, and for how they are served."""

import json
import os
import re
from io import StringIO
from pathlib import Path
from time import sleep

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import assets
from app.assets import BUNDLES, READ_ON, SOURCES, asset_url, build_assets, script
from app.kit.assets import contrast
from app.kit.assets.brand_colors import brand_colors
from app.kit.assets.build import AssetError, TemplateSafeJSMin, build
from app.kit.assets.manifest import AssetManifest
from app.kit.core.environment import ConfigError
from tests.together import together

KIB = 1024
COMMENT_OR_TOKEN = re.compile(
    r"""(?P<comment>//[^\n]*|/\*.*?\*/)|(?P<space>\s+)|(?P<token>`(?:\\.|[^`])*`|"(?:\\.|[^"])*"|'(?:\\.|[^'])*'|[\w$]+|.)""",
    re.DOTALL,
)
SCRIPTS = sorted((SOURCES / "scripts").glob("*.js"))


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """Return a copy of the sources that a test may break."""
    copy = tmp_path / "assets"
    for path in SOURCES.rglob("*.*"):
        target = copy / path.relative_to(SOURCES)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    return copy


@pytest.fixture
def built(app: Flask) -> dict[str, Path]:
    """Return the current build: asset names with their files."""
    build_assets()
    files = json.loads((assets.STATIC / "manifest.json").read_text())
    return {name: assets.STATIC / file_name for name, file_name in files.items()}


def test_styles_and_scripts_stay_within_their_budgets(built: dict[str, Path]) -> None:
    styles = Path(f"{built['app_css']}.br").stat().st_size
    scripts = sum(Path(f"{built[name]}.br").stat().st_size for name in BUNDLES if name.endswith("_js"))
    assert 2 * KIB < styles <= 12 * KIB
    assert scripts <= 15 * KIB
    assert built["passkeys_js"].stat().st_size <= 3 * KIB


def test_two_browsers_that_reload_after_a_save_build_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    builds: list[None] = []

    def build_slowly() -> None:
        sleep(0.05)
        builds.append(None)
        (tmp_path / "manifest.json").write_text("{}")

    monkeypatch.setattr(assets, "build_assets", build_slowly)
    manifest = AssetManifest(tmp_path, "/static/")

    together([lambda: assets.build_stale_assets(manifest)] * 4)

    assert len(builds) == 1


def test_every_file_names_its_content_and_has_compressed_copies(built: dict[str, Path]) -> None:
    for path in built.values():
        assert re.search(r"\.[0-9a-f]{12}\.\w+$", path.name)
        copies = [Path(f"{path}{suffix}").exists() for suffix in (".br", ".gz")]
        assert copies == [path.suffix != ".png"] * 2


def test_the_logo_is_not_loaded_again_as_the_icon(built: dict[str, Path]) -> None:
    assert built["logo.svg"] == built["favicon.svg"]


def test_a_changed_source_gets_a_new_name_and_the_last_three_builds_are_kept(sources: Path, tmp_path: Path) -> None:
    """A running release links to its own build, and open pages to the one before."""
    target = tmp_path / "static"
    builds = [build_with_rule(rule, sources, target) for rule in (".a", ".b", ".c")]
    assert len({build[0] for build in builds}) == 3
    assert builds[0][1] == builds[1][1]
    assert all(build[0].exists() for build in builds)
    assert build_with_rule(".b", sources, target) == builds[1]
    assert builds[0][0].exists()
    build_with_rule(".d", sources, target)
    assert not list(target.glob(f"{builds[0][0].name}*"))
    assert all(build[0].exists() for build in builds[1:])


def build_with_rule(selector: str, sources: Path, target: Path) -> list[Path]:
    """Build the styles with one more rule."""
    (sources / "styles" / "changing.scss").write_text(f"{selector} {{ color: red; }}")
    bundles = {"changing_css": ["styles/changing.scss"], "copy_js": BUNDLES["copy_js"]}
    return build(sources, target, bundles, READ_ON)


def test_a_style_that_does_not_compile_says_where(sources: Path, tmp_path: Path) -> None:
    (sources / "styles" / "components" / "_button.scss").write_text(".button { color: $missing; }")
    with pytest.raises(AssetError, match=r"app_css: .*missing"):
        build(sources, tmp_path / "static", BUNDLES, READ_ON)


def test_a_style_of_modules_is_refused_because_libsass_emits_nothing(sources: Path, tmp_path: Path) -> None:
    for source in ('@use "tokens";', '@forward "tokens";', '@use "sass:math"; a { color: red; }', "// nothing"):
        (sources / "styles" / "app.scss").write_text(source)
        with pytest.raises(AssetError, match="knows @import, not @use"):
            build(sources, tmp_path / "static", BUNDLES, READ_ON)


def test_a_bundle_of_ones_own_may_be_small(sources: Path, tmp_path: Path) -> None:
    (sources / "styles" / "notes.scss").write_text(".note { color: red; }")
    [style, *_images] = build(sources, tmp_path / "static", {"notes_css": ["styles/notes.scss"]}, READ_ON)
    assert style.read_text() == ".note{color:red}\n"


def test_colors_that_nobody_can_read_stop_the_build(sources: Path, tmp_path: Path) -> None:
    brand = sources / "styles" / "_brand.scss"
    brand.write_text(re.sub(r"\$accent-light: #\w+", "$accent-light: #f5c518", brand.read_text()))
    with pytest.raises(AssetError, match=r"--on-accent on --accent has 1.* in light"):
        build(sources, tmp_path / "static", BUNDLES, READ_ON)


def test_colors_that_nobody_can_read_in_emails_stop_the_build(sources: Path, tmp_path: Path) -> None:
    """Pages may use a framework's colors instead, but emails still use the brand's."""
    brand = sources / "styles" / "_brand.scss"
    brand.write_text(re.sub(r"\$text-muted-dark: #\w+", "$text-muted-dark: #444", brand.read_text()))
    tokens = sources / "styles" / "_tokens.scss"
    tokens.write_text(tokens.read_text().replace("#{$text-muted-dark}", "#a5ada9"))
    with pytest.raises(AssetError, match=r"--text-muted on --ground has .* in dark"):
        build(sources, tmp_path / "static", BUNDLES, READ_ON)


def test_a_color_that_no_mail_program_knows_stops_the_build(sources: Path, tmp_path: Path) -> None:
    brand = sources / "styles" / "_brand.scss"
    brand.write_text(re.sub(r"\$edge-light: #\w+", "$edge-light: darken(#fff, 10%)", brand.read_text()))
    with pytest.raises(AssetError, match=r"write #rrggbb instead of \$edge-light: darken"):
        build(sources, tmp_path / "static", BUNDLES, READ_ON)


def test_the_brands_colors_have_six_digits() -> None:
    scss = "$accent-light: #FA0; // warm\n$accent-dark: #123456;\n$radius: 1rem;\n"
    assert brand_colors(scss) == {"accent-light": "#ffaa00", "accent-dark": "#123456"}


def test_a_saved_color_shows_at_once(app: Flask, sources: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.config, "ASSETS_AUTO_BUILD", True)
    monkeypatch.setattr(assets, "SOURCES", sources)
    brand = sources / "styles" / "_brand.scss"
    with app.app_context():
        assert assets.theme_color("light") == "#faf9f6"
        brand.write_text(brand.read_text().replace("$ground-light: #faf9f6", "$ground-light: #ffffff"))
        assert assets.theme_color("light") == "#ffffff"


def test_every_pair_that_is_checked_exists(built: dict[str, Path]) -> None:
    tokens = {name for name, _light, _dark in contrast.TOKEN.findall(built["app_css"].read_text())}
    assert {name for text, ground, _least in READ_ON for name in (text, ground)} <= tokens


@pytest.mark.parametrize(("one", "other", "expected"), [("#000", "#fff", 21), ("#777777", "#ffffff", 4.48)])
def test_contrast_is_the_ratio_of_wcag(one: str, other: str, expected: float) -> None:
    assert contrast.ratio(one, other) == pytest.approx(expected, abs=0.01)
    assert contrast.ratio(other, one) == contrast.ratio(one, other)


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_minifying_keeps_every_token_of_a_script(path: Path) -> None:
    source = path.read_text()
    assert tokens_of(minified(source)) == tokens_of(source)


def test_the_comparison_notices_what_plain_jsmin_breaks() -> None:
    source = "const line = `two  spaces`;"
    assert tokens_of(minified(source)) == tokens_of(source)
    assert tokens_of(source.replace("  ", " ")) != tokens_of(source)


def minified(source: str) -> str:
    out = StringIO()
    TemplateSafeJSMin().output(StringIO(source), out)
    return out.getvalue()


def tokens_of(source: str) -> list[str]:
    return [match["token"] for match in COMMENT_OR_TOKEN.finditer(source) if match["token"]]


def test_no_style_or_script_asks_another_host(built: dict[str, Path]) -> None:
    for name in BUNDLES:
        assert not re.search(r"url\(|@import|//[a-z]+\.[a-z]", built[name].read_text().replace("https://)", ""))


def test_a_saved_source_shows_on_the_next_page(
    app: Flask, built: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "ASSETS_AUTO_BUILD", True)
    partial = SOURCES / "styles" / "_utilities.scss"
    manifest_path = assets.STATIC / "manifest.json"
    with app.app_context():
        before = manifest_path.stat().st_mtime_ns
        asset_url("app_css")
        assert manifest_path.stat().st_mtime_ns == before
        os.utime(partial)
        asset_url("app_css")
        assert manifest_path.stat().st_mtime_ns > before


def test_an_unknown_asset_is_an_error_and_not_a_dead_link(app: Flask) -> None:
    with app.app_context(), pytest.raises(KeyError):
        asset_url("nothing_css")


def test_scripts_are_modules_which_wait_for_the_page(app: Flask) -> None:
    with app.app_context():
        assert re.fullmatch(r'<script type="module" src="/static/app\.[0-9a-f]{12}\.js"></script>', script("app_js"))


def test_production_does_not_start_without_a_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    application = Flask("empty")
    application.config["ASSETS_AUTO_BUILD"] = False
    monkeypatch.setattr(assets, "STATIC", tmp_path)
    with pytest.raises(ConfigError, match=r"app_css, app_js.* not built. Run: python manage.py build_assets"):
        assets.init_app(application)


def test_a_manifest_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text('{"a_css": "a.1.css"}')
    manifest = AssetManifest(tmp_path, "/static/")
    assert manifest.url("a_css") == "/static/a.1.css"
    (tmp_path / "manifest.json").unlink()
    assert manifest.url("a_css") == "/static/a.1.css"


def test_files_are_kept_forever_compressed_and_carry_the_security_headers(client: FlaskClient, app: Flask) -> None:
    with app.app_context():
        url = asset_url("app_css")
    with client.get(url, headers={"Accept-Encoding": "gzip, br"}) as response:
        assert response.data
    assert response.headers["Cache-Control"] == "max-age=315360000, public, immutable"
    assert response.headers["Content-Encoding"] == "br"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert "Set-Cookie" not in response.headers
    assert "Access-Control-Allow-Origin" not in response.headers


def test_only_fingerprinted_files_are_kept_forever(client: FlaskClient, built: dict[str, Path]) -> None:
    with client.get("/static/manifest.json") as response:
        assert "immutable" not in response.headers["Cache-Control"]
    assert client.get("/static/nothing.css").status_code == 404
    assert client.get("/static/../config.py").status_code == 404

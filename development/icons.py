"""Render icon-192.png and icon-512.png from logo.svg: `python -m development.icons`, after each change of the logo."""

import shutil
from pathlib import Path

from playwright.sync_api import sync_playwright

from app.kit.assets.brand_colors import brand_colors

SOURCES = Path(__file__).parents[1] / "app" / "assets"
SIZES = (192, 512)
# Platforms crop icons to their own shape, so the brand's color extends to the edge.
PAGE = '<body style="margin: 0; background: {color}">{logo}<style>svg {{ display: block; width: 100vw }}</style>'


def main() -> None:
    """Write the icons into ``app/assets/images``."""
    color = brand_colors((SOURCES / "styles" / "_brand.scss").read_text())["accent-light"]
    html = PAGE.format(color=color, logo=(SOURCES / "images" / "logo.svg").read_text())
    program = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright, playwright.chromium.launch(executable_path=program) as browser:
        for size in SIZES:
            page = browser.new_page(viewport={"width": size, "height": size})
            page.set_content(html)
            page.screenshot(path=SOURCES / "images" / f"icon-{size}.png")


if __name__ == "__main__":
    main()

"""The colors of a brand, read from its style sheet for what no style sheet reaches."""

import re


def brand_color(scss: str, name: str) -> str:
    """Return the color that ``_brand.scss`` gives the variable ``name``; raises ValueError when it gives none."""
    found = re.search(rf"^\${name}:\s*(#[0-9a-fA-F]{{3,6}})", scss, re.MULTILINE)
    if found is None:
        raise ValueError(f"_brand.scss has no ${name}: #…")
    return found[1]

"""The living style guide."""

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from app.assets import STATIC, STATIC_URL, asset_url
from app.dev import markup, samples
from app.dev.blueprint import dev
from app.kit.assets import contrast
from app.kit.pages.icons import PATHS


@dev.route("/components", methods=["GET", "POST"])
def components() -> str | Response:
    """Show every component in every state. Submitted data is discarded."""
    if request.method == "POST":
        flash("The form was received and discarded.", "success")
        return redirect(url_for("dev.components"))
    style_sheet = STATIC / asset_url("app_css").removeprefix(STATIC_URL)
    colors = contrast.colors(style_sheet.read_text())
    return render_template(
        "dev/components.html",
        colors=colors,
        pairs=samples.pairs(colors),
        icons=sorted(PATHS),
        forms=samples.forms(),
        table=samples.table(),
        sample=markup.sample,
        sample_flashes=lambda **_: [(kind, f"A flash of the kind “{kind}”.") for kind in samples.FLASHES],
    )

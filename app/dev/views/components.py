"""The living style guide."""

from flask import render_template

from app.dev import dev


@dev.get("/components")
def components() -> str:
    """Show everything that pages are made of, in every state."""
    return render_template("dev/components.html")

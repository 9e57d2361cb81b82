"""The bare Flask application that the kit is compared with: plain text, and a page on a base template."""

from flask import Flask, render_template

app = Flask(__name__)


@app.get("/")
def hello() -> str:
    """Return plain text."""
    return "Hello, world!"


@app.get("/page")
def page() -> str:
    """Render a page on a base template."""
    return render_template("bare_page.html", visitor="you")

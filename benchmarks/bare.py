"""What the kit is compared with: Flask that says hello, and Flask that renders one page on a base template."""

from flask import Flask, render_template

app = Flask(__name__)


@app.get("/")
def hello() -> str:
    return "Hello, world!"


@app.get("/page")
def page() -> str:
    return render_template("bare_page.html", visitor="you")

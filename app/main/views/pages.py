"""The pages for everybody."""

from flask import render_template

from app.access import ANYONE, access
from app.kit.http.caching import cached_for_anonymous
from app.main.blueprint import main
from app.models import EditableHTML


@main.get("/")
@access(ANYONE)
@cached_for_anonymous(seconds=300)
def index() -> str:
    """The landing page; greets who is logged in."""
    return render_template("main/index.html")


@main.get("/about")
@access(ANYONE)
def about() -> str:
    """A page that administrators edit in place."""
    return render_template("main/about.html", editable_html_obj=EditableHTML.get_editable_html("about"))

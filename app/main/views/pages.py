"""The public pages."""

from flask import render_template

from app.access import ANYONE, access
from app.kit.http.caching import cached_for_anonymous
from app.main.blueprint import main
from app.models import EditableHTML


@main.get("/")
@access(ANYONE)
@cached_for_anonymous(seconds=300)
def index() -> str:
    """Show the landing page, with a greeting for users who are logged in."""
    return render_template("main/index.html")


@main.get("/about")
@access(ANYONE)
def about() -> str:
    """Show a page that administrators edit in place."""
    return render_template("main/about.html", editable_html_obj=EditableHTML.get_editable_html("about"))

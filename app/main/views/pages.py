"""The pages for everybody."""

from flask import render_template

from app.access import ANYONE, access
from app.kit.http.page_for_strangers import same_for_strangers
from app.main.blueprint import main
from app.models import EditableHTML


@main.get("/")
@access(ANYONE)
@same_for_strangers
def index() -> str:
    """The landing page; greets who is logged in."""
    return render_template("main/index.html")


@main.get("/about")
@access(ANYONE)
def about() -> str:
    """A page that administrators edit in place."""
    return render_template("main/about.html", editable_html_obj=EditableHTML.get_editable_html("about"))

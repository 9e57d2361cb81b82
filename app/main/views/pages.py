"""The public pages."""

from flask import abort, render_template
from flask_login import current_user

from app.access import ANYONE, access
from app.kit.http.caching import cached_for_anonymous
from app.main.blueprint import main
from app.models import AuditEvent, EditableHTML
from app.next_steps import due_steps

SHOWN_LOGINS = 5


@main.get("/")
@access(ANYONE)
@cached_for_anonymous(seconds=300)
def index() -> str:
    """Show the landing page to visitors, and their own home to users who are logged in."""
    if current_user.is_authenticated:
        steps, logins = due_steps(current_user), AuditEvent.logins_of(current_user, SHOWN_LOGINS)
        return render_template("main/home.html", steps=steps, logins=logins)
    return render_template("main/index.html")


@main.get("/about")
@access(ANYONE)
def about() -> str:
    """Show a page that administrators edit in place, and links to those that they wrote."""
    return render_template(
        "main/about.html",
        editable_html_obj=EditableHTML.get_editable_html("about"),
        listed_pages=[page for page in EditableHTML.published_pages() if page.listed],
    )


@main.get("/pages/<slug>")
@access(ANYONE)
def page(slug: str) -> str:
    """Show a page that administrators wrote. A draft is there for them only."""
    text = EditableHTML.page(slug)
    if text is None or not (text.published or current_user.is_admin()):
        abort(404)
    return render_template("main/page.html", page=text)

"""A page instead of errors while the database lacks a migration, as after `git pull` or `db migrate`."""

from flask import current_app, redirect, request, url_for
from werkzeug.wrappers import Response

from app import setup
from app.dev.blueprint import dev
from app.kit.db import migrations
from app.kit.http.redirects import local_referrer


def show_pending_migrations() -> tuple[str, int] | None:
    """Return a page with a button that runs the migrations, or None if there are none to run.

    The development server calls this before each request.
    """
    # The pages of this area, among them the one below, need no table.
    if request.blueprint == dev.name or not migrations.are_pending():
        return None
    return _page(migrations.ahead())


def _page(problem: str | None) -> tuple[str, int]:
    # Not render_template: it loads the current user, whose table may be what lacks a column.
    template = current_app.jinja_env.get_template("dev/pending_migrations.html")
    return template.render(problem=problem), 503


@dev.post("/migrate")
def migrate() -> Response | tuple[str, int]:
    """Run the migrations, and insert the roles."""
    try:
        setup.prepare_database()
    except migrations.MigrationError as error:
        return _page(error.message)
    return redirect(local_referrer(request.path) or url_for("main.index"))

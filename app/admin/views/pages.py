"""The texts that administrators write: pages of their own, what each text said before, and the way back."""

from flask import abort, flash, redirect, render_template, url_for
from flask_login import current_user
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import defer, joinedload
from werkzeug.wrappers import Response

from app.access import access
from app.admin.blueprint import admin
from app.admin.forms import SLUG_IS_TAKEN, PageForm
from app.extensions import db
from app.kit.auth.sudo import sudo_required
from app.kit.db.database import lock_row
from app.kit.pages.difference import difference
from app.kit.pages.table import Table
from app.models import AuditEvent, EditableHTML, Permission, TextRevision

SHOWN_REVISIONS = 50


@admin.get("/pages")
@access(Permission.CHANGE_PAGES)
def pages() -> str:
    """List all editable texts."""
    table = Table.from_request(
        select(EditableHTML).options(defer(EditableHTML.value)),
        columns={"title": EditableHTML.title, "name": EditableHTML.editor_name},
        search=[EditableHTML.title, EditableHTML.editor_name],
        sort="title",
    )
    return render_template("admin/pages.html", table=table)


@admin.route("/pages/new", methods=["GET", "POST"])
@access(Permission.CHANGE_PAGES)
@sudo_required
def new_page() -> str | Response:
    """Add a page, and go there to write it."""
    form = PageForm()
    if form.validate_on_submit():
        page = EditableHTML(editor_name=form.slug.data)
        form.fill(page)
        db.session.add(page)
        AuditEvent.record("page.created", page=page.editor_name)
        try:
            db.session.commit()
        except IntegrityError:  # another request took the name after the form looked
            db.session.rollback()
            form.slug.errors = [SLUG_IS_TAKEN]
        else:
            flash("The page is there. Now write it.", "success")
            return redirect(url_for("main.page", slug=form.slug.data))
    return render_template("admin/new_page.html", form=form)


@admin.get("/pages/<int:page_id>")
@access(Permission.CHANGE_PAGES)
def page_info(page_id: int) -> str:
    """Show when a text was changed, and by whom."""
    page = db.get_or_404(EditableHTML, page_id)
    revisions = select(TextRevision).options(defer(TextRevision.value), joinedload(TextRevision.author))
    latest = revisions.where(TextRevision.text_id == page.id).order_by(TextRevision.id.desc()).limit(SHOWN_REVISIONS)
    return render_template("admin/page_info.html", page=page, revisions=db.session.scalars(latest).all())


@admin.route("/pages/<int:page_id>/edit", methods=["GET", "POST"])
@access(Permission.CHANGE_PAGES)
@sudo_required
def edit_page(page_id: int) -> str | Response:
    """Change the title of a page, and who sees it. The text is edited on the page itself."""
    page = db.get_or_404(EditableHTML, page_id)
    if not page.title:
        abort(404)
    form = PageForm(obj=page)
    del form.slug
    if form.validate_on_submit():
        form.fill(page)
        AuditEvent.record("page.changed", page=page.editor_name)
        db.session.commit()
        flash("The page is changed.", "success")
        return redirect(url_for("admin.page_info", page_id=page.id))
    return render_template("admin/edit_page.html", form=form, page=page)


@admin.get("/pages/<int:page_id>/revisions/<int:revision_id>")
@access(Permission.CHANGE_PAGES)
def page_revision(page_id: int, revision_id: int) -> str:
    """Show what a revision changed."""
    revision = _revision_or_404(page_id, revision_id)
    before = TextRevision.before(revision.text, revision.id)
    lines = difference(before.value if before else "", revision.value)
    return render_template("admin/page_revision.html", page=revision.text, revision=revision, lines=lines)


@admin.post("/pages/<int:page_id>/revisions/<int:revision_id>/restore")
@access(Permission.CHANGE_PAGES)
@sudo_required
def restore_revision(page_id: int, revision_id: int) -> Response:
    """Give a text back what it said in a revision, as a new revision."""
    revision = _revision_or_404(page_id, revision_id)
    lock_row(db.session, revision.text)
    TextRevision.write(revision.text, revision.value, current_user.id)
    AuditEvent.record("page.restored", page=revision.text.editor_name)
    db.session.commit()
    flash("The text is restored.", "success")
    return redirect(url_for("admin.page_info", page_id=page_id))


def _revision_or_404(page_id: int, revision_id: int) -> TextRevision:
    revision = db.get_or_404(TextRevision, revision_id)
    return revision if revision.text_id == page_id else abort(404)

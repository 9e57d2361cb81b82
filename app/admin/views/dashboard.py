"""The first page of the admin area: figures, health and the latest events."""

from flask import render_template
from sqlalchemy import select

from app import health
from app.access import access
from app.admin.advice import advice
from app.admin.blueprint import admin
from app.admin.figures import Figures, capped, emails_in
from app.extensions import db
from app.kit.mail.rows import EmailState
from app.kit.pages.chart import bar_chart
from app.models import AuditEvent, Permission, User

SHOWN_ROWS = 5


@admin.get("/")
@access(Permission.VIEW_DASHBOARD)
def index() -> str:
    """Show what needs attention, advice, sign-ups, figures, the newest users, the latest events and the checks."""
    figures = Figures.latest()
    dead, waiting = emails_in(EmailState.DEAD, EmailState.PENDING)
    newest = select(User).order_by(User.created_at.desc(), User.id.desc()).limit(SHOWN_ROWS)
    return render_template(
        "admin/index.html",
        figures=figures,
        advice=list(advice(figures.numbers)),
        dead_emails=capped(dead),
        waiting_emails=waiting,
        bar_chart=bar_chart,
        email_states=EmailState,
        checks=health.checks(),
        newest_users=db.session.scalars(newest).all(),
        latest_events=db.session.scalars(
            AuditEvent.with_people().order_by(AuditEvent.created_at.desc(), AuditEvent.id.desc()).limit(SHOWN_ROWS)
        ).all(),
    )

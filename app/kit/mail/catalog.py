"""The email catalog: write a row when an email is wanted, build its message when it is sent.

Seconds or a day can pass in between. So a row holds no token, link or text, only the recipient and the kind of
email. What depends on the moment (does it still make sense? which link?) is decided when it is sent.
"""

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from types import SimpleNamespace
from typing import Any

from flask import current_app

from app.kit.core.request_log import current_request_id
from app.kit.db.session import current_session
from app.kit.mail.message import Message, build_message
from app.kit.mail.rows import ClaimedEmail, Context, EmailRows, Json, LimitRows, Person

log = logging.getLogger("app.outbox")

# Confirmations and resets, which somebody waits for, leave before notices, and notices before bulk mail.
URGENT, NORMAL, BULK = 10, 20, 30

SAMPLE_USER = SimpleNamespace(
    first_name="Ada", last_name="Lovelace", email="ada@example.com", full_name=lambda: "Ada Lovelace", zone=UTC
)
SAMPLE_MOMENT = datetime(2026, 11, 21, 7, 15, tzinfo=UTC)


@dataclass(frozen=True)
class Rendered:
    """An email's subject and its two bodies."""

    subject: str
    text: str
    html: str


@dataclass
class CatalogEmail:
    """One email of the catalog: its composer, and how to send and preview it."""

    composer: Callable[..., Context | None]
    template: str
    subject: str
    priority: int
    to: str | None
    outlives_user: bool
    limited_per_recipient: bool
    sample: Context
    catalog: "Catalog" = field(repr=False)

    @property
    def name(self) -> str:
        """The name under which app/email.py lists it."""
        return self.composer.__name__

    def send(self, user: Person, **context: Json) -> bool:
        """Write this email to ``user`` into the outbox, in the caller's transaction.

        ``context`` holds the composer's other arguments, as plain JSON values. Return whether the email will be
        sent: False when it is limited and its recipient has reached the limit of this hour.
        """
        recipient = str(context[self.to]) if self.to else user.email
        return self._write(recipient, None if self.outlives_user else user, context, self.limited_per_recipient)

    def send_unlimited(self, user: Person, **context: Json) -> None:
        """Write this email without counting it, in response to a link that only the user was mailed.

        No attacker can cause such an email, or delay the owner's by using up the limit.
        """
        self._write(user.email, user, context, limited=False)

    def send_to_nobody(self, recipient: str) -> bool:
        """Write a row that the worker cancels: a request for an unknown address must cost what a known one does."""
        return self._write(recipient, None, {}, self.limited_per_recipient)

    def _write(self, recipient: str, user: Person | None, context: Context, limited: bool) -> bool:
        add_row = self.catalog.add_limited_row if limited else self.catalog.add_row
        return add_row(
            recipient=recipient,
            user=user,
            kind=self.name,
            subject=self.subject,
            template=self.template,
            context=context,
            priority=self.priority,
        )

    def compose(self, row: ClaimedEmail) -> Rendered | None:
        """Render the email as of now; return None when it no longer makes sense."""
        user = self.catalog.rows.load_user(row)
        if not self.outlives_user and not self._still_fits(row, user):
            return None
        arguments = row.context if self.outlives_user else {"user": user, **row.context}
        composed = self.composer(**arguments)
        if composed is None:
            return None
        values = {"user": user, "happened_at": row.created_at, **row.context, **composed}
        return render(self.template, self.subject, values)

    def _still_fits(self, row: ClaimedEmail, user: Person | None) -> bool:
        # Otherwise its link would open the account to whoever reads the user's former address.
        return user is not None and (self.to is not None or user.email == row.recipient)

    def preview(self) -> Rendered:
        """Render the email with sample data."""
        return render(self.template, self.subject, {"user": SAMPLE_USER, "happened_at": SAMPLE_MOMENT, **self.sample})


class Catalog:
    """All emails of an application, by name.

    ``rows`` is the model of the outbox, ``limits`` the model that counts emails for each recipient.
    """

    def __init__(self, rows: EmailRows, limits: LimitRows) -> None:
        self.rows = rows
        self.limits = limits
        self.emails: dict[str, CatalogEmail] = {}

    def email(
        self,
        template: str,
        *,
        subject: str,
        sample: Context,
        priority: int = NORMAL,
        to: str | None = None,
        outlives_user: bool = False,
        limited_per_recipient: bool = False,
    ) -> Callable[[Callable[..., Context | None]], CatalogEmail]:
        """Return a decorator that makes a composer an email of this catalog.

        ``to`` names the argument that holds the address, where it is not the user's own. ``outlives_user`` is for
        an email about an account that is deleted before it is sent. ``sample`` is what the composer would return,
        for the preview.

        ``limited_per_recipient`` is for every email that somebody other than its recipient can cause. Such emails
        share one limit per address, or anybody could flood a mailbox. Do not limit security notices: a thief would
        use up the limit first, and then go unnoticed.
        """

        def decorate(composer: Callable[..., Context | None]) -> CatalogEmail:
            entry = CatalogEmail(
                composer, template, subject, priority, to, outlives_user, limited_per_recipient, sample, self
            )
            if entry.name in self.emails:
                # Rows in the outbox refer to an email by its name: the wrong one would be sent.
                raise ValueError(f"There are two emails called {entry.name}. Rename one.")
            self.emails[entry.name] = entry
            return entry

        return decorate

    def add_limited_row(
        self, *, recipient: str, user: Person | None, kind: str, context: Context, **columns: object
    ) -> bool:
        """Add a row that is due when its recipient's limit allows; return False when it is dropped.

        A waiting email of the same kind serves both requests, since it is composed only when it is sent. One that
        failed before starts again with all its tries, so that a new request helps as soon as the mail server is
        back.
        """
        current_session().flush()  # gives a new user an id
        limit = self.limits.hold(recipient)
        waiting = self.rows.hold_waiting(kind, recipient, user.id if user else None)
        if waiting is not None and waiting.attempts == 0:
            return True
        slot = limit.take_slot()
        if slot is None:
            log.warning("email dropped, its recipient has reached the hourly limit", extra={"fields": {"kind": kind}})
            return False
        if waiting is not None:
            self.rows.start_anew(waiting.id, slot)
            return True
        return self.add_row(context=context, recipient=recipient, user=user, kind=kind, due_at=slot, **columns)

    def add_row(self, *, context: Context, **columns: object) -> bool:
        """Add a row to the outbox. Raises TypeError when ``context`` is not plain JSON."""
        json.dumps(context)
        current_session().add(self.rows(context=context, request_id=current_request_id(), **columns))
        return True

    def compose(self, row: ClaimedEmail) -> Message | None:
        """Build the message of a row from the catalog or from ``send_email``; None when it no longer makes sense."""
        if row.kind:
            rendered = self.emails[row.kind].compose(row)
        else:
            rendered = render(row.template, row.subject, {"user": self.rows.load_user(row), **row.context})
        if rendered is None:
            return None
        return build_message(
            sender=current_app.config["EMAIL_SENDER"],
            recipient=row.recipient,
            subject=f"{current_app.config['EMAIL_SUBJECT_PREFIX']} {rendered.subject}".strip(),
            text=rendered.text,
            html=rendered.html,
            message_id=message_id(row),
        )


def render(template: str, subject: str, values: Mapping[str, object]) -> Rendered:
    """Render ``<template>.txt`` and ``<template>.html``, the latter with its styles inlined."""
    settings = current_app.config
    context = {"app_name": settings["APP_NAME"], "base_url": settings["BASE_URL"], "subject": subject, **values}
    # Not Flask's render_template: context processors are for pages, and use the request.
    environment = current_app.jinja_env
    text = environment.get_template(f"{template}.txt").render(context)
    html = environment.get_template(f"{template}.html").render(context)
    return Rendered(subject, text.strip() + "\n", inline_styles(html))


def inline_styles(html: str) -> str:
    """Move the style sheet onto the elements, for mail programs that drop it; keep the rules that cannot move.

    Nothing is loaded from the network.
    """
    return _inliner().inline(html)


@cache
def _inliner() -> Any:
    # Imported here: only the worker and the preview in development build emails.
    import css_inline

    return css_inline.CSSInliner(load_remote_stylesheets=False, keep_at_rules=True, keep_style_tags=False)


def message_id(row: ClaimedEmail) -> str:
    """Return the Message-ID of a row. It is the same at every try, so that duplicates can be recognized."""
    domain = current_app.config["EMAIL_SENDER"].rpartition("@")[2].strip("> ") or "localhost"
    return f"<email-{row.id}.{int(row.created_at.timestamp())}@{domain}>"

"""The machinery of the email catalogue: rows to write when an email is wanted, messages to build
when it is sent.

Between the two lie seconds or a day. So a row holds no token, link or text, only who and which
email; what depends on the moment (does it still make sense? which link?) is decided at sending.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, update_wrapper
from types import SimpleNamespace
from typing import Any

from flask import current_app

from app.kit.core.request_log import current_request_id
from app.kit.mail.message import Message, build_message

# Confirmations and resets, which someone is waiting for, leave before notices and those before bulk.
URGENT, NORMAL, BULK = 10, 20, 30

SAMPLE_USER = SimpleNamespace(
    first_name="Ada", last_name="Lovelace", email="ada@example.com", full_name=lambda: "Ada Lovelace"
)

# What a composer answers: the template's variables, or None when nobody should get the email now.
Context = dict[str, Any]


@dataclass(frozen=True)
class Rendered:
    """An email's subject and its two bodies."""

    subject: str
    text: str
    html: str


@dataclass
class CatalogEmail:
    """One email of the catalogue: its composer, and how to send and to preview it."""

    composer: Callable[..., Context | None]
    template: str
    subject: str
    priority: int
    to: str | None
    outlives_user: bool
    sample: Context
    catalog: "Catalog" = field(repr=False)

    def __post_init__(self) -> None:
        update_wrapper(self, self.composer)  # type: ignore[arg-type]

    @property
    def name(self) -> str:
        """The name under which app/email.py lists it."""
        return self.composer.__name__

    def send(self, user: Any, **context: Any) -> None:
        """Write this email to ``user`` into the outbox, in the caller's transaction.

        ``context`` are plain JSON values, the composer's further arguments.
        """
        self.catalog.add_row(
            recipient=context[self.to] if self.to else user.email,
            user=None if self.outlives_user else user,
            kind=self.name,
            subject=self.subject,
            template=self.template,
            context=context,
            priority=self.priority,
        )

    def send_to_nobody(self, recipient: str) -> None:
        """Write a row that the worker cancels: asking for an unknown address must cost what a known one does."""
        self.catalog.add_row(
            recipient=recipient,
            kind=self.name,
            subject=self.subject,
            template=self.template,
            context={},
            priority=self.priority,
        )

    def compose(self, row: Any) -> Rendered | None:
        """Build the email as of now; None when it no longer makes sense."""
        user = self.catalog.rows.load_user(row)
        if user is None and not self.outlives_user:
            return None
        # The link in it would open the account to whoever reads the address that was given up.
        if self.to is None and not self.outlives_user and user.email != row.recipient:
            return None
        arguments = row.context if self.outlives_user else {"user": user, **row.context}
        composed = self.composer(**arguments)
        if composed is None:
            return None
        moment = row.created_at.strftime("%d %B %Y, %H:%M UTC")
        context = {"user": user, "happened_at": moment, **row.context, **composed}
        return render(self.template, self.subject, context)

    def preview(self) -> Rendered:
        """Render the email with sample data."""
        return render(self.template, self.subject, {"user": SAMPLE_USER, **self.sample})


class Catalog:
    """All emails of an application, by name; ``rows`` is the model of its outbox."""

    def __init__(self, rows: type[Any]) -> None:
        self.rows = rows
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
    ) -> Callable[[Callable[..., Context | None]], CatalogEmail]:
        """Make a composer an email.

        ``to`` names the argument that holds the address, where it is not the user's own;
        ``outlives_user`` is for an email about an account that is gone when it is sent.
        ``sample`` is what the composer would answer, for the preview.
        """

        def decorate(composer: Callable[..., Context | None]) -> CatalogEmail:
            entry = CatalogEmail(composer, template, subject, priority, to, outlives_user, sample, self)
            if entry.name in self.emails:
                # Rows in the outbox know an email by its name: the wrong one would leave.
                raise ValueError(f"There are two emails called {entry.name}. Rename one.")
            self.emails[entry.name] = entry
            return entry

        return decorate

    def add_row(self, *, context: Context, **columns: Any) -> None:
        """Add a row to the outbox; raises TypeError when ``context`` is not plain JSON."""
        json.dumps(context)
        session = current_app.extensions["sqlalchemy"].session
        session.add(self.rows(context=context, request_id=current_request_id(), **columns))

    def compose(self, row: Any) -> Message | None:
        """Build a row's message, whether it comes from the catalogue or from ``send_email``."""
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


def render(template: str, subject: str, context: Context) -> Rendered:
    """Render ``<template>.txt`` and ``<template>.html``, the latter with its styles inlined."""
    settings = current_app.config
    context = {"app_name": settings["APP_NAME"], "base_url": settings["BASE_URL"], "subject": subject, **context}
    # Straight from the environment: context processors are for pages, and know a request.
    environment = current_app.jinja_env
    text = environment.get_template(f"{template}.txt").render(context)
    html = environment.get_template(f"{template}.html").render(context)
    return Rendered(subject, text.strip() + "\n", inline_styles(html))


def inline_styles(html: str) -> str:
    """Move the style sheet onto the elements, for mail programs that drop it; keep what cannot move.

    Nothing is fetched from anywhere.
    """
    return _inliner().inline(html)


@cache
def _inliner() -> Any:
    # Only who builds mail needs it: the worker, and the preview in development.
    import css_inline

    return css_inline.CSSInliner(load_remote_stylesheets=False, keep_at_rules=True, keep_style_tags=False)


def message_id(row: Any) -> str:
    """Answer the Message-ID of a row: the same at every try, so that a double can be told as one."""
    domain = current_app.config["EMAIL_SENDER"].rpartition("@")[2].strip("> ") or "localhost"
    return f"<email-{row.id}.{int(row.created_at.timestamp())}@{domain}>"

"""What the audit log says: one sentence for each kind of event.

``{actor}`` is who did it, ``{subject}`` to whom; other names in braces are details of the event. Details that the
sentence does not name are shown below it. Areas add sentences of their own (areas.py).
"""

from collections.abc import Iterator, Mapping
from string import Formatter

from flask import Flask, current_app
from markupsafe import Markup, escape

from app.models import AuditEvent

SENTENCES = {
    "user.registered": "{subject} signed up",
    "user.registered_again": "Somebody signed up again with the address of {subject}",
    "user.confirmed": "{subject} confirmed the email address",
    "user.invited": "{actor} invited {subject}",
    "user.invited_again": "{actor} sent the invitation of {subject} again",
    "user.confirmation_sent_again": "{actor} sent the confirmation link of {subject} again",
    "user.joined": "{subject} accepted the invitation",
    "user.created": "{actor} added {subject}",
    "user.logged_in": "{subject} logged in",
    "user.role_changed": "{actor} changed the account type of {subject}",
    "user.disabled": "{actor} disabled {subject}",
    "user.enabled": "{actor} enabled {subject}",
    "user.impersonated": "{actor} looked at the site as {subject}",
    "user.impersonation_ended": "{actor} stopped looking at the site as {subject}",
    "user.deleted": "{actor} deleted {subject}",
    "user.deleted_own_account": "{actor} left and deleted the account",
    "user.locked_out_intruder": "{subject} took the account back and logged everyone out",
    "user.left_out": "{subject} was left out of a change of many users by {actor}",
    "users.change_started": "{actor} started a change of users ({count}): {change}",
    "users.change_canceled": "{actor} canceled a change of many users",
    "users.exported": "{actor} exported users ({count})",
    "session.ended": "{subject} logged out one browser",
    "session.others_ended": "{subject} logged out all other browsers",
    "session.all_ended": "{actor} logged out every browser of {subject}",
    "password.reset_requested": "Somebody asked for a link to reset the password of {subject}",
    "code.requested": "Somebody asked for a code to log in as {subject}",
    "password.reset_forced": "{actor} made {subject} choose a new password",
    "password.changed": "{subject} changed the password",
    "passkey.counted_backwards": "The passkey “{passkey}” of {subject} counted backwards: it may have been copied",
    "second_factor.added": "{subject} added a second factor",
    "second_factor.turned_on": "{subject} saved recovery codes: logins ask for the second factor",
    "second_factor.removed": "{subject} removed a second factor",
    "second_factor.reset": "All second factors of {subject} were removed",
    "second_factor.removal_requested": "{actor} wants all second factors of {subject} to be removed",
    "second_factor.removal_stopped": "The second factors of {subject} stay",
    "second_factor.wrong": "Somebody gave a wrong code as the second factor of {subject}",
    "recovery_codes.made": "{subject} made new recovery codes",
    "password.removed": "{subject} removed the password",
    "way_in.removed": "{subject} removed a way to log in while resetting the password: {way}",
    "identity.linked": "{subject} linked an account at {provider}",
    "identity.unlinked": "{subject} unlinked an account at {provider}",
    "email.change_requested": "{subject} asked to change the email address",
    "email.changed": "{actor} changed the email address of {subject}",
    "email.retried": "{actor} had email {email_id} sent again",
    "email.canceled": "{actor} canceled email {email_id}",
    "user.profile_changed": "{subject} changed the profile",
    "user.name_changed": "{actor} changed the name of {subject}",
    "user.picture_changed": "{subject} uploaded a picture",
    "user.picture_removed": "{subject} removed the picture",
    "data.export_requested": "{subject} asked for a copy of their data",
    "consent.given": "{subject} agreed to: {documents}",
    "role.created": "{actor} added the account type {role}",
    "role.changed": "{actor} changed the account type {role}",
    "role.made_default": "{actor} chose the account type {role} for new users",
    "role.deleted": "{actor} deleted the account type {role}",
    "page.edited": "{actor} edited the page “{page}”",
    "page.asks_again": "{actor} edited the page “{page}”, and everybody has to agree to it again",
    "page.created": "{actor} added the page “{page}”",
    "page.changed": "{actor} changed the title of the page “{page}”, or who sees it",
    "page.restored": "{actor} restored an earlier text of the page “{page}”",
    "job.retried": "{actor} ran the failed job {job_id} again",
    "job.discarded": "{actor} discarded the failed job {job_id}",
}
# Shown in another way: by which means somebody acted, and the random id of a deleted user.
NOT_SHOWN = {"by", "uid"}


def init_app(app: Flask) -> None:
    """Give ``app`` its own copy of the sentences, to which areas add, and register the functions of the templates."""
    app.extensions["audit_sentences"] = dict(SENTENCES)
    app.jinja_env.globals.update(audit_sentence=sentence, audit_details=details)


def sentence(event: AuditEvent, actor: str, subject: str) -> Markup:
    """Return what happened as HTML; ``actor`` and ``subject`` are the names of the people, or links to them."""
    values = dict.fromkeys(_names_in(event.event), "?") | event.details
    if event.is_about_actor and "actor" in _names_in(event.event):
        subject = "their own account"
    return escape(_sentence(event.event)).format_map({**values, "actor": actor, "subject": subject})


def details(event: AuditEvent) -> Iterator[tuple[str, object]]:
    """Yield the details that the sentence does not contain, with their names in words."""
    hidden = NOT_SHOWN | _names_in(event.event)
    for name, value in event.details.items():
        if name not in hidden and value not in (None, ""):
            yield name.replace("_", " "), value


def labels() -> dict[str, str]:
    """Return each kind of event with a short form of its sentence, for a filter, in the order of the catalog."""
    sentences: Mapping[str, str] = current_app.extensions["audit_sentences"]
    return {event: _without_names(text) for event, text in sentences.items()}


def _without_names(text: str) -> str:
    words = "".join(literal + ("…" if name else "") for literal, name, _, _ in Formatter().parse(text))
    return words.removeprefix("… ").capitalize()


def _sentence(event: str) -> str:
    # An event whose sentence is gone with its area is shown by its name.
    return current_app.extensions["audit_sentences"].get(event, event)


def _names_in(event: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(_sentence(event)) if name}

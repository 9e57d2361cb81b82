"""The models. Importing this package registers all tables."""

from app.models.audit_event import AuditEvent
from app.models.bulk_task import BulkTask
from app.models.consent import Consent
from app.models.daily_figure import DailyFigure
from app.models.data_export import DataExport
from app.models.editable_html import EditableHTML
from app.models.email import Email
from app.models.former_address import FormerAddress
from app.models.known_device import KnownDevice
from app.models.recipient_limit import RecipientLimit
from app.models.role import Permission, Role
from app.models.scheduled_job import ScheduledJob
from app.models.spent_proof import SpentProof
from app.models.stored_file import StoredFile, delete_stored_files
from app.models.text_revision import TextRevision
from app.models.user import AnonymousUser, User
from app.models.user_deletion import delete_user, delete_users
from app.models.user_lists import USER_SORTS, USER_STATES, ids_of_people, users_chosen
from app.models.user_session import UserSession

__all__ = [
    "USER_SORTS",
    "USER_STATES",
    "AnonymousUser",
    "AuditEvent",
    "BulkTask",
    "Consent",
    "DailyFigure",
    "DataExport",
    "EditableHTML",
    "Email",
    "FormerAddress",
    "KnownDevice",
    "Permission",
    "RecipientLimit",
    "Role",
    "ScheduledJob",
    "SpentProof",
    "StoredFile",
    "TextRevision",
    "User",
    "UserSession",
    "delete_stored_files",
    "delete_user",
    "delete_users",
    "ids_of_people",
    "users_chosen",
]

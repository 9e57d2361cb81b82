"""The models. Importing this package registers all tables."""

from app.models.audit_event import AuditEvent
from app.models.authenticator_app import AuthenticatorApp
from app.models.bulk_task import BulkTask
from app.models.consent import Consent
from app.models.daily_figure import DailyFigure
from app.models.data_export import DataExport
from app.models.editable_html import EditableHTML
from app.models.email import Email
from app.models.factor_removal import FactorRemoval
from app.models.flow import Flow
from app.models.former_address import FormerAddress
from app.models.known_device import KnownDevice
from app.models.linked_identity import LinkedIdentity
from app.models.passkey import Passkey
from app.models.recipient_limit import RecipientLimit
from app.models.recovery_code import RecoveryCode
from app.models.role import Permission, Role
from app.models.scheduled_job import ScheduledJob
from app.models.spent_proof import SpentProof
from app.models.stored_file import StoredFile, delete_stored_files
from app.models.text_revision import TextRevision
from app.models.user import AnonymousUser, User
from app.models.user_deletion import delete_user, delete_users
from app.models.user_lists import USER_SORTS, USER_STATES, ids_of_people, users_chosen
from app.models.user_session import UserSession
from app.models.ways_in import (
    Way,
    has_other_way_in,
    may_get_codes,
    must_have_second_factor,
    second_factors,
    way_labels,
    ways_by_user,
)

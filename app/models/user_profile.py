"""How users call and describe themselves."""

from datetime import tzinfo

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Model
from app.kit.pages.moments import zone_called

NAME_MAX_LENGTH = 64
ABOUT_MAX_LENGTH = 500
TIME_ZONE_MAX_LENGTH = 64


class UserProfile(Model):
    """The columns of ``User`` that everybody may edit on the profile page."""

    __abstract__ = True

    first_name: Mapped[str] = mapped_column(String(NAME_MAX_LENGTH), default="", server_default="")
    last_name: Mapped[str] = mapped_column(String(NAME_MAX_LENGTH), default="", server_default="")
    nickname: Mapped[str] = mapped_column(String(NAME_MAX_LENGTH), default="", server_default="")
    # A name of the IANA list, such as "Europe/Berlin", or "" if the user has not chosen one.
    time_zone: Mapped[str] = mapped_column(String(TIME_ZONE_MAX_LENGTH), default="", server_default="")
    # Plain text.
    about: Mapped[str] = mapped_column(String(ABOUT_MAX_LENGTH), default="", server_default="")

    def full_name(self) -> str:
        """Return the first and last name, or an empty string if both are unknown."""
        return f"{self.first_name} {self.last_name}".strip()

    @property
    def public_name(self) -> str:
        """The name that other users see: the nickname or, without one, the full name, but never the email address."""
        return self.nickname or self.full_name()

    @property
    def zone(self) -> tzinfo:
        """The time zone in which the user sees times: UTC unless another one was chosen."""
        return zone_called(self.time_zone)

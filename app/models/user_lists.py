"""How lists of users are sorted and filtered: one index for each pair of a sort order and a filter.

A list of a million users is read in the order of an index, 25 rows at a time; a pair without an index would sort all
of them for each page. The columns that people see are in templates/admin/registered_users.html.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Index, and_, case, false, func, literal_column, true
from sqlalchemy.orm import QueryableAttribute
from sqlalchemy.sql.expression import Grouping

from app.extensions import db
from app.kit.http.routing import row_id
from app.models.user import User

# Literals, not bound parameters: a database uses an index on an expression only for the same expression.
user_state = case(
    (User.disabled_at.is_not(None), literal_column("'disabled'")),
    (User.is_invited, literal_column("'invited'")),
    (User.confirmed, literal_column("'active'")),
    else_=literal_column("'unconfirmed'"),
)
USER_STATES: dict[str, ColumnElement[bool]] = {
    state: user_state == state for state in ("active", "unconfirmed", "invited", "disabled")
}

USER_SORTS: dict[str, tuple[ColumnElement[Any] | QueryableAttribute[Any], ...]] = {
    "name": (User.first_name, User.last_name),  # as the list shows it
    "email": (func.lower(User.email),),
    "joined": (User.created_at,),
}

for _name, _columns in USER_SORTS.items():
    if _name != "email":  # it has its unique index
        Index(f"ix_users_{_name}", *_columns, User.id)
    Index(f"ix_users_role_{_name}", User.role_id, *_columns, User.id)
    # In parentheses, as PostgreSQL asks for.
    Index(f"ix_users_state_{_name}", Grouping(user_state), *_columns, User.id)

# Counts the users of a state. PostgreSQL would read each row for it, because the indexes above lack the columns of the
# condition: 10 ms instead of 1 for ten thousand users.
for _state in USER_STATES:
    _found = user_state == literal_column(f"'{_state}'")
    Index(f"ix_users_{_state}", User.id, postgresql_where=_found, info={"only_on": "postgresql"})


def users_chosen(chosen: Mapping[str, Any]) -> ColumnElement[bool]:
    """Return the condition of the users whom ``chosen`` describes: their ``ids``, or a search and filters.

    A value that is not known, perhaps of a filter that is gone, finds nobody: it must never find everybody.
    """
    found: list[ColumnElement[bool]] = [User.id.in_(chosen["ids"])] if "ids" in chosen else []
    if words := chosen.get("search"):
        found.append(User.matches(words))
    if role := chosen.get("role"):
        role_id = row_id(role)
        found.append(false() if role_id is None else User.role_id == role_id)
    if state := chosen.get("state"):
        found.append(USER_STATES.get(state, false()))
    return and_(true(), *found)


# How many people a search of another list looks for: each may have thousands of rows there, and all are sorted.
PEOPLE_FOUND = 25


def ids_of_people(words: str) -> list[int]:
    """Return the ids of users whose name or address has these words, of the first ones found if they are many."""
    return list(db.session.scalars(User.first_ids_matching(words, PEOPLE_FOUND)))

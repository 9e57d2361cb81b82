"""Run an action after a transaction has committed, and never after a rollback.

A job that starts before the commit does not find its rows yet. One that starts in spite of a rollback never finds
them.
"""

from collections.abc import Callable

from sqlalchemy import event
from sqlalchemy.orm import Session, SessionTransaction

Action = Callable[[], None]

_KEY = "after_commit"


def after_commit(session: Session, action: Action, key: object = None) -> None:
    """Run ``action`` when the session's transaction commits, or at once when there is none.

    An action added inside a savepoint is dropped when the savepoint is rolled back. Of several actions with the
    same ``key`` only the first runs. An action must not use the session, which can run no SQL at that moment.
    """
    transaction = session.get_nested_transaction() or session.get_transaction()
    if transaction is None:
        action()
    else:
        _actions(session).setdefault(transaction, {}).setdefault(key or object(), action)


def _actions(session: Session) -> dict[SessionTransaction, dict[object, Action]]:
    return session.info.setdefault(_KEY, {})


@event.listens_for(Session, "after_commit")
def _run_or_hand_up(session: Session) -> None:
    savepoint = session.get_nested_transaction()
    transaction = savepoint or session.get_transaction()
    if transaction is None:
        return
    actions = _actions(session).pop(transaction, {})
    if savepoint is not None and savepoint.parent is not None:
        above = _actions(session).setdefault(_owner(savepoint.parent), {})
        above.update({key: action for key, action in actions.items() if key not in above})
        return
    for action in actions.values():
        action()


def _owner(transaction: SessionTransaction) -> SessionTransaction:
    """Return the savepoint or root transaction that ``transaction`` belongs to; a flush opens one of its own."""
    while not transaction.nested and transaction.parent is not None:
        transaction = transaction.parent
    return transaction


@event.listens_for(Session, "after_transaction_end")
def _forget(session: Session, transaction: SessionTransaction) -> None:
    """Drop the actions that are left: the transaction was rolled back, or its session was closed."""
    _actions(session).pop(transaction, None)

"""Report unexpected errors to Sentry, or to a server that speaks its protocol."""

from typing import Any, cast

from flask import Flask

from app.kit.core.environment import ConfigError


def init_app(app: Flask) -> None:
    """Turn on reporting when SENTRY_DSN is set. Raises ConfigError when sentry-sdk is not installed.

    No personal data is sent: no addresses, cookies, form fields or local variables.
    """
    dsn = app.config["SENTRY_DSN"]
    if not dsn:
        return
    try:
        # An optional requirement, installed only where errors are reported.
        import sentry_sdk
    except ImportError:
        cure = "Install it (pip install -r requirements/sentry.txt), or remove the variable."
        raise ConfigError([f"SENTRY_DSN: the package sentry-sdk is not installed. {cure}"]) from None
    sentry_sdk.init(
        dsn=dsn,
        environment=app.config["NAME"],
        include_local_variables=False,
        max_request_body_size="never",
        before_send=cast(Any, without_secrets),  # sentry's own types exist only where it is installed
    )


def without_secrets(event: dict[str, Any], _hint: object = None) -> dict[str, Any]:
    """Return the report without URLs and headers: URLs can hold tokens of mailed links, headers hold cookies.

    The route ("/account/confirm-account/<token>") stays, as the report's transaction.
    """
    kept = {name: value for name, value in event.get("request", {}).items() if name == "method"}
    return {**event, "request": kept, "breadcrumbs": {"values": []}}

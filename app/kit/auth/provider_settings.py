"""The providers with which users can log in: their settings, and what is asked and told (openid.py does the asking)."""

import re
from dataclasses import dataclass, field
from ipaddress import ip_address

from app.kit.core.environment import Environment, split_url

NAME_MAX_LENGTH = 32
PARTS = ("ISSUER", "CLIENT_ID", "CLIENT_SECRET", "LABEL")
SETTING = re.compile(rf"OIDC_([A-Z0-9][A-Z0-9_]*?)_({'|'.join(PARTS)})")

# A header can hold it, and browsers and Python read it alike.
PLAIN = re.compile(r"[!-~]+")


@dataclass(frozen=True)
class Provider:
    """A site that tells us who somebody is: by OpenID Connect, or with ``api`` by the API of GitHub."""

    name: str
    label: str
    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    api: str = ""


class ProviderError(Exception):
    """A provider's answer cannot be used. The message is for the log, and holds no secret."""


@dataclass(frozen=True)
class Identity:
    """Whom a provider has identified: ``issuer`` and ``subject`` never go to another person, an address may."""

    issuer: str
    subject: str
    email: str = ""
    email_is_verified: bool = False
    first_name: str = ""
    last_name: str = ""


@dataclass(frozen=True)
class Attempt:
    """What one login keeps: where the provider sends the browser back to, and what its answer must fit."""

    redirect_uri: str
    state: str
    nonce: str
    verifier: str


# For these, a client id and a secret are enough.
WELL_KNOWN = {
    "GOOGLE": ("Google", "https://accounts.google.com", ""),
    "GITHUB": ("GitHub", "https://github.com", "https://api.github.com"),
}


def read_providers(env: Environment, http_allowed: bool) -> dict[str, Provider]:
    """Return the providers in the settings by name, and record what is missing or wrong.

    ``http_allowed`` permits http for an issuer on this machine, for development.
    """
    found = []
    for name, (label, issuer, api) in WELL_KNOWN.items():
        client_id, secret = env.text(f"{name}_CLIENT_ID"), env.text(f"{name}_CLIENT_SECRET")
        if client_id and secret:
            found.append(Provider(name.lower(), label, issuer, client_id, secret, api))
        elif client_id or secret:
            cure = f"Copy both from {label}, or remove both."
            env.problem(f"{name}_CLIENT_{'SECRET' if client_id else 'ID'}", "it is missing.", cure)
    names = {match[1] for setting in env.names_that_are_set() if (match := SETTING.fullmatch(setting))}
    found += [_read_provider(env, name, http_allowed) for name in sorted(names)]
    return {provider.name: provider for provider in found}


def _read_provider(env: Environment, name: str, http_allowed: bool) -> Provider:
    issuer, client_id, secret, label = (env.text(f"OIDC_{name}_{part}") for part in PARTS)
    for part, value in (("ISSUER", issuer), ("CLIENT_ID", client_id), ("CLIENT_SECRET", secret)):
        if not value:
            cure = f"Copy it from the provider, or remove every setting that begins with OIDC_{name}_."
            env.problem(f"OIDC_{name}_{part}", "it is missing.", cure)
    if issuer and (not is_secure(issuer, http_allowed) or "?" in issuer or "#" in issuer):
        cure = "Set it like https://login.example.com, exactly as the provider writes it."
        env.problem(f"OIDC_{name}_ISSUER", "it is no https address.", cure)
    if len(name) > NAME_MAX_LENGTH:
        env.problem(f"OIDC_{name}_ISSUER", "the name is too long.", f"Use at most {NAME_MAX_LENGTH} characters.")
    return Provider(name.lower(), label or name.replace("_", " ").title(), issuer, client_id, secret)


def is_secure(url: str, http_allowed: bool) -> bool:
    """Return whether nobody on the way can read or change what this address answers."""
    parts = split_url(url)
    if not PLAIN.fullmatch(url) or not parts.hostname or parts.username is not None:
        return False
    return parts.scheme == "https" or (http_allowed and parts.scheme == "http" and _is_this_machine(parts.hostname))


def _is_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False

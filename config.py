"""Every setting of the application, read from the environment and ``.env``.

``config[name](os.environ)`` returns a configuration, whose upper-case attributes become ``app.config``.
A new setting needs one line here, one in ``.env.example`` and one in ``docs/settings.md``; a test checks this.
"""

import os
import re
from collections.abc import Mapping
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from app.kit.auth.provider_settings import read_providers
from app.kit.core.environment import Environment, is_ip_address, load_settings_file, split_url

ROOT = Path(__file__).resolve().parent
SAMPLE_VALUES = {"change-me", "changeme", "password", "secret", "SECRET_KEY_ENV_VAR_NOT_SET"}
SECRET_KEY_MIN_LENGTH = 32
DEVELOPMENT_KEY = "development-key-that-guards-nothing-outside-this-machine"
# No blanks, line breaks or control characters, which would break a field of security.txt or start another one.
WEB_URI = re.compile(r"https://[!-~]+")
CONTACT_URI = re.compile(r"https://[!-~]+|mailto:[!-~]+@[!-~]+|tel:[!-~]+")
SENTRY_URI = re.compile(r"https?://[^\s:@/]+(:[^\s@/]+)?@[^\s@/]+/([^\s/]+/)*\d+")
BUCKET_URL = re.compile(r"s3://[a-z0-9][a-z0-9.-]+(/[\w.-]+)*/?")
ENDPOINT_URL = re.compile(r"https?://[\w.-]+(:\d+)?(/[\w.-]+)*/?")
LANGUAGE_TAG = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")

# Without what .env adds, so that a process which is started again reads a changed .env.
REAL_ENVIRONMENT = dict(os.environ)
SETTINGS_FILE_PROBLEMS = load_settings_file(ROOT / ".env")


class Decisions:
    """Limits and lifetimes that are the same for all deployments.

    Other modules read them from ``app.config``. Pages and emails that state a limit compute it from here.
    """

    # Links in emails. Each works once; docs/security.md says what else invalidates it.
    CONFIRM_LINK_LIFETIME = timedelta(days=7)
    INVITE_LINK_LIFETIME = timedelta(days=7)
    # Short, so that somebody who reads the mailbox later finds no valid link.
    RESET_LINK_LIFETIME = timedelta(hours=1)
    CHANGE_EMAIL_LINK_LIFETIME = timedelta(hours=1)
    NOT_ME_LINK_LIFETIME = timedelta(days=7)
    # How long a former address can restore the account: long enough for an owner who was on vacation.
    FORMER_ADDRESS_LIFETIME = timedelta(days=30)

    # Sessions (ASVS 7.3): the longest time without a request, and the longest total time.
    SESSION_IDLE_LIFETIME = timedelta(days=14)
    REMEMBERED_SESSION_LIFETIME = timedelta(days=30)
    BROWSER_SESSION_LIFETIME = timedelta(hours=12)
    # How long sensitive actions do not ask for the password again.
    SUDO_LIFETIME = timedelta(minutes=15)
    # Administrators who look at the site as another user: for how long, whether the user gets an email, and endpoints
    # outside of the account area that accept what they send. See docs/administration.md.
    IMPERSONATION_LIFETIME = timedelta(minutes=30)
    IMPERSONATION_NOTICE = True
    CHANGES_WHILE_IMPERSONATING: frozenset[str] = frozenset()
    KNOWN_BROWSER_LIFETIME = timedelta(days=365)
    # What begins in a browser and waits for its next step (app/models/flow.py).
    FLOW_LIFETIMES: ClassVar[dict[str, timedelta]] = {
        "second_step": timedelta(minutes=10),  # between the password and the second factor
        "passkey": timedelta(minutes=5),
        "new_app": timedelta(minutes=30),  # an authenticator app that has not shown its first code
        "new_recovery_codes": timedelta(minutes=30),
        "provider": timedelta(minutes=10),  # while the user is at the provider
        "provider_sign_up": timedelta(minutes=30),  # the form that asks for what the provider did not tell
        "mailed_code": timedelta(minutes=10),  # ASVS 6.5.5
        "sudo_code": timedelta(minutes=10),
    }
    # How long users can stop an administrator who removes their second factors.
    FACTOR_REMOVAL_DELAY = timedelta(hours=24)
    # Wrong answers to one question for a second factor, or for a mailed code.
    SECOND_STEP_TRIES = 5
    # How many recovery codes a user gets, and how few that are left are a reason to make new ones.
    RECOVERY_CODES = 10
    FEW_RECOVERY_CODES = 3
    MAILED_CODE_TRIES = 3  # app/mailed_codes.py has their length
    # A reset offers to remove what was added within this time: an intruder may have done so.
    RECENTLY_ADDED = timedelta(days=7)

    # Passwords: at most 128 characters are hashed; zxcvbn's score goes from 0 to 4.
    PASSWORD_MAX_LENGTH = 128
    PASSWORD_MIN_SCORE = 3

    # Rate limits per IP network, in the syntax of the package limits. FORM_LIMIT counts each form that is sent, the
    # others only what passes validation: a typing error must not use up the few registrations or emails of a network.
    FORM_LIMIT = "60/minute"
    LOGIN_LIMIT = "30/minute"
    REGISTER_LIMIT = "20/minute"
    PASSWORD_METER_LIMIT = "60/minute"  # noqa: S105
    # Requests for an email, and pages behind a mailed link.
    EMAIL_REQUEST_LIMIT = "20/minute"
    LINK_LIMIT = "20/minute"
    # Per user.
    SUDO_CODE_LIMIT = "5/hour"
    OWN_PASSWORD_FORM_LIMIT = "20/minute"  # noqa: S105
    EXPORT_LIMIT = "10/day"
    PICTURE_LIMIT = "30/hour"
    # Wrong passwords (ASVS 6.3.1).
    WRONG_PASSWORDS_PER_ADDRESS = "5 per 5 minutes"
    WRONG_PASSWORDS_PER_KNOWN_BROWSER = "5 per 5 minutes"
    WRONG_PASSWORDS_PER_NETWORK = "10 per minute"
    WRONG_PASSWORDS_PER_USER = "5 per 5 minutes"
    # Wrong codes and passkeys after a right password, all second factors together.
    WRONG_SECOND_FACTORS_PER_USER = "5 per 5 minutes; 20 per hour; 50 per day"
    WRONG_SECOND_FACTORS_PER_NETWORK = "10 per 5 minutes; 50 per hour"
    # After how many of them within a day the owner gets an email (ASVS 6.3.5).
    WRONG_SECOND_FACTORS_BEFORE_NOTICE = 5
    # Forms that strangers send, such as registrations: from how many of a network on each needs a proof of work, how
    # long one may take, and the rounds of each of its tries (256 on average). With as many forms more these double,
    # a few times at most.
    PROOF_OF_WORK_AFTER = "5 per 10 minutes"
    PROOF_OF_WORK_LIFETIME = timedelta(minutes=5)
    PROOF_OF_WORK_COST = 5000
    PROOF_OF_WORK_DOUBLINGS = 4
    # Emails that anybody can cause, per recipient.
    RECIPIENT_EMAIL_INTERVAL = timedelta(minutes=1)
    RECIPIENT_EMAILS_PER_HOUR = 5

    # Uploaded pictures of users. Decoding takes four bytes for each pixel, and for some formats that several times.
    PICTURE_MAX_BYTES = 5_000_000
    PICTURE_MAX_PIXELS = 25_000_000
    # Files that no row names: leftovers of requests that failed. Long enough for any request to finish.
    UNUSED_FILE_LIFETIME = timedelta(days=1)

    # Delivery: twelve attempts. Each wait is twice the one before, 42 s * (2 ** 11 - 1) or a day in total.
    EMAIL_MAX_ATTEMPTS = 12
    EMAIL_FIRST_WAIT_SECONDS = 42
    # How long a worker has to send an email before another one may claim it.
    EMAIL_LEASE_SECONDS = 120

    # When copies of security.txt expire. RFC 9116 recommends less than a year.
    SECURITY_TXT_LIFETIME = timedelta(days=180)

    # A change of many users that did not go on for so long was interrupted: another worker continues it.
    BULK_TASK_REST = timedelta(minutes=2)

    # Retention. Deployments set the other retention periods (UNCONFIRMED_ACCOUNT_DAYS and others, below).
    # A copy of one's own data, or of a list of users.
    DATA_EXPORT_LIFETIME = timedelta(days=1)
    # An email that could not be sent still names its user, even after the account was deleted.
    DEAD_EMAIL_ABOUT_NOBODY_LIFETIME = timedelta(days=7)
    FAILED_JOB_LIFETIME = timedelta(days=14)

    # Security headers of every response; a view opens more for itself with ``allow_source``.
    SECURITY_HEADERS: ClassVar[dict[str, str]] = {
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "strict-origin-when-cross-origin",
        "Permissions-Policy": (
            "accelerometer=(), camera=(), geolocation=(), gyroscope=(), microphone=(), payment=(), usb=()"
        ),
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "X-Frame-Options": "DENY",
    }
    # 'none' closes everything, and each further line opens one thing. There is no 'unsafe-inline': a script that
    # somebody smuggles into a page does not know the response's nonce.
    CONTENT_SECURITY_POLICY: ClassVar[dict[str, list[str]]] = {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "manifest-src": ["'self'"],
        "frame-src": ["'none'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }

    # What HTML may remain of an edited page. No style (the policy above refuses it), no id and no class: stored text
    # could otherwise take over the look or the targets of the page around it.
    MARKDOWN_TAGS = (
        "p br hr strong b em i u s del ins sub sup small mark abbr blockquote cite q code pre kbd "
        "h1 h2 h3 h4 h5 h6 ul ol li dl dt dd table caption thead tbody tfoot tr th td figure figcaption "
        "a img div span"
    )
    MARKDOWN_ATTRIBUTES: ClassVar[dict[str, set[str]]] = {
        "a": {"href", "title"},
        "abbr": {"title"},
        "img": {"src", "alt", "title", "width", "height"},
        "ol": {"start"},
        "td": {"colspan", "rowspan"},
        "th": {"colspan", "rowspan", "scope"},
    }
    MARKDOWN_SCHEMES = frozenset({"http", "https", "mailto", "tel"})

    # The role of new users (models/role.py), until an administrator chooses another one on /admin/roles.
    NEWCOMER_ROLE = "User"

    # The pages that who joins the site agrees to, once they are published: address and first title (docs/terms.md).
    CONSENT_DOCUMENTS: Mapping[str, str] = {"terms": "Terms of service", "privacy": "Privacy policy"}

    # When browsers and search engines may ask again during maintenance.
    MAINTENANCE_RETRY_AFTER = timedelta(minutes=5)

    # Lists.
    ROWS_PER_PAGE = 25
    # The days that the dashboard's chart shows, and within how many days it counts active users.
    SIGN_UP_CHART_DAYS = 30
    ACTIVE_USER_DAYS = (1, 7, 30)
    # How long the page of a data export reloads until the export is ready.
    EXPORT_WATCH_PERIOD = timedelta(minutes=5)
    # Health: the longest silence of a working worker, and the greatest age of an unsent email.
    WORKER_SILENCE_LIMIT = timedelta(minutes=3)
    UNSENT_EMAIL_AGE_LIMIT = timedelta(hours=1)


class Config(Decisions):
    """The settings that all environments share."""

    DEBUG = False
    TESTING = False
    NAME = "default"

    # Otherwise Flask-Mail follows app.debug and prints whole messages, including their links.
    MAIL_DEBUG = False
    SQLALCHEMY_TRACK_MODIFICATIONS = False

    # The session cookie. The sessions in the database end earlier (models/user_session.py).
    SESSION_COOKIE_HTTPONLY = True
    SESSION_COOKIE_SAMESITE = "Lax"
    SESSION_REFRESH_EACH_REQUEST = False
    # Flask-Login: sessions in the database replace its protection by IP address and browser. There is no remember
    # cookie: one that a client sends is forged, and non-ASCII characters in it would cause an error on every page.
    SESSION_PROTECTION = None
    REMEMBER_COOKIE_NAME = None
    PERMANENT_SESSION_LIFETIME = Decisions.REMEMBERED_SESSION_LIFETIME

    # The token is bound to the session and needs no time limit: a form that was open overnight still works.
    WTF_CSRF_TIME_LIMIT = None
    # Pages with a token in their URL send no Referer, so it cannot be checked. The CSRF token is.
    WTF_CSRF_SSL_STRICT = False

    # For a view that takes a file, @accepts_file names a larger limit (kit/http/large_bodies.py).
    MAX_CONTENT_LENGTH = 1024 * 1024
    MAX_FORM_MEMORY_SIZE = 512 * 1024
    MAX_FORM_PARTS = 200

    # Flask-Caching: in this process, or in Redis where CACHE_REDIS_URL is set.
    CACHE_TYPE = "SimpleCache"
    CACHE_KEY_PREFIX = "cache:"
    # Pages are compressed for each response. At these levels it takes 20 µs; the libraries' own levels save up to a
    # tenth of the bytes (zstd a fortieth) and take up to three times as long.
    COMPRESS_ZSTD_LEVEL = COMPRESS_BR_LEVEL = 1
    COMPRESS_LEVEL = 4  # gzip
    # Only cached pages have an ETag; kit/http/caching.py compares it.
    COMPRESS_EVALUATE_CONDITIONAL_REQUEST = False

    INSTANCE_DIR = ROOT / "instance"
    # While it exists, the site is closed (app/maintenance.py).
    MAINTENANCE_FILE = INSTANCE_DIR / "maintenance"
    MAILBOX_DIR: Path | None = None
    UPLOADS_FOLDER: Path | None = INSTANCE_DIR / "uploads"
    ASSETS_AUTO_BUILD = False
    PROXY_COUNT = 0
    SSL_DISABLE = True
    REDIS_URL = "redis://127.0.0.1:6379/0"

    def __init__(self, variables: Mapping[str, str] = os.environ) -> None:
        self.environment = Environment(variables)
        self.environment.problems += SETTINGS_FILE_PROBLEMS
        self._read(self.environment)
        self._check_decisions(self.environment)
        self._check(self.environment)
        self.environment.raise_problems()

    def _read(self, env: Environment) -> None:
        self._read_application(env)
        self._read_security_contact(env)
        self._read_accounts(env)
        self._read_mail(env)
        self._read_database(env)
        self._read_operation(env)
        self._read_redis(env)
        self._read_uploads(env)
        self._read_network(env)
        self._read_third_parties(env)
        # Plain http is for a provider on the developer's own machine.
        self.PROVIDERS = read_providers(env, http_allowed=self.DEBUG or self.TESTING)
        # `manage.py dev` reads it before this (development/site.py).
        self.SAMPLE_PROVIDER = env.flag("SAMPLE_PROVIDER", default=True)

    def _check_decisions(self, env: Environment) -> None:
        """Record a problem for each pair of settings that contradict each other."""
        for smaller, larger in (
            ("PASSWORD_MIN_LENGTH", "PASSWORD_MAX_LENGTH"),
            ("MAIL_TIMEOUT", "EMAIL_LEASE_SECONDS"),
            ("BROWSER_SESSION_LIFETIME", "REMEMBERED_SESSION_LIFETIME"),
            ("SESSION_IDLE_LIFETIME", "REMEMBERED_SESSION_LIFETIME"),
            ("SUDO_LIFETIME", "BROWSER_SESSION_LIFETIME"),
        ):
            low, high = getattr(self, smaller), getattr(self, larger)
            if low > high:
                env.problem(smaller, f"{low} is more than {larger}, {high}.", "Set it lower, or the other higher.")

    def _check(self, env: Environment) -> None:
        """Record a problem for each missing setting that this environment needs."""

    def _read_application(self, env: Environment) -> None:
        self.APP_NAME = env.text("APP_NAME", "Flask-Base")
        # By name: browsers offer passkeys to no address that is a number.
        self.BASE_URL = env.text("BASE_URL", f"http://localhost:{env.port('PORT', 5000)}").rstrip("/")
        self.SECRET_KEY = env.text("SECRET_KEY", DEVELOPMENT_KEY)
        self.SECRET_KEY_FALLBACKS = env.texts("SECRET_KEY_FALLBACKS")
        self.DATA_KEYS = env.texts("DATA_KEYS") or [DEVELOPMENT_KEY]
        self.LOG_LEVEL = env.text("LOG_LEVEL", "INFO").upper()
        if self.LOG_LEVEL not in {"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"}:
            env.problem("LOG_LEVEL", f"{self.LOG_LEVEL!r} is not a level.", "Set it to INFO.")
        if split_url(self.BASE_URL).scheme not in {"http", "https"}:
            env.problem("BASE_URL", f"{self.BASE_URL!r} is no web address.", "Set it like https://example.com.")

    def _read_security_contact(self, env: Environment) -> None:
        """Read the settings of /.well-known/security.txt. RFC 9116 requires URIs, and https for web URIs."""
        texts = env.texts("SECURITY_CONTACT")
        self.SECURITY_CONTACT = [text if ":" in text else f"mailto:{text}" for text in texts]
        self.SECURITY_LANGUAGES = env.texts("SECURITY_LANGUAGES") or ["en"]
        self.SECURITY_POLICY = env.text("SECURITY_POLICY")
        if not all(CONTACT_URI.fullmatch(uri) for uri in self.SECURITY_CONTACT):
            cure = "Set it like security@example.com or https://example.com/security, several separated by commas."
            env.problem("SECURITY_CONTACT", "it is neither an email address nor an https, mailto or tel URI.", cure)
        if not all(LANGUAGE_TAG.fullmatch(tag) for tag in self.SECURITY_LANGUAGES):
            env.problem("SECURITY_LANGUAGES", "it holds no language tags.", "Set it like en, de.")
        if self.SECURITY_POLICY and not WEB_URI.fullmatch(self.SECURITY_POLICY):
            cure = "Set it like https://example.com/security-policy."
            env.problem("SECURITY_POLICY", "it is no https address.", cure)

    def _read_accounts(self, env: Environment) -> None:
        self.ADMIN_EMAIL = env.text("ADMIN_EMAIL", "flask-base-admin@example.com")
        self.ADMIN_PASSWORD = env.text("ADMIN_PASSWORD")
        self.PASSWORD_MIN_LENGTH = env.integer("PASSWORD_MIN_LENGTH", 12, minimum=8)
        self.PASSWORD_BREACH_CHECK = env.flag("PASSWORD_BREACH_CHECK", default=False)
        # Browsers bind passkeys to a name, and have none for an address that is a number.
        self.PASSKEYS = env.flag("PASSKEYS", default=True) and not is_ip_address(self.BASE_URL)
        self.AUTHENTICATOR_APPS = env.flag("AUTHENTICATOR_APPS", default=True)
        self.SECOND_FACTOR_REQUIRED = env.text("SECOND_FACTOR_REQUIRED", "none").lower()
        if self.SECOND_FACTOR_REQUIRED not in {"none", "admin", "all"}:
            what = f"{self.SECOND_FACTOR_REQUIRED!r} is none of none, admin and all."
            env.problem("SECOND_FACTOR_REQUIRED", what, "Set it to one of them.")
        elif self.SECOND_FACTOR_REQUIRED != "none" and not (self.PASSKEYS or self.AUTHENTICATOR_APPS):
            what = "nobody can set one up, since there are neither AUTHENTICATOR_APPS nor PASSKEYS."
            env.problem("SECOND_FACTOR_REQUIRED", what, "Switch one of them on, or set it to none.")
        self.MAGIC_LINK = env.flag("MAGIC_LINK", default=False)
        self.MAGIC_LINK_FOR_ADMINISTRATORS = env.flag("MAGIC_LINK_FOR_ADMINISTRATORS", default=False)
        self.UNCONFIRMED_ACCOUNT_DAYS = env.integer("UNCONFIRMED_ACCOUNT_DAYS", 0)
        self.AUDIT_RETENTION_DAYS = env.integer("AUDIT_RETENTION_DAYS", 0)
        self.PROOF_OF_WORK = env.text("PROOF_OF_WORK", "suspicion")
        if self.PROOF_OF_WORK not in {"always", "suspicion", "never"}:
            problem = f"{self.PROOF_OF_WORK!r} is unknown."
            env.problem("PROOF_OF_WORK", problem, "Set it to always, suspicion or never.")
        if not env.flag("ASK_FOR_CONSENT", default=True):
            self.CONSENT_DOCUMENTS = {}
        # OWASP's minimum for argon2id: 19 MiB, two passes, one lane (Password Storage Cheat Sheet).
        self.ARGON2_MEMORY_COST = 19456
        self.ARGON2_TIME_COST = 2

    def _read_mail(self, env: Environment) -> None:
        self.MAIL_SERVER = env.text("MAIL_SERVER")
        self.MAIL_PORT = env.port("MAIL_PORT", 587)
        self.MAIL_USE_TLS = env.flag("MAIL_USE_TLS", default=True)
        self.MAIL_USE_SSL = env.flag("MAIL_USE_SSL", default=False)
        self.MAIL_USERNAME = env.text("MAIL_USERNAME") or None
        self.MAIL_PASSWORD = env.text("MAIL_PASSWORD") or None
        self.MAIL_TIMEOUT = env.integer("MAIL_TIMEOUT", 20, minimum=1)
        self.MAIL_DEFAULT_SENDER = env.text("MAIL_DEFAULT_SENDER", self.ADMIN_EMAIL)
        self.EMAIL_SENDER = env.text("EMAIL_SENDER", f"{self.APP_NAME} <{self.MAIL_DEFAULT_SENDER}>")
        self.EMAIL_SUBJECT_PREFIX = env.text("EMAIL_SUBJECT_PREFIX", f"[{self.APP_NAME}]")
        self.SENT_EMAIL_DAYS = env.integer("SENT_EMAIL_DAYS", 30, minimum=1)

    def _read_database(self, env: Environment) -> None:
        raise NotImplementedError("each environment names its own database variable")

    def _use_database(self, env: Environment, name: str, sqlite_file: str) -> None:
        self.SQLALCHEMY_DATABASE_URI = with_psycopg(env.text(name, sqlite_url(sqlite_file)))
        if not is_database_url(self.SQLALCHEMY_DATABASE_URI):
            env.problem(
                name, "it is no address of a known database.", "Set it like postgresql://user:password@host/name."
            )
        self.SQLALCHEMY_ENGINE_OPTIONS = engine_options(self.SQLALCHEMY_DATABASE_URI)

    def _read_operation(self, env: Environment) -> None:
        self.BACKUP_DIR = env.text("BACKUP_DIR")
        if "://" in self.BACKUP_DIR and find_spec("obstore") is None:
            cure = "Run: .venv/bin/pip install -r requirements/storage.txt"
            env.problem("BACKUP_DIR", "a bucket needs the package obstore.", cure)
        self.BACKUP_KEEP = env.integer("BACKUP_KEEP", 7, minimum=1)
        self.METRICS_TOKEN = env.text("METRICS_TOKEN")
        if self.METRICS_TOKEN and len(self.METRICS_TOKEN) < SECRET_KEY_MIN_LENGTH:
            what = f"it is shorter than {SECRET_KEY_MIN_LENGTH} characters."
            env.problem("METRICS_TOKEN", what, "Set it to a random text, made like SECRET_KEY.")

    def _read_redis(self, env: Environment) -> None:
        self.REDIS_URL = env.text("REDIS_URL") or env.text("REDISTOGO_URL") or self.REDIS_URL
        parts = split_url(self.REDIS_URL)
        if self.REDIS_URL and parts.scheme not in {"redis", "rediss", "unix"}:
            env.problem("REDIS_URL", "it is no Redis address.", "Set it like redis://127.0.0.1:6379/0.")
        self.RQ_DEFAULT_HOST = parts.hostname
        self.RQ_DEFAULT_PORT = parts.port
        self.RQ_DEFAULT_PASSWORD = parts.password
        database = parts.path.strip("/")
        self.RQ_DEFAULT_DB = int(database) if database.isdigit() else 0
        self.RATELIMIT_STORAGE_URI = "memory://"
        self._read_cache(env)

    def _read_cache(self, env: Environment) -> None:
        self.CACHE_REDIS_URL = env.text("CACHE_REDIS_URL")
        if self.CACHE_REDIS_URL:
            self.CACHE_TYPE = "RedisCache"

    def _read_uploads(self, env: Environment) -> None:
        if folder := env.text("UPLOADS_FOLDER"):
            self.UPLOADS_FOLDER = ROOT / folder
        if self.UPLOADS_FOLDER and self.UPLOADS_FOLDER.exists() and not self.UPLOADS_FOLDER.is_dir():
            env.problem("UPLOADS_FOLDER", f"{self.UPLOADS_FOLDER} is no folder.", "Name a folder, or a path for one.")
        self.UPLOADS_BUCKET = env.text("UPLOADS_BUCKET")
        self.UPLOADS_ENDPOINT = env.text("UPLOADS_ENDPOINT")
        self.UPLOADS_REGION = env.text("UPLOADS_REGION")
        self.UPLOADS_ACCESS_KEY_ID = env.text("UPLOADS_ACCESS_KEY_ID")
        self.UPLOADS_SECRET_ACCESS_KEY = env.text("UPLOADS_SECRET_ACCESS_KEY")
        if self.UPLOADS_BUCKET and not BUCKET_URL.fullmatch(self.UPLOADS_BUCKET):
            env.problem("UPLOADS_BUCKET", "it is no bucket.", "Set it like s3://bucket or s3://bucket/folder.")
        if self.UPLOADS_BUCKET and find_spec("obstore") is None:
            cure = "Run: .venv/bin/pip install -r requirements/storage.txt"
            env.problem("UPLOADS_BUCKET", "it needs the package obstore.", cure)
        if self.UPLOADS_ENDPOINT and not ENDPOINT_URL.fullmatch(split_url(self.UPLOADS_ENDPOINT).geturl()):
            env.problem("UPLOADS_ENDPOINT", "it is no web address.", "Set it like https://s3.example.com.")
        if bool(self.UPLOADS_ACCESS_KEY_ID) != bool(self.UPLOADS_SECRET_ACCESS_KEY):
            cure = "Set both, or none to use the credentials of the machine."
            env.problem("UPLOADS_SECRET_ACCESS_KEY", "it and UPLOADS_ACCESS_KEY_ID belong together.", cure)

    def _read_network(self, env: Environment) -> None:
        self.PROXY_COUNT = env.integer("PROXY_COUNT", self.PROXY_COUNT)
        self.SSL_DISABLE = env.flag("SSL_DISABLE", default=self.SSL_DISABLE)
        self._use_https(not self.SSL_DISABLE)
        # Browsers keep this promise until it expires, even when the certificate is gone: it is the owner's to give.
        self.STRICT_TRANSPORT_SECURITY = f"max-age={env.integer('HSTS_DAYS', 1) * 24 * 60 * 60}"
        if env.flag("HSTS_SUBDOMAINS", default=False):
            self.STRICT_TRANSPORT_SECURITY += "; includeSubDomains"

    def _use_https(self, https: bool) -> None:
        self.SESSION_COOKIE_SECURE = https
        # Browsers accept a __Host- cookie only from this host over https, so no sibling domain can plant one.
        self.SESSION_COOKIE_NAME = "__Host-session" if https else "session"
        self.KNOWN_BROWSER_COOKIE_NAME = "__Host-known_browser" if https else "known_browser"
        self.PREFERRED_URL_SCHEME = "https" if https else "http"

    def _read_third_parties(self, env: Environment) -> None:
        self.SENTRY_DSN = env.text("SENTRY_DSN")
        if self.SENTRY_DSN and not SENTRY_URI.fullmatch(self.SENTRY_DSN):
            env.problem("SENTRY_DSN", "it is no Sentry address.", "Copy it from the settings of the Sentry project.")
        self.GOOGLE_ANALYTICS_ID = env.text("GOOGLE_ANALYTICS_ID")
        self.SEGMENT_API_KEY = env.text("SEGMENT_API_KEY")
        self.RAYGUN_APIKEY = env.text("RAYGUN_APIKEY")
        if self.RAYGUN_APIKEY:
            env.problem("RAYGUN_APIKEY", "Raygun is not supported.", "Remove it and set SENTRY_DSN instead.")


class DevelopmentConfig(Config):
    """Development on one machine: http, SQLite, and mail in the mailbox at /dev/mailbox."""

    NAME = "development"
    DEBUG = True
    ASSETS_AUTO_BUILD = True
    MAILBOX_DIR = Config.INSTANCE_DIR / "mailbox"
    TEMPLATES_AUTO_RELOAD = True
    CACHE_NO_NULL_WARNING = True

    def _read_database(self, env: Environment) -> None:
        self._use_database(env, "DEV_DATABASE_URL", "data-dev.sqlite")

    def _read_cache(self, env: Environment) -> None:
        super()._read_cache(env)
        # Without a cache, a saved template shows at once.
        self.CACHE_TYPE = "NullCache"

    def _read_network(self, env: Environment) -> None:
        super()._read_network(env)
        # Otherwise a foreign page whose host name changes to 127.0.0.1 (DNS rebinding) could read the mailbox.
        host = split_url(self.BASE_URL).hostname
        own = ["localhost", "127.0.0.1", *([host] if host else []), *env.texts("TRUSTED_HOSTS")]
        self.TRUSTED_HOSTS = list(dict.fromkeys(own))


class TestingConfig(Config):
    """The configuration of the tests: cheap hashes, and no CSRF protection unless a test turns it on."""

    NAME = "testing"
    TESTING = True
    WTF_CSRF_ENABLED = False
    ASSETS_AUTO_BUILD = True
    MAILBOX_DIR = Config.INSTANCE_DIR / "test-mailbox"
    UPLOADS_FOLDER = Config.INSTANCE_DIR / "test-uploads"

    def _read_accounts(self, env: Environment) -> None:
        super()._read_accounts(env)
        self.ARGON2_MEMORY_COST = 8
        self.ARGON2_TIME_COST = 1
        self.PASSWORD_BREACH_CHECK = False

    def _read_third_parties(self, env: Environment) -> None:
        super()._read_third_parties(env)
        self.SENTRY_DSN = ""  # errors in tests are not reported

    def _read_database(self, env: Environment) -> None:
        self._use_database(env, "TEST_DATABASE_URL", "data-test.sqlite")


class ProductionConfig(Config):
    """Production: https and a database that was named. Refuses to start without its required settings."""

    NAME = "production"
    SSL_DISABLE = False
    # No default: what listens on this machine may be the queue of another site.
    REDIS_URL = ""

    def _read_database(self, env: Environment) -> None:
        url = env.text("DATABASE_URL")
        if not url:
            # No default: a deployment that forgot the setting would write to a file that nobody backs up.
            cure = f"Set it like postgresql://user:password@host/name, or {sqlite_url('data.sqlite')} for a small site."
            env.problem("DATABASE_URL", "it is missing.", cure)
        self._use_database(env, "DATABASE_URL", "data.sqlite")

    def _read_redis(self, env: Environment) -> None:
        super()._read_redis(env)
        # Without Redis, each process counts for itself.
        self.RATELIMIT_STORAGE_URI = self.REDIS_URL or "memory://"

    def _read_network(self, env: Environment) -> None:
        super()._read_network(env)
        # Otherwise an attacker could poison links and caches with a foreign Host header.
        host = split_url(self.BASE_URL).hostname
        self.TRUSTED_HOSTS = [host, *env.texts("TRUSTED_HOSTS")] if host else None

    def _check(self, env: Environment) -> None:
        self._check_key(env, "SECRET_KEY", [env.text("SECRET_KEY")])
        self._check_key(env, "DATA_KEYS", env.texts("DATA_KEYS") or [""])
        if self.ADMIN_PASSWORD in SAMPLE_VALUES:
            env.problem("ADMIN_PASSWORD", "it is a sample.", "Set a password of your own, or remove it.")
        for name, cure in (
            ("BASE_URL", "Set it to the site's public address, like https://example.com."),
            ("MAIL_SERVER", "Set it to the host name of your mail server."),
        ):
            if not env.text(name):
                env.problem(name, "it is missing.", cure)

    def _check_key(self, env: Environment, name: str, keys: list[str]) -> None:
        cure = 'Set it to the output of: python -c "import secrets; print(secrets.token_urlsafe(48))"'
        if not all(keys):
            env.problem(name, "it is missing.", cure)
        elif any(key in SAMPLE_VALUES or key == DEVELOPMENT_KEY or "change-me" in key for key in keys):
            env.problem(name, "it is the sample.", cure)
        elif any(len(key) < SECRET_KEY_MIN_LENGTH for key in keys):
            env.problem(name, f"it is shorter than {SECRET_KEY_MIN_LENGTH} characters.", cure)


class HerokuConfig(ProductionConfig):
    """Production behind Heroku's router. Its disk is emptied at least once a day."""

    NAME = "heroku"
    PROXY_COUNT = 1
    # Each process has a disk of its own: without a bucket, nothing can be uploaded.
    UPLOADS_FOLDER = None

    def _read_redis(self, env: Environment) -> None:
        super()._read_redis(env)
        # Heroku's Redis uses TLS with a self-signed certificate, which cannot be verified.
        if self.REDIS_URL.startswith("rediss://") and "ssl_cert_reqs" not in self.REDIS_URL:
            self.REDIS_URL += "&" if "?" in self.REDIS_URL else "?"
            self.REDIS_URL += "ssl_cert_reqs=none"
            self.RATELIMIT_STORAGE_URI = self.REDIS_URL

    def _check(self, env: Environment) -> None:
        super()._check(env)
        if env.text("DATABASE_URL").startswith("sqlite"):
            env.problem("DATABASE_URL", "SQLite would be lost at the next restart.", "Add a PostgreSQL database.")


class UnixConfig(ProductionConfig):
    """Production on your own server. Logs go to standard output, for the service manager."""

    NAME = "unix"


def sqlite_url(file_name: str) -> str:
    """Return the URL of a SQLite database in the project's instance folder."""
    return f"sqlite:///{Config.INSTANCE_DIR / file_name}"


def with_psycopg(url: str) -> str:
    """Return a PostgreSQL URL, such as Heroku's, with the scheme of psycopg 3; other URLs unchanged."""
    for scheme in ("postgres://", "postgresql://"):
        if url.startswith(scheme):
            return "postgresql+psycopg://" + url.removeprefix(scheme)
    return url


def is_database_url(url: str) -> bool:
    """Return whether SQLAlchemy can read the URL and has what it needs to talk to such a database."""
    try:
        make_url(url).get_dialect().import_dbapi()
    except (ArgumentError, ImportError, ValueError):
        return False
    return True


def engine_options(url: str) -> dict[str, object]:
    """Return SQLAlchemy's engine options for a database URL.

    PostgreSQL: connections are tested before use, so that no request fails after a restart of the server.
    SQLite: a writer waits up to 15 seconds for another one.
    Both: logged errors contain no values, which can be hashes of passwords and tokens.
    """
    if url.startswith("sqlite"):
        return {"hide_parameters": True, "connect_args": {"timeout": 15}}
    return {"hide_parameters": True, "pool_pre_ping": True, "connect_args": {"connect_timeout": 5}}


config: dict[str, type[Config]] = {
    "development": DevelopmentConfig,
    "testing": TestingConfig,
    "production": ProductionConfig,
    "heroku": HerokuConfig,
    "unix": UnixConfig,
    "default": DevelopmentConfig,
}

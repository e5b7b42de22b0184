"""Every setting of the exchange, read from the environment through `config.env`.

`EXCHANGE_MODE` is `local` (one machine, no TLS, what `manage.py up` starts) or `production`
(addresses and secrets must be given, cookies and transport are strict).
"""

from pathlib import Path
from typing import Any, Final

from config import databases, env, keys

BASE_DIR: Final = Path(__file__).resolve().parent.parent
DATA_DIR: Final = Path(env.text("EXCHANGE_DATA", default=str(BASE_DIR / ".data")))

MODE: Final = env.choice("EXCHANGE_MODE", default="local", options={"local", "production"})
PRODUCTION: Final = MODE == "production"
DEBUG = env.boolean("EXCHANGE_DEBUG", default=False)

# --- Databases and broker --------------------------------------------------------------------

# "default" is the application role. Migrations run inside `config.roles.as_owner()`, which swaps
# the connection for a while: an alias of its own would let code use the owner by accident.
DATABASES = databases.from_environment(production=PRODUCTION)
DATABASE_OWNER = databases.owner_from_environment()
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.required("REDIS_URL") if PRODUCTION else env.text("REDIS_URL", default="redis://127.0.0.1:6379/0")

# --- Secrets ---------------------------------------------------------------------------------


def _secret(name: str, *, field_key: bool = False) -> str:
    """Read a secret; a local process with a database keeps its own, one without needs none that lasts."""
    make = keys.random_field_key if field_key else keys.random_text
    if PRODUCTION:
        return env.required(name)
    given = env.text(name)
    if given:
        return given
    return keys.stored(DATA_DIR, name.lower(), make) if databases.configured() else make()


SECRET_KEY = _secret("SECRET_KEY")
SECRET_KEY_FALLBACKS = env.words("SECRET_KEY_FALLBACKS", default=())
# Encrypts the access details of leases; a Fernet key (32 bytes in URL-safe base64).
FIELD_ENCRYPTION_KEY = _secret("FIELD_ENCRYPTION_KEY", field_key=True)

# --- Applications ----------------------------------------------------------------------------

INSTALLED_APPS = [
    "config",  # first: its migrate comes before Django's own
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "accounts",
    "catalog",
    "billing",
    "exchange",
]

MIDDLEWARE = [
    "config.requests.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "config.requests.ContentSecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.actors.requests.ActorMiddleware",
    "config.pages.RefusalMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
ASGI_APPLICATION = "config.asgi.application"

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "config.navigation.navigation",
            ],
        },
    },
]

# --- Who may sign in -------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
LOGIN_URL = "sign_in"
CSRF_FAILURE_VIEW = "config.pages.csrf_failure"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS: list[dict[str, Any]] = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

# --- Transport, cookies, headers -------------------------------------------------------------

ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", default=("127.0.0.1", "localhost", "[::1]"))
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS", default=())

# In production a proxy terminates TLS and says so in this header; it must strip the client's own.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if PRODUCTION else None
SECURE_SSL_REDIRECT = PRODUCTION
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_HSTS_SECONDS = 63_072_000 if PRODUCTION else 0  # two years
SECURE_HSTS_INCLUDE_SUBDOMAINS = PRODUCTION
SECURE_HSTS_PRELOAD = PRODUCTION
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "default-src": "'self'",
    "img-src": "'self' data:",
    "object-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}

SESSION_COOKIE_AGE = 12 * 60 * 60  # seconds, absolute: the session is not prolonged by use
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = PRODUCTION
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SECURE = PRODUCTION
if PRODUCTION:  # the prefix is refused by browsers without TLS
    SESSION_COOKIE_NAME = "__Host-session"
    CSRF_COOKIE_NAME = "__Host-csrf"

DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 1024 * 1024  # bytes

# --- Language, time, static files ------------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "/static/"
STATICFILES_DIRS = [path for path in (BASE_DIR / "static",) if path.is_dir()]
# Files are served from where they lie, so no step has to collect them before the start;
# a deployment that wants them in one place names it here and runs collectstatic.
STATIC_ROOT = env.text("STATIC_ROOT") or None
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG

# --- HTTP interface --------------------------------------------------------------------------

REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["config.parsing.StrictJSONParser"],
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "config.authentication.KeyAuthentication",
        "config.authentication.PageSessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["accounts.web.permissions.HasRequiredCapability"],
    "DEFAULT_FILTER_BACKENDS": ["accounts.web.filters.StrictFilterBackend"],
    "DEFAULT_PAGINATION_CLASS": "accounts.web.pagination.KeysetPagination",
    "DEFAULT_SCHEMA_CLASS": "config.openapi.ExchangeSchema",
    "EXCEPTION_HANDLER": "config.api.exception_handler",
    "URL_FORMAT_OVERRIDE": None,  # ?format= is a parameter like any other: unknown
}
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "Compute exchange",
    "DESCRIPTION": (
        "Order compute by need, sell capacity, follow delivery, usage, invoices and the books.\n\n"
        "A program sends an API key as bearer token. A method with a header `Idempotency-Key` gives the first answer "
        "again when it is repeated with the same key. Lists answer a page with `next_cursor`. Money is a decimal "
        "string with a currency, a price a decimal string for a unit-hour without fee and tax, a time RFC 3339 with "
        "an offset, a share parts per million (`_ppm`). Whatever is refused is answered with a `Problem`."
    ),
    "SERVERS": [{"url": "/", "description": "This exchange"}],
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/v1/",
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "POSTPROCESSING_HOOKS": ["drf_spectacular.hooks.postprocess_schema_enums", "config.openapi.with_example"],
    # Several things have a kind; a generated name would change with its members.
    "ENUM_NAME_OVERRIDES": {"JournalKindEnum": ["adjustment", "write_off"]},
}
# The header in which the proxy in front names the client's network address; without one, the peer's counts.
CLIENT_ADDRESS_HEADER = env.text("CLIENT_ADDRESS_HEADER")
# How often one network address may read public market data; see accounts.web.public.
PUBLIC_REQUESTS_PER_MINUTE = env.integer("PUBLIC_REQUESTS_PER_MINUTE", default=600, minimum=1, maximum=1_000_000)

# --- Payments --------------------------------------------------------------------------------

# Without a secret key customers pay by bank transfer only. The address replaces Stripe's own in tests.
STRIPE_SECRET_KEY = env.text("STRIPE_SECRET_KEY")
STRIPE_API_BASE = env.text("STRIPE_API_BASE")
STRIPE_WEBHOOK_SECRET = env.text("STRIPE_WEBHOOK_SECRET")
# Where its pages are, to which forms of ours lead: browsers follow from a form only to origins that the policy names.
STRIPE_PAGES = env.words("STRIPE_PAGES", default=("https://checkout.stripe.com", "https://connect.stripe.com"))

# Where customers transfer money to, as one line; printed on the pro-forma of a top-up.
EXCHANGE_BANK_ACCOUNT = env.text("EXCHANGE_BANK_ACCOUNT")

# What issues fapiao: `manual`, people record what the tax bureau's platform issued; `http`, a service at an address.
FAPIAO_ISSUER = env.choice("FAPIAO_ISSUER", default="manual", options=("manual", "http"))
FAPIAO_ISSUER_URL = env.address("FAPIAO_ISSUER_URL", is_needed=FAPIAO_ISSUER == "http")
FAPIAO_ISSUER_TOKEN = env.text("FAPIAO_ISSUER_TOKEN")

# --- Background work (read by config.celery) -------------------------------------------------

CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 300,  # seconds
    # A killed worker's messages come back within seconds, not after the default 100 s.
    "unacked_restore_interval": 1,
    "unacked_restore_throttle": 1,
}
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_TIME_LIMIT = 120  # seconds; a longer job renews its lease on the job row and sets its own
CELERY_TIMEZONE = "UTC"
CELERY_ENABLE_UTC = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_CONCURRENCY = env.integer("WORKER_CONCURRENCY", default=2, minimum=1, maximum=64)
CELERY_BEAT_SCHEDULER = "config.beat:LeaderScheduler"
CELERY_BEAT_MAX_LOOP_INTERVAL = 5  # seconds
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "beat-schedule")

# --- Logs ------------------------------------------------------------------------------------

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"request_id": {"()": "config.logs.RequestIdFilter"}},
    "formatters": {
        "plain": {"format": "%(levelname)s %(name)s [%(request_id)s] %(message)s"},
        "json": {"()": "config.logs.JsonFormatter"},
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "filters": ["request_id"],
            "formatter": env.choice("LOG_FORMAT", default="plain", options={"plain", "json"}),
        },
    },
    "root": {"handlers": ["console"], "level": env.text("LOG_LEVEL", default="INFO")},
    "loggers": {
        "django": {"handlers": [], "propagate": True},
        "django.server": {"handlers": [], "propagate": True},
        # Two lines for every ring of a bell that rings each second would bury everything else.
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
    },
}

"""Settings. Everything that differs between the embedded default and production comes from the environment.

Embedded (nothing set): SQLite, filesystem broker, one web process, files under ./var of a checkout, or in
a folder of the user's own where NAScope was installed as a package (search_engine.base.home). Production: DATABASE_URL (PostgreSQL),
REDIS_URL, ALLOWED_HOSTS, SECRET_KEY. Same code.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path
from typing import Any

import environ

from search_engine.base.home import data_folder, home

env = environ.Env()

BASE_DIR = Path(__file__).resolve().parent.parent
NASCOPE_HOME = Path(env.str("NASCOPE_HOME", default=str(home()))).resolve()
NASCOPE_DATA = Path(env.str("NASCOPE_DATA", default=str(data_folder()))).resolve()
# What the engine and child processes, which run elsewhere, keep of their own lies there too.
os.environ.setdefault("NASCOPE_HOME", str(NASCOPE_HOME))
BROKER_DIR = NASCOPE_HOME / "broker"
for _folder in ("runs", "staticfiles", "broker/queue", "broker/processed", "broker/control"):
    (NASCOPE_HOME / _folder).mkdir(parents=True, exist_ok=True)

DEBUG = env.bool("DEBUG", default=False)


def _secret_key() -> str:
    """SECRET_KEY, or the key kept in NASCOPE_HOME/secret_key (made once, readable by its owner only)."""
    given: str = env.str("SECRET_KEY", default="")
    if given:
        return given
    path = NASCOPE_HOME / "secret_key"
    temporary = NASCOPE_HOME / f".secret_key.{os.getpid()}"
    if not path.exists():
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(48))
        with contextlib.suppress(FileExistsError):
            # link() fails if another process made the key meanwhile: then its key holds.
            os.link(temporary, path)
        temporary.unlink(missing_ok=True)
    return path.read_text().strip()


SECRET_KEY = _secret_key()
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "webapp.accounts.administration.AdministrationConfig",  # django.contrib.admin, without a login of its own
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "webapp.core",
    "webapp.accounts",
    "webapp.jobs",
    "webapp.api",
    "webapp.serving",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "webapp.accounts.headers.SecurityHeadersMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "webapp.urls"
ASGI_APPLICATION = "webapp.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# ---------------------------------------------------------------- database

# Measured with four processes of read-then-write transactions: with these options no "database is locked" in 600; with Django's
# defaults 102, because a deferred transaction's lock upgrade ignores the timeout. ATOMIC_REQUESTS stays off: with IMMEDIATE
# every GET would take the write lock.
SQLITE_OPTIONS: dict[str, Any] = {
    "timeout": 20,
    "transaction_mode": "IMMEDIATE",
    "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;PRAGMA journal_size_limit=67108864;PRAGMA mmap_size=134217728",
}
# Set to nothing is not set: so a compose file or a service unit leaves it out.
DATABASE_URL = env.str("DATABASE_URL", default="") or f"sqlite:///{NASCOPE_HOME / 'db.sqlite3'}"
DATABASES: dict[str, dict[str, Any]] = {"default": env.db_url_config(DATABASE_URL)}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = SQLITE_OPTIONS
    # The test database must be a file with the same options: an in-memory one hides locking.
    DATABASES["default"]["TEST"] = {"NAME": str(NASCOPE_HOME / "test_db.sqlite3")}
else:
    # Under ASGI each request has a thread of its own, so a connection kept after it is used by nobody again: measured, 300 requests
    # of 20 clients left 80 connections open, of the 100 that PostgreSQL allows.
    DATABASES["default"]["CONN_MAX_AGE"] = env.int("CONN_MAX_AGE", default=0)
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
    # A server that is cut off without a word is noticed within half a minute; without these the operating system waits for two hours. The
    # server notices a client as soon: one that was cut off in the middle of a commit holds its run's lock until then. One that stands
    # still there, its connection well, may not hold it for ever either: no transaction here waits for anything but its statements.
    server_side = {
        "tcp_keepalives_idle": 10, "tcp_keepalives_interval": 5, "tcp_keepalives_count": 3, "tcp_user_timeout": 25_000,
        "idle_in_transaction_session_timeout": 60_000,
    }
    DATABASES["default"]["OPTIONS"] = {
        "connect_timeout": 5, "keepalives": 1, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3,
        "tcp_user_timeout": 25_000, "options": " ".join(f"-c {name}={value}" for name, value in server_side.items()),
        **DATABASES["default"].get("OPTIONS", {}),
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# ---------------------------------------------------------------- redis, cache, wake-ups

REDIS_URL = env.str("REDIS_URL", default="")
# In a process's own memory: of few entries, the names that somebody guesses at would push out the counts of their guesses.
_OWN_ENTRIES = {"MAX_ENTRIES": 20_000}
if REDIS_URL:
    CACHES = {"default": {"BACKEND": "webapp.core.redis.SoftRedisCache", "LOCATION": REDIS_URL, "OWN_MEMORY": _OWN_ENTRIES}}
else:
    # One web process in the embedded default, so a per-process cache is the whole cache.
    CACHES = {"default": {"BACKEND": "webapp.core.own_memory.OwnMemoryCache", "LOCATION": "nascope", "OPTIONS": _OWN_ENTRIES}}

# How a reader of events learns that there are new ones: auto = data_version on SQLite, notify on PostgreSQL. NOTIFY takes a global
# lock at commit, so above about 20 busy workers choose redis.
NASCOPE_WAKEUP = env.str("NASCOPE_WAKEUP", default="auto")

# ---------------------------------------------------------------- celery: the broker is only a doorbell

CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", default=REDIS_URL or "filesystem://localhost")
if CELERY_BROKER_URL.startswith("filesystem"):
    CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = {
        "data_folder_in": str(BROKER_DIR / "queue"),
        "data_folder_out": str(BROKER_DIR / "queue"),
        "processed_folder": str(BROKER_DIR / "processed"),
        "control_folder": str(BROKER_DIR / "control"),
        "store_processed": False,
        "polling_interval": 0.05,
    }
else:
    # A ring is given up soon, and a connection that was cut without a word is found out: whoever rings may be answering a request.
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "socket_timeout": 3, "socket_connect_timeout": 1, "socket_keepalive": True, "health_check_interval": 5,
        "max_retries": 1, "interval_start": 0, "interval_step": 0,
    }
CELERY_BROKER_CONNECTION_TIMEOUT = 2
# A worker waits for its broker as long as that takes, and looks for work by itself meanwhile.
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_TASK_IGNORE_RESULT = True
CELERY_RESULT_BACKEND = None
CELERY_TASK_DEFAULT_QUEUE = "doorbell"
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# A ring is acknowledged when its worker has nothing left to do. With one reserved at most, a busy worker leaves the next to an idle one.
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_CREATE_MISSING_QUEUES = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TIMEZONE = "UTC"

# ---------------------------------------------------------------- jobs

NASCOPE_SLICE_SECONDS = env.float("NASCOPE_SLICE_SECONDS", default=2.0)
# After so long a slice ends at its next unit where a run that begins, or has results to tell, waits and every worker is busy.
NASCOPE_YIELD_SECONDS = env.float("NASCOPE_YIELD_SECONDS", default=1.0)
NASCOPE_ADVANCE_SECONDS = env.float("NASCOPE_ADVANCE_SECONDS", default=1.0)
NASCOPE_LEASE_SECONDS = env.float("NASCOPE_LEASE_SECONDS", default=20.0)
NASCOPE_HEARTBEAT_SECONDS = env.float("NASCOPE_HEARTBEAT_SECONDS", default=5.0)
NASCOPE_PROGRESS_DEADLINE = env.float("NASCOPE_PROGRESS_DEADLINE", default=600.0)
NASCOPE_MAX_JOB_FAILURES = env.int("NASCOPE_MAX_JOB_FAILURES", default=3)
NASCOPE_REAPER_SECONDS = env.float("NASCOPE_REAPER_SECONDS", default=1.0)
# How many jobs a worker keeps in memory between slices; 0 reloads each from its checkpoint.
NASCOPE_RESIDENT_JOBS = env.int("NASCOPE_RESIDENT_JOBS", default=6)
# Bytes of main memory that a worker may take, and of the GPU's; 0 = a share of what is there (webapp.jobs.memory).
NASCOPE_MEMORY_CEILING = env.float("NASCOPE_MEMORY_CEILING", default=0.0)
NASCOPE_GPU_MEMORY_CEILING = env.float("NASCOPE_GPU_MEMORY_CEILING", default=0.0)
NASCOPE_MIN_FREE_BYTES = env.int("NASCOPE_MIN_FREE_BYTES", default=200_000_000)
# How many bytes of downloads the reaper holds against their digests with each look (0 = none), and after how many days again.
NASCOPE_SCRUB_BYTES = env.int("NASCOPE_SCRUB_BYTES", default=4_000_000)
NASCOPE_SCRUB_DAYS = env.float("NASCOPE_SCRUB_DAYS", default=7.0)
# What people may bring: bytes of one file, of all that one person has, of all people; uploads that may be open at once; after how many
# hours an upload that nobody goes on with is removed, and a preview that nobody keeps.
NASCOPE_UPLOAD_BYTES = env.int("NASCOPE_UPLOAD_BYTES", default=2_000_000_000)
NASCOPE_OWNER_BYTES = env.int("NASCOPE_OWNER_BYTES", default=10_000_000_000)
NASCOPE_DATA_BYTES = env.int("NASCOPE_DATA_BYTES", default=100_000_000_000)
NASCOPE_OPEN_UPLOADS = env.int("NASCOPE_OPEN_UPLOADS", default=20)
NASCOPE_UPLOAD_HOURS = env.float("NASCOPE_UPLOAD_HOURS", default=24.0)
NASCOPE_PREVIEW_HOURS = env.float("NASCOPE_PREVIEW_HOURS", default=7 * 24.0)
# Bytes of memory and seconds that one import may take, in a process of its own beside the worker.
NASCOPE_IMPORT_MEMORY = env.int("NASCOPE_IMPORT_MEMORY", default=2_000_000_000)
NASCOPE_IMPORT_SECONDS = env.float("NASCOPE_IMPORT_SECONDS", default=1_800.0)
# Of a run that is brought from elsewhere: bytes of all its files, unpacked, and events of one run.
NASCOPE_OPEN_BYTES = env.int("NASCOPE_OPEN_BYTES", default=8_000_000_000)
NASCOPE_OPEN_EVENTS = env.int("NASCOPE_OPEN_EVENTS", default=1_000_000)
# What may be given to a model to be told something: bytes, and seconds of its answer.
NASCOPE_TRY_BYTES = env.int("NASCOPE_TRY_BYTES", default=16_000_000)
NASCOPE_TRY_SECONDS = env.float("NASCOPE_TRY_SECONDS", default=30.0)
# Finished runs are deleted after so many days; 0 = kept for ever.
NASCOPE_RETENTION_DAYS = env.int("NASCOPE_RETENTION_DAYS", default=0)

# ---------------------------------------------------------------- security

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
NASCOPE_TLS = env.bool("NASCOPE_TLS", default=False)
# Proxies in front of the web process. Their X-Forwarded-For is believed (webapp.accounts.guesses) and nobody else's.
NUM_PROXIES = env.int("NUM_PROXIES", default=0)
SESSION_ENGINE = "webapp.accounts.sessions"
SESSION_COOKIE_NAME = "__Host-nascope_session" if NASCOPE_TLS else "nascope_session"
CSRF_COOKIE_NAME = "csrftoken"  # Django's default, which API clients expect; the front end reads it
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = NASCOPE_TLS
CSRF_COOKIE_SECURE = NASCOPE_TLS
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if NASCOPE_TLS:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=31_536_000)
# What may be sent, and how long it may take (webapp.serving). A body beyond its limit is left unread.
NASCOPE_MAX_BODY_BYTES = env.int("NASCOPE_MAX_BODY_BYTES", default=1_000_000)
NASCOPE_MAX_ANONYMOUS_BODY_BYTES = env.int("NASCOPE_MAX_ANONYMOUS_BODY_BYTES", default=64_000)
NASCOPE_MAX_HEADER_BYTES = env.int("NASCOPE_MAX_HEADER_BYTES", default=32_768)
NASCOPE_HEADER_SECONDS = env.float("NASCOPE_HEADER_SECONDS", default=10.0)
NASCOPE_BODY_SECONDS = env.float("NASCOPE_BODY_SECONDS", default=30.0)
NASCOPE_WRITE_SECONDS = env.float("NASCOPE_WRITE_SECONDS", default=60.0)
NASCOPE_MAX_UNFINISHED = env.int("NASCOPE_MAX_UNFINISHED", default=200)
NASCOPE_MAX_CONNECTIONS = env.int("NASCOPE_MAX_CONNECTIONS", default=1_000)
# Both of Django's: a body that is taken stays in memory.
DATA_UPLOAD_MAX_MEMORY_SIZE = NASCOPE_MAX_BODY_BYTES
FILE_UPLOAD_MAX_MEMORY_SIZE = NASCOPE_MAX_BODY_BYTES
LOGIN_URL = "/login"
LOGIN_REDIRECT_URL = "/"

# ---------------------------------------------------------------- texts, time, static files

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_I18N = False
USE_TZ = True
STATIC_URL = "/static/"
# An image brings its collected files with it; the home is a volume and would hide them.
STATIC_ROOT = Path(env.str("STATIC_ROOT", default=str(NASCOPE_HOME / "staticfiles")))
STATICFILES_DIRS = [BASE_DIR / "webapp" / "static"] if (BASE_DIR / "webapp" / "static").is_dir() else []
# Served straight from webapp/static and the packages, so no collectstatic is needed to start. Vite's file names carry a content
# hash, which lets browsers keep them for ever.
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False


def WHITENOISE_IMMUTABLE_FILE_TEST(path: str, url: str) -> bool:
    """Whether browsers may keep this file for ever: the assets whose names Vite hashed."""
    return url.startswith("/static/ui/assets/")


LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["stderr"], "level": env.str("LOG_LEVEL", default="WARNING")},
}

# Everything else stands on webapp.api.base.ApiView.
REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "URL_FORMAT_OVERRIDE": None,  # what an answer is written in stands in its Accept header, not in the address
}
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "NAScope",
    "DESCRIPTION": "Neural architecture search: experiments, runs, their events and models. Errors are problem+json (RFC 9457).",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "COMPONENT_SPLIT_REQUEST": False,
    "POSTPROCESSING_HOOKS": [],  # the only one, naming enumerations, is for serializers; pydantic models name theirs
}

"""Every setting, read from the environment, failing loudly. `.env.example` explains each variable."""

from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from creditfujian import env
from creditfujian.lib.crypto import Keyring
from creditfujian.lib.signed_note import LogKeys

BASE_DIR = Path(__file__).resolve().parent.parent

DEBUG = env.flag("DEBUG", False)
DEMO = env.flag("DEMO", False)  # invented people only; off, numbers of area 3599 are refused
SECRET_KEY = env.text("SECRET_KEY")
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", "127.0.0.1,localhost,[::1]")
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS", "")
HTTPS = env.flag("HTTPS", not DEMO)
TRUSTED_PROXIES = env.number("TRUSTED_PROXIES", 0)

try:
    FIELD_KEYRING = Keyring.parse(env.text("FIELD_KEYS"))
    LOG_KEYS = LogKeys.parse(env.text("LOG_SIGNING_KEY", ""), env.words("LOG_PUBLIC_KEYS", ""))
except ValueError as error:
    raise ImproperlyConfigured(str(error)) from None

# The application role serves; the owner role migrates (manage.py picks it). See docs/development.md.
DATABASES = {"default": env.database("DATABASE_URL")}
if env.text("DATABASE_OWNER_URL", ""):
    DATABASES["owner"] = {**env.database("DATABASE_OWNER_URL"), "CONN_MAX_AGE": 0}
DATABASE_ROUTERS = ["creditfujian.database.OwnerOnlyMigrates"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "creditfujian.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.forms",
    "guardian",
    "creditfujian.apps.ChangeLogConfig",
    "django_q",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "accounts",
    "catalogue",
    "access",
    "records",
    "sanctions",
    "repair",
    "publicity",
    "creditfujian.apps.ProjectConfig",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "creditfujian.middleware.RequestId",
    "creditfujian.middleware.NobodyOpen",
    "csp.middleware.CSPMiddleware",
    "creditfujian.middleware.PrivateByDefault",
    "creditfujian.middleware.WholeForms",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.middleware.SessionLimits",
    "auditlog.middleware.AuditlogMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "creditfujian.urls"
WSGI_APPLICATION = "creditfujian.wsgi.application"
FORM_RENDERER = "creditfujian.forms.Renderer"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "creditfujian.context.site",
            ],
        },
    }
]

# --- who signs in -------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.backends.StaffAndCitizens", "guardian.backends.ObjectPermissionBackend"]
ANONYMOUS_USER_NAME = None
GUARDIAN_RAISE_403 = True
LOGIN_URL = "sign_in"
# An identity service for citizens by OpenID Connect (docs/sign-in.md); without an issuer the way is closed.
OIDC_ISSUER = env.text("OIDC_ISSUER", "")
OIDC_CLIENT_ID = env.text("OIDC_CLIENT_ID", "" if not OIDC_ISSUER else None)
OIDC_CLIENT_SECRET = env.text("OIDC_CLIENT_SECRET", "")
OIDC_LABEL = env.text("OIDC_LABEL", "省统一身份认证")
OIDC_SCOPES = env.text("OIDC_SCOPES", "openid profile")
OIDC_ACR = env.words("OIDC_ACR", "urn:cn:aal2")  # one of these must be in the token: two factors at the service
if OIDC_ISSUER and not OIDC_ACR:
    raise ImproperlyConfigured("OIDC_ACR must name what the token has to say about two factors.")
OIDC_NUMBER_CLAIM = env.text("OIDC_NUMBER_CLAIM", "id_number")
OIDC_NAME_CLAIM = env.text("OIDC_NAME_CLAIM", "name")
OIDC_VERIFIED_CLAIM = env.text("OIDC_VERIFIED_CLAIM", "id_number_verified")
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
SESSION_ENGINE = "accounts.sessions"
SESSION_COOKIE_AGE = 12 * 3600  # the most that the rules S04 and S05 allow; they end sessions (accounts.sign_in_rules)
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "creditfujian.errors.csrf_failure"

# --- what a browser may do ----------------------------------------------------------------------
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
}
SECURE_REFERRER_POLICY = "same-origin"  # with no-referrer browsers send "Origin: null" and no form passes
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
if TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# --- language, time, files ----------------------------------------------------------------------
LANGUAGE_CODE = "zh-hans"
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "Asia/Shanghai"
DATE_FORMAT = "Y-m-d"
STATIC_URL = "/static/"
STATIC_ROOT = env.text("STATIC_ROOT", str(BASE_DIR / ".data" / "static"))
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
MEDIA_ROOT = env.text("MEDIA_ROOT", str(BASE_DIR / ".data" / "media"))
FILE_UPLOAD_MAX_MEMORY_SIZE = 2_621_440
DATA_UPLOAD_MAX_MEMORY_SIZE = 5_242_880

# --- what one file may cost, by the way it came (records/intake/limits.py) ------------------------
INTAKE_PAGE_MIB = env.number("INTAKE_PAGE_MIB", 100)
INTAKE_PAGE_ROWS = env.number("INTAKE_PAGE_ROWS", 1_048_576)
INTAKE_COMMAND_MIB = env.number("INTAKE_COMMAND_MIB", 2048)
INTAKE_COMMAND_ROWS = env.number("INTAKE_COMMAND_ROWS", 10_000_000)
INTAKE_WORK_MEM_MIB = env.number("INTAKE_WORK_MEM_MIB", 256)  # of the database, for one big batch at work
INTAKE_FORM_MIB = env.number("INTAKE_FORM_MIB", 4)
INTAKE_FORM_ROWS = env.number("INTAKE_FORM_ROWS", 200)

# --- work in the background: django-q2 on our own database ----------------------------------------
Q_CLUSTER = {
    "name": "creditfujian",
    "label": "后台任务",
    "orm": "default",
    "workers": env.number("WORKERS", 1),
    "timeout": 3600,
    "retry": 4000,  # above the longest job's time-out, so that no job runs twice at once
    "max_attempts": 3,
    "ack_failures": False,
    "save_limit": 1000,
    "poll": 0.5,
    "catch_up": False,
    "recycle": 50,
    "has_replica": False,
}

# --- the API: tokens only, one form of answer --------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.api_access.ByToken"],
    "DEFAULT_PERMISSION_CLASSES": ["accounts.api_access.InScope"],
    "DEFAULT_THROTTLE_CLASSES": ["accounts.api_access.ByQuota"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "accounts.api_access.OnlyJson",
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["accounts.api_access.SmallJson"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_METADATA_CLASS": None,
    "EXCEPTION_HANDLER": "accounts.api_errors.answer",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "信用福建接口",
    "DESCRIPTION": "供部门业务系统报送公共信用信息。说明、示例和错误代码见 /api/v1/docs/。",
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "ENUM_GENERATE_CHOICE_DESCRIPTION": True,
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": ["creditfujian.api_schema.with_problems"],
}

# --- the trail of changes: every hand edit, with its actor and request ------------------------------
AUDITLOG_DISABLE_REMOTE_ADDR = True  # it believes the client's X-Forwarded-For
AUDITLOG_CID_GETTER = "creditfujian.lib.correlation.request_id"
AUDITLOG_MASK_TRACKING_FIELDS = ()

LOOKUPS_PER_HOUR = env.number("LOOKUPS_PER_HOUR", 20)  # public look-ups per address: domain §5.7
COMMENTS_PER_HOUR = env.number("COMMENTS_PER_HOUR", 10)  # comments per address in consultations
CONSENT_ASKS_PER_DAY = env.number("CONSENT_ASKS_PER_DAY", 2000)  # requests per institution: against fishing for persons
READING_MINUTES = env.number("READING_MINUTES", 30)  # how long a registration opens a file

# --- ways out: reports and exports -----------------------------------------------------------------
FONTS = env.text("FONTS", str(BASE_DIR / ".data" / "fonts"))  # the report's fonts: requirements-fonts.txt
# What the QR code on a report opens. A report is paper: outside the demo nobody is given one that leads to this machine.
PUBLIC_URL = env.text("PUBLIC_URL", f"http://127.0.0.1:{env.number('PORT', 8000)}" if DEMO else None).rstrip("/")
REPORTS_PER_DAY = env.number("REPORTS_PER_DAY", 20)  # online, per person: against runaway scripts, not against people
REPORT_KEEP_DAYS = env.number("REPORT_KEEP_DAYS", 180)  # how long the sealed PDF of a new report is kept
VERIFICATIONS_PER_HOUR = env.number("VERIFICATIONS_PER_HOUR", 30)  # per address
COUNTER_MINUTES = env.number("COUNTER_MINUTES", 30)  # how long a request at the counter waits for the second officer
EXPORT_ROWS = env.number("EXPORT_ROWS", 200_000)  # the largest export; beyond it, narrow the request
EXPORT_NAMES = env.number("EXPORT_NAMES", 5_000)  # the longest list of ID numbers; beyond it, ask in parts
EXPORT_HOURS = env.number("EXPORT_HOURS", 24)  # how long an exported file is kept
EXPORT_LINK_MINUTES = env.number("EXPORT_LINK_MINUTES", 15)  # how long a download link works

# --- the query log's seals (docs/query-log.md) ------------------------------------------------------
LOG_SHIP_DIR = env.text("LOG_SHIP_DIR", "")  # where each checkpoint is shipped at once; empty: MEDIA_ROOT/query-log
LOG_QUIET_MINUTES = env.number("LOG_QUIET_MINUTES", 60)  # a checkpoint at least this often when nobody reads
LOG_LATE_MINUTES = env.number("LOG_LATE_MINUTES", 5)  # a line or a checkpoint later than this raises the alarm
LOG_PATIENCE_MINUTES = env.number("LOG_PATIENCE_MINUTES", 1440)  # how long a transaction that writes a line may be open
LOG_WHOLE_DAYS = env.number("LOG_WHOLE_DAYS", 7)  # the whole log is verified at least this often, its last day nightly
LOG_MONTHS_AHEAD = env.number("LOG_MONTHS_AHEAD", 18)  # partitions that the night keeps ready

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "creditfujian.middleware.LineFormatter"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        "django.request": {"level": "ERROR"},
        "creditfujian": {"level": "INFO"},
        "django-q": {"level": "INFO"},
    },
}

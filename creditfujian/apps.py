"""The project as an app: what must happen once every app is migrated."""

from datetime import timedelta
from typing import Any

from auditlog.apps import AuditlogConfig
from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig as DjangoAdminConfig
from django.db.models.signals import post_migrate
from django.utils import timezone


class AdminConfig(DjangoAdminConfig):
    """Make ours the default admin site, so that every app's admin.register lands on it."""

    default_site = "creditfujian.admin_site.StaffSite"


class ChangeLogConfig(AuditlogConfig):
    """The package has no Chinese name."""

    verbose_name = "变更日志"


class ProjectConfig(AppConfig):
    """Last in INSTALLED_APPS, so that its turn comes when every table and permission exists."""

    name = "creditfujian"
    verbose_name = "信用福建"

    def ready(self) -> None:
        from creditfujian import checks  # noqa: F401 - registers itself

        post_migrate.connect(after_migrate, sender=self)


def after_migrate(using: str, **kwargs: Any) -> None:
    """Give roles their permissions and the application role its privileges; let the worker know its nightly round."""
    from accounts.roles import sync_roles
    from creditfujian.database import grant_application

    sync_roles(using)
    schedule_night(using)
    schedule_rounds(using)
    grant_application(using)


def schedule_night(using: str) -> None:
    """Schedule the nightly round at ten past midnight (domain §4.2, L13), once; whoever moves it is left alone."""
    from django_q.models import Schedule

    midnight = timezone.localtime().replace(hour=0, minute=10, second=0, microsecond=0)
    Schedule.objects.using(using).get_or_create(
        name="nightly",
        defaults={
            "func": "creditfujian.night.run", "schedule_type": Schedule.DAILY, "repeats": -1,
            "next_run": midnight + timedelta(days=1),
        },
    )  # fmt: skip


def schedule_rounds(using: str) -> None:
    """Schedule what is done each minute, once: work that a dead worker left, the query log's seal.

    Whoever moves a schedule is left alone.
    """
    from django_q.models import Schedule

    for name, func in (("take up orphans", "records.jobs.take_up_orphans"), ("seal the log", "access.jobs.seal_log")):
        Schedule.objects.using(using).get_or_create(
            name=name, defaults={"func": func, "schedule_type": Schedule.MINUTES, "minutes": 1, "repeats": -1}
        )

"""The project as an app: what must happen once every app is migrated."""

from typing import Any

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig as DjangoAdminConfig
from django.db.models.signals import post_migrate


class AdminConfig(DjangoAdminConfig):
    """Make ours the default admin site, so that every app's admin.register lands on it."""

    default_site = "creditfujian.admin_site.StaffSite"


class ProjectConfig(AppConfig):
    """Last in INSTALLED_APPS, so that its turn comes when every table and permission exists."""

    name = "creditfujian"
    verbose_name = "信用福建"

    def ready(self) -> None:
        post_migrate.connect(after_migrate, sender=self)


def after_migrate(using: str, **kwargs: Any) -> None:
    """Give roles their permissions and the application role its privileges."""
    from accounts.roles import sync_roles
    from creditfujian.database import grant_application

    sync_roles(using)
    grant_application(using)

"""The records app."""

from django.apps import AppConfig


class RecordsConfig(AppConfig):
    name = "records"
    verbose_name = "信用记录"

    def ready(self) -> None:
        from records import trail  # noqa: F401

"""The catalogue app."""

from django.apps import AppConfig


class CatalogueConfig(AppConfig):
    name = "catalogue"
    verbose_name = "征集目录"

    def ready(self) -> None:
        from catalogue import trail  # noqa: F401

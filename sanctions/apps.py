"""The sanctions app."""

from django.apps import AppConfig


class SanctionsConfig(AppConfig):
    name = "sanctions"
    verbose_name = "名单与奖惩"

    def ready(self) -> None:
        from sanctions import trail  # noqa: F401

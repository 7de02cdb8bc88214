"""The accounts app."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = "机构与用户"

    def ready(self) -> None:
        from accounts import people, trail  # noqa: F401  trail registers what the trail of changes keeps

        people.listen()

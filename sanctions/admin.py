"""The admin of the app: each part has its module."""

from sanctions import reward_admin  # noqa: F401

"""The staff pages of sanctions, by subject."""

from sanctions import case_admin, roster_admin  # noqa: F401 – registered on import

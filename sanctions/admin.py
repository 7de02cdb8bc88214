"""The staff pages of sanctions, by subject."""

from sanctions import attestation_admin, case_admin, reward_admin, roster_admin  # noqa: F401 – registered on import

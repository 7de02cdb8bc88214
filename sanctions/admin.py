"""The admin of sanctions."""

from sanctions import attestation_admin  # noqa: F401

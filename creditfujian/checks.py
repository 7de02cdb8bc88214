"""What `manage.py check --deploy --database default` says of the role that serves: no more rights than it needs."""

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connections

from accounts import people

# What nobody but the owner may do, as SQL on the serving connection, and what would follow from it.
_TOO_MUCH = {
    "E001": ("has_database_privilege(current_database(), 'TEMPORARY')", "may make temporary tables",
             "A temporary table is found before ours by every rule that looks names up."),
    "E002": ("has_schema_privilege('public', 'CREATE')", "may create in the schema public",
             "A function or table of its own would pass for one of ours."),
    "E003": ("has_database_privilege(current_database(), 'CREATE')", "may create schemas in the database",
             "A schema of its own could be searched before ours."),
    "E004": ("(SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user)",
             "is a superuser or passes by row-level security", "No policy holds for it: every record is open."),
}  # fmt: skip
HINT = (
    "Run `manage.py migrate` as the owner (DATABASE_OWNER_URL), which takes these rights away; see docs/operations.md."
)


@register(Tags.database, deploy=True)
def serving_role_has_no_more_than_it_needs(databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Return an error for each right of the serving role that would open what the database forbids."""
    if "default" not in (databases or ()):
        return []
    with connections["default"].cursor() as cursor:
        cursor.execute(f"SELECT current_user, {', '.join(asked for asked, _, _ in _TOO_MUCH.values())}")
        role, *answers = cursor.fetchone()
    return [
        Error(f"The role {role} {may}. {so}", hint=HINT, id=f"creditfujian.{code}")
        for (code, (_, may, so)), has in zip(_TOO_MUCH.items(), answers, strict=True)
        if has
    ]


@register(Tags.database, deploy=True)
def database_knows_our_signature(databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Return an error when the database does not know the key that our contexts are signed with: no person would be seen."""
    if "default" not in (databases or ()):
        return []
    if people.is_known():
        return []
    says = "The database does not know the key made from SECRET_KEY: no person's row is shown to anybody."
    return [Error(says, hint="Run `manage.py migrate` as the owner (DATABASE_OWNER_URL).", id="creditfujian.E005")]

"""Two database roles: the owner migrates, the application serves. Who may do what to which table."""

from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connections

from accounts.people import context_pads

APPEND_ONLY = "append-only"  # a table whose comment says so is never updated or emptied by the application
WRITTEN_BY_DATABASE = "written by the database"  # nor inserted into: its triggers do that
CONTEXT_KEY = "accounts_contextkey"
OTHERS_APPEND_ONLY = ("auditlog_logentry",)  # third-party tables under the same rule


class OwnerOnlyMigrates:
    """Both aliases are the same database; only the owner's runs migrations when there is one."""

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool | None:
        return db == "owner" if "owner" in settings.DATABASES else None

    def allow_relation(self, *objects: Any, **hints: Any) -> bool:
        return True


def tables_commented(words: str) -> list[str]:
    """Return our tables whose comment holds the words: what may be done to a table is said on the table."""
    return [m._meta.db_table for m in apps.get_models() if words in (m._meta.db_table_comment or "")]


def _keep_context_key(cursor: Any, role: str) -> None:
    """Keep what the application's contexts are signed with (accounts.people) where its role cannot read it."""
    cursor.execute(f"REVOKE ALL ON {CONTEXT_KEY} FROM {role}")
    cursor.execute(f"DELETE FROM {CONTEXT_KEY}")
    cursor.execute(f"INSERT INTO {CONTEXT_KEY} VALUES (%s, %s)", context_pads())


def append_only_tables() -> list[str]:
    """Return the tables that nobody may update, delete from or truncate."""
    return sorted([*tables_commented(APPEND_ONLY), *OTHERS_APPEND_ONLY])


def no_tables_before_ours(database: str) -> str:
    """Return the statement that keeps temporary tables to the owner.

    A temporary table is found before ours by every rule that looks names up: a false `records_batch` opened all records.
    """
    return f"REVOKE TEMPORARY ON DATABASE {database} FROM PUBLIC"


def grant_application(using: str) -> None:
    """Give the application role what it needs and no more. Runs as the owner after every migration.

    Column-level grants of the query log live in its migration's function `access_grant`.
    """
    role = settings.DATABASES["default"]["USER"]
    owner = connections[using].settings_dict["USER"]
    if role == owner:
        return
    connection = connections[using]
    quoted = connection.ops.quote_name(role)
    with connection.cursor() as cursor:
        cursor.execute(f"GRANT USAGE ON SCHEMA public TO {quoted}")
        cursor.execute(f"REVOKE CREATE ON SCHEMA public FROM {quoted}")
        cursor.execute(no_tables_before_ours(connection.ops.quote_name(connection.settings_dict["NAME"])))
        cursor.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {quoted}")
        cursor.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {quoted}")
        cursor.execute(f"GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO {quoted}")
        cursor.execute(f"REVOKE ALL ON django_migrations FROM {quoted}")
        cursor.execute(f"GRANT SELECT ON django_migrations TO {quoted}")
        there = set(connection.introspection.table_names(cursor))  # not all, when migrated to an earlier state
        for table in there.intersection(append_only_tables()):
            cursor.execute(f'REVOKE UPDATE, DELETE, TRUNCATE ON "{table}" FROM {quoted}')
        for table in there.intersection(tables_commented(WRITTEN_BY_DATABASE)):
            cursor.execute(f'REVOKE INSERT ON "{table}" FROM {quoted}')
        if CONTEXT_KEY in there:
            _keep_context_key(cursor, quoted)
        cursor.execute("SELECT to_regprocedure('access_grant(text)') IS NOT NULL")
        if cursor.fetchone()[0]:
            cursor.execute("SELECT access_grant(%s)", [role])

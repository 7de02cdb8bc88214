"""Make the application's role on somebody's own server, from the owner's DATABASE_URL; print its address."""

import os
import secrets
import sys
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg2
from psycopg2 import sql


def main() -> None:
    """Create or refresh the role `<database>_app`; exit with a sentence when that is not allowed."""
    url = urlsplit(os.environ["DATABASE_URL"])
    role, password = f"{url.path.lstrip('/')}_app", secrets.token_urlsafe(24)
    try:
        connection = psycopg2.connect(os.environ["DATABASE_URL"])
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role])
            verb = "ALTER" if cursor.fetchone() else "CREATE"
            rights = "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS"
            statement = sql.SQL("{} ROLE {} {} PASSWORD {}")
            cursor.execute(
                statement.format(sql.SQL(verb), sql.Identifier(role), sql.SQL(rights), sql.Literal(password))
            )
    except psycopg2.Error as error:
        sys.exit(
            f"DATABASE_URL alone must be the owner's and allowed to create roles: {error}\n"
            "Otherwise set both DATABASE_URL (the application's role) and DATABASE_OWNER_URL (the owner's)."
        )
    host = f"{url.hostname or ''}{f':{url.port}' if url.port else ''}"
    print(urlunsplit((url.scheme, f"{role}:{quote(password)}@{host}", url.path, url.query, "")))


if __name__ == "__main__":
    main()

#!/usr/bin/env python
"""Django's command line. Commands that change the schema, or what only the owner may change, run as the database's owner."""

import os
import sys

OWNER_COMMANDS = {"migrate", "flush", "sqlflush", "rotate_keys"}


def main() -> None:
    """Run one command."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "creditfujian.settings")
    from django.core.management import execute_from_command_line

    arguments = sys.argv[:]
    by_owner = len(arguments) > 1 and arguments[1] in OWNER_COMMANDS and os.environ.get("DATABASE_OWNER_URL")
    if by_owner and not any(a.startswith("--database") for a in arguments):
        arguments.append("--database=owner")
    execute_from_command_line(arguments)


if __name__ == "__main__":
    main()

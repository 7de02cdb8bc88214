"""A proof of identity is confirmed and its code used before it runs out, whatever statement comes."""

from importlib import import_module

from django.db import migrations

_GUARD = import_module("accounts.migrations.0016_two_hands_at_the_counter").GUARD
WAS = (
    "CREATE OR REPLACE "
    + _GUARD[_GUARD.index("FUNCTION accounts_identityproof_guard()") : _GUARD.index("CREATE TRIGGER")]
)
_AT = "    ELSIF OLD.decided_by_id IS NULL AND NEW.decided_by_id IS NOT NULL THEN"
RUNS_OUT = WAS.replace(
    _AT,
    """    ELSIF OLD.expires_at <= clock_timestamp() AND (NEW.code_hash IS NOT NULL AND OLD.code_hash IS NULL OR NEW.used_at IS NOT NULL) THEN
        wrong := 'a proof of identity has run out';
"""
    + _AT,
)
assert RUNS_OUT != WAS


class Migration(migrations.Migration):
    dependencies = [("accounts", "0017_accounts_in_context")]
    operations = [migrations.RunSQL(RUNS_OUT, WAS)]

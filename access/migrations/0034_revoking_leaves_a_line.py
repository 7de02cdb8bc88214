"""Nobody ends an authority without a line that its person sees; the counter's line is told by its own message."""

from importlib import import_module

from django.db import migrations

LINE = """
CREATE FUNCTION access_revoking_leaves_a_line() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM access_query q WHERE q.at = transaction_timestamp() AND q.case_no = NEW.number
                      AND q.kind IN ('Q1', 'Q2') AND q.decision = 'allowed') THEN
        PERFORM catalogue_refuse('authority_revoked_leaves_a_line', 'an authority is not ended without a line in the log');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER authority_revoked_leaves_a_line BEFORE UPDATE ON access_authority FOR EACH ROW
    WHEN (NEW.state = 'revoked' AND OLD.state <> 'revoked') EXECUTE FUNCTION access_revoking_leaves_a_line();
"""
LINE_UNDONE = """
DROP TRIGGER authority_revoked_leaves_a_line ON access_authority;
DROP FUNCTION access_revoking_leaves_a_line();
"""
TOLD_UNDONE = import_module("access.migrations.0032_told_once").NOTICES
TOLD = TOLD_UNDONE.replace(
    "q.purpose = '窗口为本人撤回查询授权'", "q.purpose IN ('窗口为本人撤回查询授权', '窗口为本人撤销代理查询')"
)
assert TOLD != TOLD_UNDONE


class Migration(migrations.Migration):
    dependencies = [("access", "0033_rules_ask_as_the_owner")]
    operations = [migrations.RunSQL(LINE + TOLD, TOLD_UNDONE + LINE_UNDONE)]

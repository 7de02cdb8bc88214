"""The number of an agent is sealed anew by the database's owner, as a person's is; nothing else of an authority moves with it."""

from django.db import migrations

COLUMNS = """id, number, basis, person_id, agent_name, agent_index, relation, purpose, items, valid_until, organisation_id,
    entered_by_id, entered_at, state, decided_by_id, decided_at, note, revoked_by_id, revoked_at"""
SQL = f"""
DROP TRIGGER authority_guard ON access_authority;
CREATE TRIGGER authority_guard BEFORE INSERT OR DELETE OR UPDATE OF {COLUMNS} ON access_authority
    FOR EACH ROW EXECUTE FUNCTION access_authority_guard();
CREATE FUNCTION access_agent_sealed_anew() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_user <> (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TG_RELID)
       OR to_jsonb(NEW) - 'agent_cipher' <> to_jsonb(OLD) - 'agent_cipher' THEN
        PERFORM catalogue_refuse('authority_is_what_was_entered', 'only the owner seals a number anew');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER authority_sealed_anew BEFORE UPDATE ON access_authority FOR EACH ROW
    WHEN (OLD.agent_cipher IS DISTINCT FROM NEW.agent_cipher) EXECUTE FUNCTION access_agent_sealed_anew();
"""  # noqa: S608 – ours
UNDONE = """
DROP TRIGGER authority_sealed_anew ON access_authority;
DROP FUNCTION access_agent_sealed_anew();
DROP TRIGGER authority_guard ON access_authority;
CREATE TRIGGER authority_guard BEFORE INSERT OR UPDATE OR DELETE ON access_authority
    FOR EACH ROW EXECUTE FUNCTION access_authority_guard();
"""


class Migration(migrations.Migration):
    dependencies = [("access", "0038_told_and_granted")]
    operations = [migrations.RunSQL(SQL, UNDONE)]

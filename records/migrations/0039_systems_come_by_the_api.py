"""A system comes by the API, with its token's limits, and nobody else does: not by the command that needs no token."""

from django.db import migrations

DOOR = """
CREATE FUNCTION records_batch_comes_by_its_door() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.channel = 'api') <> EXISTS (SELECT 1 FROM accounts_user u WHERE u.id = NEW.uploaded_by_id AND u.kind = 'service') THEN
        RAISE EXCEPTION 'systems deliver by the API, people by the other ways'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'batch_comes_by_its_door';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER batch_comes_by_its_door BEFORE INSERT ON records_batch
    FOR EACH ROW EXECUTE FUNCTION records_batch_comes_by_its_door();
"""
UNDONE = """
DROP TRIGGER batch_comes_by_its_door ON records_batch;
DROP FUNCTION records_batch_comes_by_its_door();
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0015_passwords_anew"), ("records", "0038_withheld_of_those_asked")]
    operations = [migrations.RunSQL(DOOR, UNDONE)]

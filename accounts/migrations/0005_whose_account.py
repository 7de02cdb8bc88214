"""An account stays its person's: whoever could point it at another would read that person's file as their own."""

from django.db import migrations

SQL = """
CREATE FUNCTION accounts_user_keeps_its_person() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the person of an account never changes'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'user_keeps_its_person';
END $$;
CREATE TRIGGER user_keeps_its_person BEFORE UPDATE ON accounts_user FOR EACH ROW
    WHEN (OLD.person_id IS DISTINCT FROM NEW.person_id) EXECUTE FUNCTION accounts_user_keeps_its_person();
"""
UNDONE = """
DROP TRIGGER user_keeps_its_person ON accounts_user;
DROP FUNCTION accounts_user_keeps_its_person();
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0004_name_bigrams")]
    operations = [migrations.RunSQL(SQL, UNDONE)]

"""No context, no row: whom the application may see on its connection is signed, and nobody is open by default.

The application signs whom it has opened (accounts.people) with a key that its own role cannot read here. Beside that a
query line of the transaction shows its person (access 0018). What rules ask of persons they ask as the owner.
"""

from django.db import migrations

CONTEXT = r"""
-- The two keys of HMAC-SHA-256 (RFC 2104); written after each migration by creditfujian.database.
CREATE TABLE accounts_contextkey (inner_pad bytea NOT NULL, outer_pad bytea NOT NULL);
ALTER TABLE accounts_contextkey ENABLE ROW LEVEL SECURITY;  -- no policy: the application never sees it
COMMENT ON TABLE accounts_contextkey IS 'append-only, written by the database: what the application signs its context with';

-- Who is open by what was told; nobody, unless it was signed for this connection.
CREATE FUNCTION accounts_signed(told text) RETURNS text[] LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE said text;
BEGIN
    IF coalesce(told, '') = '' THEN
        RETURN '{}';
    END IF;
    said := split_part(told, '|', 1);
    PERFORM 1 FROM accounts_contextkey k
      WHERE encode(sha256(k.outer_pad || sha256(k.inner_pad || convert_to(pg_backend_pid() || '|' || said, 'UTF8'))), 'hex')
            = split_part(told, '|', 2);
    RETURN CASE WHEN FOUND THEN string_to_array(said, ',') ELSE '{}' END;
END $$;
CREATE FUNCTION accounts_context() RETURNS text[] LANGUAGE sql STABLE PARALLEL RESTRICTED AS
    $$ SELECT accounts_signed(current_setting('cf.people', true)) $$;

CREATE FUNCTION accounts_everybody_is_open() RETURNS boolean LANGUAGE sql STABLE PARALLEL RESTRICTED AS
    $$ SELECT '*' = ANY (accounts_context()) $$;
CREATE FUNCTION accounts_open_persons() RETURNS bigint[] LANGUAGE sql STABLE PARALLEL RESTRICTED AS
    $$ SELECT coalesce(array_agg(one::bigint), '{}') FROM unnest(accounts_context()) AS one WHERE one ~ '^[0-9]+$' $$;
CREATE FUNCTION accounts_open_numbers() RETURNS bytea[] LANGUAGE sql STABLE PARALLEL RESTRICTED AS
    $$ SELECT coalesce(array_agg(decode(substr(one, 2), 'hex')), '{}') FROM unnest(accounts_context()) AS one WHERE one ~ '^n' $$;
"""
ASKED = r"""
-- What rules and pages ask of a person whose row they need not see.
CREATE FUNCTION accounts_may_act(person bigint) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT 1 FROM accounts_person p WHERE p.id = person AND p.deceased_on IS NULL AND p.merged_into_id IS NULL)
$$;
CREATE FUNCTION accounts_survivor(person bigint) RETURNS bigint LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH RECURSIVE chain(id, next) AS (
        SELECT p.id, p.merged_into_id FROM accounts_person p WHERE p.id = person
        UNION ALL SELECT p.id, p.merged_into_id FROM chain c JOIN accounts_person p ON p.id = c.next
    ) SELECT id FROM chain WHERE next IS NULL
$$;
CREATE FUNCTION accounts_family(person bigint) RETURNS SETOF bigint LANGUAGE sql STABLE ROWS 2
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH RECURSIVE family(id) AS (
        SELECT person UNION ALL SELECT m.id FROM family f JOIN accounts_person m ON m.merged_into_id = f.id
    ) SELECT id FROM family
$$;

-- Whoever has a number's keyed index knows the number: its holder's row, alone.
CREATE FUNCTION accounts_person_numbered(numbers bytea[]) RETURNS SETOF accounts_person LANGUAGE sql STABLE ROWS 1
SECURITY DEFINER SET search_path = public, pg_temp AS $$ SELECT * FROM accounts_person WHERE id_index = ANY (numbers) $$;
CREATE FUNCTION accounts_holder_of(numbers bytea[]) RETURNS SETOF accounts_person LANGUAGE sql STABLE ROWS 1
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT s.* FROM accounts_person p JOIN accounts_person s ON s.id = accounts_survivor(p.id) WHERE p.id_index = ANY (numbers)
$$;
-- Whether a name is that of the number's person, was before they changed it, or is that of a number merged into it.
CREATE FUNCTION accounts_bears(number bytea, full_name text) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (
        SELECT 1 FROM accounts_person p CROSS JOIN accounts_family(p.id) AS f(id) JOIN accounts_person m ON m.id = f.id
         WHERE p.id_index = number
           AND (m.name = full_name OR EXISTS (SELECT 1 FROM accounts_personname n
                   WHERE n.person_id = m.id AND n.name = full_name AND n.how = 'renamed')))
$$;
"""
POLICIES = """
ALTER TABLE accounts_person ENABLE ROW LEVEL SECURITY;
CREATE POLICY person_in_context ON accounts_person FOR SELECT USING (
    (SELECT accounts_everybody_is_open()) OR id = ANY ((SELECT accounts_open_persons())::bigint[])
    OR id_index = ANY ((SELECT accounts_open_numbers())::bytea[])
);
CREATE POLICY person_entered_by_number ON accounts_person FOR INSERT WITH CHECK (
    (SELECT accounts_everybody_is_open()) OR id_index = ANY ((SELECT accounts_open_numbers())::bytea[])
);
-- To lock a row is to be able to change it; what may change is the business of triggers.
CREATE POLICY person_locked_in_context ON accounts_person FOR UPDATE USING (
    (SELECT accounts_everybody_is_open()) OR id = ANY ((SELECT accounts_open_persons())::bigint[])
    OR id_index = ANY ((SELECT accounts_open_numbers())::bytea[])
);
CREATE POLICY person_deleted_by_nobody_else ON accounts_person FOR DELETE USING ((SELECT accounts_everybody_is_open()));

ALTER TABLE accounts_personname ENABLE ROW LEVEL SECURITY;  -- written by the database alone
CREATE POLICY personname_in_context ON accounts_personname FOR SELECT USING (
    (SELECT accounts_everybody_is_open()) OR person_id = ANY ((SELECT accounts_open_persons())::bigint[])
);
"""
UNDONE = """
DROP POLICY personname_in_context ON accounts_personname;
ALTER TABLE accounts_personname DISABLE ROW LEVEL SECURITY;
DROP POLICY person_deleted_by_nobody_else ON accounts_person;
DROP POLICY person_locked_in_context ON accounts_person;
DROP POLICY person_entered_by_number ON accounts_person;
DROP POLICY person_in_context ON accounts_person;
ALTER TABLE accounts_person DISABLE ROW LEVEL SECURITY;
DROP FUNCTION accounts_bears(bytea, text);
DROP FUNCTION accounts_holder_of(bytea[]);
DROP FUNCTION accounts_person_numbered(bytea[]);
DROP FUNCTION accounts_family(bigint);
DROP FUNCTION accounts_survivor(bigint);
DROP FUNCTION accounts_may_act(bigint);
DROP FUNCTION accounts_open_numbers();
DROP FUNCTION accounts_open_persons();
DROP FUNCTION accounts_everybody_is_open();
DROP FUNCTION accounts_context();
DROP FUNCTION accounts_signed(text);
DROP TABLE accounts_contextkey;
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0011_regions")]
    operations = [migrations.RunSQL(CONTEXT + ASKED + POLICIES, UNDONE)]

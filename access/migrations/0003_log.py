"""The query log: partitioned by month, append-only by trigger and by privilege."""

from django.db import migrations

TABLES = """
CREATE SEQUENCE access_query_seq;
CREATE TABLE access_query (
    seq bigint NOT NULL DEFAULT nextval('access_query_seq'),
    at timestamptz NOT NULL DEFAULT transaction_timestamp(),
    actor_id bigint, actor_name text NOT NULL, organisation_id bigint, organisation_name text NOT NULL,
    uscc text NOT NULL, roles text NOT NULL, channel text NOT NULL, kind varchar(2) NOT NULL, ground text NOT NULL,
    purpose text NOT NULL, case_no text NOT NULL, duty_code text NOT NULL, request_no bigint, items text[] NOT NULL,
    fields_class text NOT NULL, decision varchar(7) NOT NULL, refusal varchar(12) NOT NULL DEFAULT '',
    address text NOT NULL, correlation text NOT NULL,
    PRIMARY KEY (seq, at),
    CONSTRAINT query_kind_is_known CHECK (kind IN ('Q1','Q2','Q3','Q4','Q5','Q6','Q7')),
    CONSTRAINT query_refused_with_a_reason CHECK ((decision = 'refused') = (refusal <> '')),
    CONSTRAINT query_names_its_actor CHECK (kind = 'Q6' OR actor_id IS NOT NULL),
    CONSTRAINT query_names_its_ground CHECK (ground <> ''),
    CONSTRAINT query_by_duty_names_case CHECK (kind <> 'Q5' OR decision = 'refused' OR case_no <> '')
) PARTITION BY RANGE (at);
ALTER SEQUENCE access_query_seq OWNED BY access_query.seq;
CREATE INDEX access_query_actor ON access_query (actor_id, at DESC);
COMMENT ON TABLE access_query IS 'append-only: the register of queries, kept ten years';

CREATE SEQUENCE access_queryperson_seq;
CREATE TABLE access_queryperson (
    seq bigint NOT NULL DEFAULT nextval('access_queryperson_seq'),
    at timestamptz NOT NULL DEFAULT transaction_timestamp(),
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    query_id bigint NOT NULL, person_id bigint NOT NULL REFERENCES accounts_person (id),
    kind varchar(2) NOT NULL, allowed boolean NOT NULL, items bigint[],
    PRIMARY KEY (seq, at),
    CONSTRAINT queryperson_belongs_to_a_query FOREIGN KEY (query_id, at) REFERENCES access_query (seq, at)
) PARTITION BY RANGE (at);
ALTER SEQUENCE access_queryperson_seq OWNED BY access_queryperson.seq;
CREATE INDEX access_queryperson_person ON access_queryperson (person_id, at DESC);
COMMENT ON TABLE access_queryperson IS 'append-only: one line per person read';

CREATE TABLE access_queryanswer (
    query_id bigint NOT NULL,
    at timestamptz NOT NULL DEFAULT transaction_timestamp(),
    record_ids bigint[] NOT NULL, items text[] NOT NULL,
    PRIMARY KEY (query_id, at),
    CONSTRAINT queryanswer_belongs_to_a_query FOREIGN KEY (query_id, at) REFERENCES access_query (seq, at)
) PARTITION BY RANGE (at);
COMMENT ON TABLE access_queryanswer IS 'append-only: what each query returned';

CREATE FUNCTION access_make_partitions(first date, months int) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE parent text; day date;
BEGIN
    FOREACH parent IN ARRAY ARRAY['access_query', 'access_queryperson', 'access_queryanswer'] LOOP
        FOR step IN 0..months - 1 LOOP
            day := date_trunc('month', first) + make_interval(months => step);
            EXECUTE format('CREATE TABLE IF NOT EXISTS %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)',
                           parent || '_' || to_char(day, 'YYYYMM'), parent,
                           day::timestamp AT TIME ZONE 'Asia/Shanghai',
                           (day + interval '1 month') AT TIME ZONE 'Asia/Shanghai');
        END LOOP;
    END LOOP;
END $$;
SELECT access_make_partitions((now() AT TIME ZONE 'Asia/Shanghai')::date, 18);
CREATE TABLE access_query_later PARTITION OF access_query DEFAULT;
CREATE TABLE access_queryperson_later PARTITION OF access_queryperson DEFAULT;
CREATE TABLE access_queryanswer_later PARTITION OF access_queryanswer DEFAULT;

CREATE TRIGGER access_query_append_only BEFORE UPDATE OR DELETE ON access_query
    FOR EACH ROW EXECUTE FUNCTION cf_refuse_change();
CREATE TRIGGER access_queryperson_append_only BEFORE UPDATE OR DELETE ON access_queryperson
    FOR EACH ROW EXECUTE FUNCTION cf_refuse_change();
CREATE TRIGGER access_queryanswer_append_only BEFORE UPDATE OR DELETE ON access_queryanswer
    FOR EACH ROW EXECUTE FUNCTION cf_refuse_change();
CREATE TRIGGER access_query_no_truncate BEFORE TRUNCATE ON access_query EXECUTE FUNCTION cf_refuse_change();
CREATE TRIGGER access_queryperson_no_truncate BEFORE TRUNCATE ON access_queryperson EXECUTE FUNCTION cf_refuse_change();
CREATE TRIGGER access_queryanswer_no_truncate BEFORE TRUNCATE ON access_queryanswer EXECUTE FUNCTION cf_refuse_change();
CREATE TRIGGER auditlog_append_only BEFORE UPDATE OR DELETE ON auditlog_logentry
    FOR EACH ROW EXECUTE FUNCTION cf_refuse_change();
CREATE TRIGGER auditlog_no_truncate BEFORE TRUNCATE ON auditlog_logentry EXECUTE FUNCTION cf_refuse_change();

-- The application may add lines, but never choose their number, time or transaction.
CREATE FUNCTION access_grant(role text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE part record;
BEGIN
    EXECUTE format('REVOKE ALL ON access_query, access_queryperson, access_queryanswer FROM %I', role);
    FOR part IN SELECT inhrelid::regclass AS name FROM pg_inherits
                 WHERE inhparent::regclass::text IN ('access_query', 'access_queryperson', 'access_queryanswer') LOOP
        EXECUTE format('REVOKE ALL ON %s FROM %I', part.name, role);
    END LOOP;
    EXECUTE format('GRANT SELECT ON access_query, access_queryperson, access_queryanswer TO %I', role);
    EXECUTE format('GRANT INSERT (actor_id, actor_name, organisation_id, organisation_name, uscc, roles, channel, '
        'kind, ground, purpose, case_no, duty_code, request_no, items, fields_class, decision, refusal, address, '
        'correlation) ON access_query TO %I', role);
    EXECUTE format('GRANT INSERT (query_id, person_id, kind, allowed, items) ON access_queryperson TO %I', role);
    EXECUTE format('GRANT INSERT (query_id, record_ids, items) ON access_queryanswer TO %I', role);
    EXECUTE format('GRANT EXECUTE ON FUNCTION access_make_partitions(date, int) TO %I', role);
    EXECUTE format('REVOKE EXECUTE ON FUNCTION access_grant(text) FROM %I', role);
END $$;
REVOKE EXECUTE ON FUNCTION access_grant(text) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION access_make_partitions(date, int) FROM PUBLIC;
"""
UNDONE = """
DROP TRIGGER auditlog_append_only ON auditlog_logentry;
DROP TRIGGER auditlog_no_truncate ON auditlog_logentry;
DROP FUNCTION access_grant(text);
DROP FUNCTION access_make_partitions(date, int);
DROP TABLE access_queryanswer, access_queryperson, access_query;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("access", "0002_initial"),
        ("accounts", "0003_common"),
        ("auditlog", "0017_add_actor_email"),
    ]
    operations = [migrations.RunSQL(TABLES, UNDONE)]

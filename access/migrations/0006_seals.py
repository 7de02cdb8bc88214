"""The query log sealed: a leaf per line, a Merkle tree over them, signed checkpoints. Nobody rewrites it unnoticed."""

import django.utils.timezone
from django.db import migrations, models

# The bytes of lines, one home for the sealer and the verifier. `places` (number, query_id, at, salt) says which lines;
# low, high, first, last bound their time and number so that only their partitions are read. docs/query-log.md says what
# the bytes mean. What names the reader, and each person, is hashed apart under a salt of its own: a person can be given
# the proof of a line without the officer's name and without the others of a list, and nobody finds them by trying.
SEALED_PART = """sha256(record_send(ROW(
                   places.salt, q.actor_id, q.actor_name, q.roles, q.request_no, q.address, q.correlation,
                   a.record_ids, a.items)))"""
HASHES = """
    SELECT places.number, places.query_id, places.at, places.salt, q.seq IS NOT NULL AS there,
           SEALED_PART AS sealed, p.hashes AS persons,
           sha256('\\x00'::bytea || record_send(ROW(
               q.seq, q.at, q.organisation_id, q.organisation_name, q.uscc, q.channel, q.kind, q.ground, q.purpose, q.case_no,
               q.duty_code, q.consent_no, q.items, q.fields_class, q.decision, q.refusal,
               SEALED_PART,
               p.hashes))) AS hash
      FROM places
      LEFT JOIN access_query q ON q.seq = places.query_id AND q.at = places.at
                              AND q.at BETWEEN low AND high AND q.seq BETWEEN first AND last
      LEFT JOIN access_queryanswer a ON a.query_id = places.query_id AND a.at = places.at
                              AND a.at BETWEEN low AND high AND a.query_id BETWEEN first AND last
      LEFT JOIN (
        SELECT o.query_id, string_agg(
                   sha256(sha256(uuid_send(o.salt) || int8send(p.seq))
                          || record_send(ROW(p.seq, p.person_id, p.kind, p.allowed, p.items))), ''::bytea ORDER BY p.seq) AS hashes
          FROM places o
          JOIN access_queryperson p ON p.query_id = o.query_id AND p.at = o.at
                              AND p.at BETWEEN low AND high AND p.query_id BETWEEN first AND last
         GROUP BY o.query_id) p ON p.query_id = places.query_id
""".replace("SEALED_PART", SEALED_PART)

SEALS = """
-- The persons of a query are asked for with each line.
CREATE INDEX access_queryperson_query ON access_queryperson (query_id);

CREATE TABLE access_leaf (
    number bigint PRIMARY KEY, query_id bigint NOT NULL, at timestamptz NOT NULL, salt uuid NOT NULL, hash bytea NOT NULL,
    CONSTRAINT leaf_once_per_line UNIQUE (query_id),
    CONSTRAINT leaf_is_a_sha256 CHECK (octet_length(hash) = 32 AND number >= 0)
);
COMMENT ON TABLE access_leaf IS 'append-only, written by the database: each line''s place in the tree';

CREATE TABLE access_node (
    level smallint NOT NULL, number bigint NOT NULL, hash bytea NOT NULL, PRIMARY KEY (level, number),
    CONSTRAINT node_is_kept CHECK (level > 0 AND level % 8 = 0 AND number >= 0 AND octet_length(hash) = 32)
);
COMMENT ON TABLE access_node IS 'append-only: kept nodes of the tree';

CREATE TABLE access_checkpoint (
    number bigint PRIMARY KEY, size bigint NOT NULL, root bytea NOT NULL, at timestamptz NOT NULL,
    previous bytea NOT NULL, key_id varchar(8) NOT NULL, signature bytea NOT NULL,
    upto bigint NOT NULL, gaps int8multirange NOT NULL,
    CONSTRAINT checkpoint_is_whole CHECK (octet_length(root) = 32 AND octet_length(previous) = 32
                                          AND octet_length(signature) = 64 AND number > 0 AND size >= 0)
);
CREATE INDEX access_checkpoint_size ON access_checkpoint (size);
CREATE INDEX access_checkpoint_at ON access_checkpoint (at);
COMMENT ON TABLE access_checkpoint IS 'append-only: signed checkpoints of the query log';
COMMENT ON COLUMN access_checkpoint.upto IS 'the highest number of a line that the sealer had met';
COMMENT ON COLUMN access_checkpoint.gaps IS 'numbers below it that may still come: their transactions may be open';

-- The stored hash of lines in their places, beside the hash that their rows have now.
CREATE FUNCTION access_lines(
    from_number bigint, to_number bigint, low timestamptz, high timestamptz, first bigint, last bigint)
RETURNS TABLE (number bigint, query_id bigint, at timestamptz, salt uuid, there boolean, sealed bytea, persons bytea,
               derived bytea, stored bytea)
LANGUAGE sql STABLE AS $$
    WITH places AS MATERIALIZED (
        SELECT l.number, l.query_id, l.at, l.salt, l.hash FROM access_leaf l WHERE l.number >= from_number AND l.number < to_number)
    SELECT h.number, h.query_id, h.at, h.salt, h.there, h.sealed, h.persons, h.hash, places.hash
      FROM (HASHES) h JOIN places USING (number)
$$;

-- Gives each new line its place. New is every line that can be seen now and could not at the last checkpoint, also one whose
-- transaction ended after later ones had been sealed, as long as it began no longer than `patience` before that checkpoint:
-- what comes later than that is not sealed, and a verification names it.
-- New lines are in no statistics yet: planned as if there were one, they would be compared each with each.
CREATE FUNCTION access_seal_lines(patience interval, OUT sealed bigint, OUT upto bigint, OUT gaps int8multirange)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET plan_cache_mode = force_custom_plan
SET enable_nestloop = off AS $$
DECLARE checkpoint access_checkpoint; done bigint; oldest timestamptz; closed bigint; low timestamptz; high timestamptz;
        first bigint; last bigint; ids int8multirange;
BEGIN
    SELECT * INTO checkpoint FROM access_checkpoint c ORDER BY c.number DESC LIMIT 1;
    done := coalesce(checkpoint.size, 0);
    upto := coalesce(checkpoint.upto, 0);
    gaps := coalesce(checkpoint.gaps, '{}');
    oldest := coalesce(checkpoint.at - patience, '-infinity');
    IF done <> (SELECT coalesce(max(l.number) + 1, 0) FROM access_leaf l) THEN
        RAISE EXCEPTION 'leaves and last checkpoint of the query log do not agree' USING ERRCODE = 'data_corrupted';
    END IF;
    SELECT coalesce(max(c.upto), 0) INTO closed FROM access_checkpoint c WHERE c.at < oldest;

    SELECT min(n.at), max(n.at), min(n.seq), max(n.seq), range_agg(int8range(n.seq, n.seq + 1))
      INTO low, high, first, last, ids
      FROM (SELECT q.seq, q.at FROM access_query q WHERE q.seq > access_seal_lines.upto AND q.at > oldest
            UNION ALL
            SELECT q.seq, q.at FROM unnest(access_seal_lines.gaps) g
              JOIN access_query q ON q.seq >= lower(g) AND q.seq < upper(g) AND q.at > oldest) n;
    IF ids IS NULL THEN
        sealed := 0;
        RETURN;
    END IF;

    WITH places AS MATERIALIZED (
        SELECT done + row_number() OVER (ORDER BY q.seq) - 1 AS number, q.seq AS query_id, q.at, gen_random_uuid() AS salt
          FROM unnest(ids) g JOIN access_query q ON q.seq >= lower(g) AND q.seq < upper(g) AND q.at BETWEEN low AND high)
    INSERT INTO access_leaf (number, query_id, at, salt, hash)
    SELECT h.number, h.query_id, h.at, h.salt, h.hash FROM (HASHES) h ORDER BY h.number;
    GET DIAGNOSTICS sealed = ROW_COUNT;

    gaps := (gaps + int8multirange(int8range(upto + 1, greatest(upto, last) + 1)) - ids) * int8multirange(int8range(closed + 1, NULL));
    upto := greatest(upto, last);
END $$;

CREATE FUNCTION access_checkpoint_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE before access_checkpoint; newest bigint;
BEGIN
    SELECT * INTO before FROM access_checkpoint c ORDER BY c.number DESC LIMIT 1;
    SELECT max(l.query_id) INTO newest FROM access_leaf l WHERE l.number >= coalesce(before.size, 0);
    IF NEW.number <> coalesce(before.number, 0) + 1 OR NEW.size < coalesce(before.size, 0)
       OR NEW.size <> (SELECT coalesce(max(l.number) + 1, 0) FROM access_leaf l)
       OR NEW.upto <> greatest(before.upto, newest, 0)  -- a number beyond the lines would make the sealer skip them
       OR NEW.at NOT BETWEEN transaction_timestamp() AND clock_timestamp() OR NEW.at <= before.at THEN
        RAISE EXCEPTION 'a checkpoint follows the one before and covers every leaf' USING ERRCODE = 'check_violation',
            CONSTRAINT = 'checkpoint_follows_the_one_before';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER checkpoint_guard BEFORE INSERT ON access_checkpoint
    FOR EACH ROW EXECUTE FUNCTION access_checkpoint_guard();
REVOKE EXECUTE ON FUNCTION access_seal_lines(interval) FROM PUBLIC;
""".replace("HASHES", HASHES)

TABLES = ("leaf", "node", "checkpoint", "verification")
APPEND_ONLY = "".join(
    f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON access_{table}"
    " FOR EACH ROW EXECUTE FUNCTION cf_refuse_change();"
    f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON access_{table} EXECUTE FUNCTION cf_refuse_change();"
    for table in TABLES
)

# Without a month's partition nothing is written, so nothing is read: the night makes them ahead and says when it cannot.
PARTITIONS = """
DO $$ BEGIN
    IF EXISTS (SELECT 1 FROM access_query_later) THEN
        RAISE EXCEPTION 'access_query_later holds lines: give them partitions of their months first';
    END IF;
END $$;
ALTER TABLE access_queryanswer DETACH PARTITION access_queryanswer_later;
ALTER TABLE access_queryperson DETACH PARTITION access_queryperson_later;
ALTER TABLE access_query DETACH PARTITION access_query_later;
DROP TABLE access_queryanswer_later, access_queryperson_later, access_query_later;

-- Triggers against emptying are not handed down to partitions: each gets its own.
CREATE FUNCTION access_guard_partitions() RETURNS void LANGUAGE plpgsql AS $$
DECLARE part regclass;
BEGIN
    FOR part IN SELECT inhrelid::regclass FROM pg_inherits
                 WHERE inhparent IN ('access_query'::regclass, 'access_queryperson'::regclass, 'access_queryanswer'::regclass)
                   AND NOT EXISTS (SELECT 1 FROM pg_trigger t WHERE t.tgrelid = inhrelid AND t.tgname = 'no_truncate') LOOP
        EXECUTE format('CREATE TRIGGER no_truncate BEFORE TRUNCATE ON %s EXECUTE FUNCTION cf_refuse_change()', part);
    END LOOP;
END $$;
REVOKE EXECUTE ON FUNCTION access_guard_partitions() FROM PUBLIC;
SELECT access_guard_partitions();

-- Makes what is missing of the months ahead; returns how many partitions it made.
CREATE FUNCTION access_partitions_ahead(months int) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE before bigint; after bigint;
BEGIN
    SELECT count(*) INTO before FROM pg_inherits WHERE inhparent = 'access_query'::regclass;
    IF to_regclass('access_query_' || to_char(cf_today() + make_interval(months => months - 1), 'YYYYMM')) IS NULL THEN
        PERFORM access_make_partitions(cf_today(), months);
        PERFORM access_guard_partitions();
    END IF;
    SELECT count(*) INTO after FROM pg_inherits WHERE inhparent = 'access_query'::regclass;
    RETURN after - before;
END $$;
REVOKE EXECUTE ON FUNCTION access_partitions_ahead(int) FROM PUBLIC;
"""
PARTITIONS_UNDONE = """
DROP FUNCTION access_partitions_ahead(int);
DROP FUNCTION access_guard_partitions();
CREATE TABLE access_query_later PARTITION OF access_query DEFAULT;
CREATE TABLE access_queryperson_later PARTITION OF access_queryperson DEFAULT;
CREATE TABLE access_queryanswer_later PARTITION OF access_queryanswer DEFAULT;
"""
SEALS_UNDONE = """
DROP FUNCTION access_seal_lines(interval);
DROP FUNCTION access_lines(bigint, bigint, timestamptz, timestamptz, bigint, bigint);
DROP TABLE access_checkpoint, access_node, access_leaf;
DROP FUNCTION access_checkpoint_guard();
DROP INDEX access_queryperson_query;
"""
APPEND_ONLY_UNDONE = """
DROP TRIGGER verification_append_only ON access_verification;
DROP TRIGGER verification_no_truncate ON access_verification;
"""


class Migration(migrations.Migration):
    dependencies = [("access", "0005_consents")]

    operations = [
        migrations.CreateModel(
            name="Checkpoint",
            fields=[
                ("number", models.BigIntegerField(primary_key=True, serialize=False, verbose_name="编号")),
                ("size", models.BigIntegerField(verbose_name="已封存条数")),
                ("root", models.BinaryField(verbose_name="树根")),
                ("at", models.DateTimeField(verbose_name="时间")),
                ("previous", models.BinaryField(verbose_name="上一检查点摘要")),
                ("key_id", models.CharField(max_length=8, verbose_name="密钥编号")),
                ("signature", models.BinaryField(verbose_name="签名")),
            ],
            options={
                "verbose_name": "查询日志检查点",
                "verbose_name_plural": "查询日志检查点",
                "db_table_comment": "append-only: signed checkpoints of the query log",
                "ordering": ["-number"],
                "managed": False,
                "default_permissions": ("view",),
            },
        ),
        migrations.CreateModel(
            name="Leaf",
            fields=[
                ("number", models.BigIntegerField(primary_key=True, serialize=False)),
                ("query_id", models.BigIntegerField(unique=True)),
                ("at", models.DateTimeField()),
                ("salt", models.UUIDField()),
                ("hash", models.BinaryField()),
            ],
            options={
                "verbose_name": "查询日志封存叶",
                "verbose_name_plural": "查询日志封存叶",
                "db_table_comment": "append-only, written by the database: each line's place in the tree",
                "managed": False,
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="Node",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "level", "number", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("level", models.SmallIntegerField()),
                ("number", models.BigIntegerField()),
                ("hash", models.BinaryField()),
            ],
            options={
                "verbose_name": "查询日志封存节点",
                "verbose_name_plural": "查询日志封存节点",
                "db_table_comment": "append-only: kept nodes of the tree",
                "managed": False,
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="Verification",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="时间")),
                (
                    "scope",
                    models.CharField(
                        choices=[("day", "最近一天"), ("whole", "全部")], max_length=5, verbose_name="范围"
                    ),
                ),
                ("lines", models.BigIntegerField(verbose_name="核验条数")),
                ("checkpoints", models.BigIntegerField(verbose_name="核验检查点")),
                ("first_bad", models.BigIntegerField(null=True, verbose_name="第一条有问题的序号")),
                ("found", models.TextField(blank=True, verbose_name="发现")),
                ("seconds", models.FloatField(verbose_name="用时（秒）")),
            ],
            options={
                "verbose_name": "查询日志核验",
                "verbose_name_plural": "查询日志核验",
                "db_table_comment": "append-only: what verifications of the query log found",
                "ordering": ["-at", "-pk"],
                "default_permissions": ("view",),
            },
        ),
        migrations.RunSQL(SEALS, SEALS_UNDONE),
        migrations.RunSQL(APPEND_ONLY, APPEND_ONLY_UNDONE),
        migrations.RunSQL(PARTITIONS, PARTITIONS_UNDONE),
    ]

"""The foreign keys of records and their versions, checked once per statement instead of once per row.

PostgreSQL's own check asks for each row by itself: of the time that 100,000 new records take, most of a half went
there. These triggers promise the same: no row points at nothing, whoever writes it and whatever happens beside it.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

EXIST = """
-- What new rows point at exists, and stays until they are committed. Arguments: column, table, column, table, …
CREATE FUNCTION records_keys_exist() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE wanted bigint[]; own bigint[]; missing bigint; before text;
BEGIN
    -- What an updated row pointed at before is known to be there.
    before := CASE TG_OP WHEN 'UPDATE' THEN 'EXCEPT SELECT %1$I FROM gone' ELSE '' END;
    FOR n IN 0 .. TG_NARGS - 2 BY 2 LOOP
        EXECUTE format('SELECT array_agg(id) FROM (SELECT DISTINCT %1$I FROM fresh ' || before || ') f(id) WHERE id IS NOT NULL',
                       TG_ARGV[n]) INTO wanted;
        CONTINUE WHEN wanted IS NULL;
        -- Rows of this very transaction nobody else can delete. Looked up by array, not joined: rows just written have
        -- no statistics yet, and a join may be planned for one row and meet a million.
        EXECUTE format('SELECT array_agg(id) FROM %1$I WHERE id = ANY ($1) AND xmin = pg_current_xact_id()::xid',
                       TG_ARGV[n + 1]) INTO own USING wanted;
        CONTINUE WHEN cardinality(own) = cardinality(wanted);
        -- The others are locked as a foreign key locks them.
        wanted := ARRAY(SELECT unnest(wanted) EXCEPT SELECT unnest(own));
        EXECUTE format('
            WITH locked AS MATERIALIZED (SELECT id FROM %1$I WHERE id = ANY ($1) FOR KEY SHARE)
            SELECT min(id) FROM (SELECT unnest($1) EXCEPT SELECT id FROM locked) absent(id)', TG_ARGV[n + 1]
        ) INTO missing USING wanted;
        IF missing IS NOT NULL THEN
            RAISE foreign_key_violation USING
                MESSAGE = format('insert or update on table "%s" violates foreign key constraint "%s_%s_exists"',
                                 TG_TABLE_NAME, TG_TABLE_NAME, TG_ARGV[n]),
                DETAIL = format('Key (%s)=(%s) is not present in table "%s".', TG_ARGV[n], missing, TG_ARGV[n + 1]),
                TABLE = TG_TABLE_NAME, COLUMN = TG_ARGV[n], CONSTRAINT = format('%s_%s_exists', TG_TABLE_NAME, TG_ARGV[n]);
        END IF;
    END LOOP;
    RETURN NULL;
END $$;

-- What rows point at is neither deleted nor given another id. Arguments: the pointing table and its column.
CREATE FUNCTION records_keys_stay() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE kept bigint; named text := format('%s_%s_exists', TG_ARGV[0], TG_ARGV[1]);
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        EXECUTE format('SELECT %2$I FROM %1$I LIMIT 1', TG_ARGV[0], TG_ARGV[1]) INTO kept;
    ELSIF TG_OP = 'DELETE' THEN
        PERFORM 1 FROM gone LIMIT 1;
        IF NOT FOUND THEN RETURN NULL; END IF;
        EXECUTE format('SELECT g.id FROM gone g WHERE EXISTS (SELECT 1 FROM %1$I c WHERE c.%2$I = g.id) LIMIT 1',
                       TG_ARGV[0], TG_ARGV[1]) INTO kept;
    ELSE
        EXECUTE format('SELECT %2$I FROM %1$I WHERE %2$I = $1 LIMIT 1', TG_ARGV[0], TG_ARGV[1]) INTO kept USING OLD.id;
    END IF;
    IF kept IS NOT NULL THEN
        RAISE foreign_key_violation USING
            MESSAGE = format('update or delete on table "%s" violates foreign key constraint "%s" on table "%s"',
                             TG_TABLE_NAME, named, TG_ARGV[0]),
            DETAIL = format('Key (id)=(%s) is still referenced from table "%s".', kept, TG_ARGV[0]),
            TABLE = TG_ARGV[0], COLUMN = TG_ARGV[1], CONSTRAINT = named;
    END IF;
    -- An older snapshot does not see the row that somebody has just committed; a foreign key would look past it.
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE 'rows of "%" are deleted or renumbered in READ COMMITTED only', TG_TABLE_NAME
            USING ERRCODE = 'invalid_transaction_state';
    END IF;
    RETURN NULL;
END $$;
"""
POINTING = {
    "records_record": {
        "person_id": "accounts_person",
        "item_id": "catalogue_item",
        "provider_id": "accounts_organisation",
    },
    "records_recordversion": {
        "record_id": "records_record",
        "item_version_id": "catalogue_itemversion",
        "batch_id": "records_batch",
        "act_id": "records_recordact",
        "by_id": "accounts_user",
    },
}


def triggers() -> tuple[str, str]:
    """Return the statements that make and drop the triggers."""
    made, dropped = [EXIST], []
    for table, keys in POINTING.items():
        arguments = ", ".join(f"'{column}', '{target}'" for column, target in keys.items())
        for deed, tables in (("INSERT", "NEW TABLE AS fresh"), ("UPDATE", "NEW TABLE AS fresh OLD TABLE AS gone")):
            name = f"{table}_keys_on_{deed.lower()}"
            made.append(
                f"CREATE TRIGGER {name} AFTER {deed} ON {table} REFERENCING {tables}\n"
                f"    FOR EACH STATEMENT EXECUTE FUNCTION records_keys_exist({arguments});"
            )
            dropped.append(f"DROP TRIGGER {name} ON {table};")
        for column, target in keys.items():
            name, run = f"{table}_{column}", f"EXECUTE FUNCTION records_keys_stay('{table}', '{column}')"
            made += [
                f"CREATE TRIGGER {name}_not_deleted AFTER DELETE ON {target} REFERENCING OLD TABLE AS gone\n"
                f"    FOR EACH STATEMENT {run};",
                f"CREATE TRIGGER {name}_not_emptied AFTER TRUNCATE ON {target} {run};",
                f"CREATE TRIGGER {name}_not_renumbered AFTER UPDATE ON {target}\n"
                f"    FOR EACH ROW WHEN (OLD.id <> NEW.id) {run};",
            ]
            dropped += [
                f"DROP TRIGGER {name}_{what} ON {target};" for what in ("not_deleted", "not_emptied", "not_renumbered")
            ]
    dropped.append("DROP FUNCTION records_keys_exist(); DROP FUNCTION records_keys_stay();")
    return "\n".join(made), "\n".join(dropped)


def unchecked(model: str, name: str, to: str, words: str, **more: object) -> migrations.AlterField:
    """Return the change that leaves a key to the triggers."""
    field = models.ForeignKey(  # type: ignore[misc]
        to, django.db.models.deletion.PROTECT, db_constraint=False, verbose_name=words, **more
    )
    return migrations.AlterField(model, name, field)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_common"),
        ("catalogue", "0009_supply"),
        ("records", "0007_ways_out"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        unchecked("record", "person", "accounts.person", "自然人", db_index=False, related_name="records"),
        unchecked("record", "item", "catalogue.item", "目录条目", db_index=False, related_name="records"),
        unchecked("record", "provider", "accounts.organisation", "提供单位", db_index=False, related_name="records"),
        migrations.AlterField(
            "recordversion", "record",
            models.ForeignKey("records.record", django.db.models.deletion.PROTECT, db_constraint=False,
                              db_index=False, related_name="versions"),
        ),
        unchecked("recordversion", "item_version", "catalogue.itemversion", "规则版本", db_index=False),
        unchecked("recordversion", "batch", "records.batch", "批次", null=True, related_name="versions"),
        unchecked("recordversion", "act", "records.recordact", "办理单", null=True, db_index=False, related_name="versions"),
        unchecked("recordversion", "by", settings.AUTH_USER_MODEL, "办理人", db_index=False),
        migrations.RunSQL(*triggers()),
    ]  # fmt: skip

"""Saved mappings of columns, and batches that wait for one: who may say what, and what is fixed from when on."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

# Batches: the arrows of 0003 and those to and from `mapping`; all else as it was.
ARROWS = """
CREATE OR REPLACE FUNCTION records_batch_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE one_hand boolean;
BEGIN
    IF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN (
        ('received', 'parsing'), ('received', 'cancelled'), ('received', 'failed'),
        ('parsing', 'received'), ('parsing', 'checking'), ('parsing', 'refused'), ('parsing', 'cancelled'),
        ('parsing', 'failed'), %s('checking', 'checked'), ('checking', 'received'), ('checking', 'failed'),
        ('checked', 'committing'), ('checked', 'cancelled'), ('checked', 'received'),
        ('committing', 'committed'), ('committing', 'checked'),
        ('committed', 'withdrawing'), ('withdrawing', 'withdrawn'), ('withdrawing', 'committed'),
        ('failed', 'received'), ('failed', 'cancelled')
    ) THEN
        RAISE EXCEPTION 'batch may not go from %% to %%', OLD.state, NEW.state
            USING ERRCODE = 'check_violation', CONSTRAINT = 'batch_moves_along_its_arrows';
    END IF;
    IF (NEW.item_id, NEW.supplier_id, NEW.uploaded_by_id, NEW.file_id, NEW.channel)
       IS DISTINCT FROM (OLD.item_id, OLD.supplier_id, OLD.uploaded_by_id, OLD.file_id, OLD.channel) THEN
        RAISE EXCEPTION 'the origin of a batch never changes'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'batch_origin_is_fixed';
    END IF;
    IF NEW.committed_by_id IS NOT NULL AND NEW.committed_by_id = NEW.uploaded_by_id
       AND OLD.committed_by_id IS DISTINCT FROM NEW.committed_by_id THEN
        SELECT i.one_hand_by_command INTO one_hand FROM catalogue_item i WHERE i.id = NEW.item_id;
        IF NEW.channel <> 'command' OR NOT coalesce(one_hand, false) THEN
            RAISE EXCEPTION 'another officer commits'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'batch_committed_by_another';
        END IF;
    END IF;
    RETURN NEW;
END $$;
"""
MAPPING_ARROWS = "('parsing', 'mapping'), ('mapping', 'received'), ('mapping', 'cancelled'), "

RULES = """
-- The mapping of a batch: given by the officer who answers, or found while the file is opened; fixed from then on.
CREATE FUNCTION records_batch_mapping_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE given records_columnmapping; given_by bigint;
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.mapping_id IS NOT NULL OR NEW.mapped_by_id IS NOT NULL THEN
            PERFORM catalogue_refuse('batch_mapping_is_fixed', 'a batch begins without a mapping');
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.state = 'mapping' AND NEW.state = 'received' THEN
        SELECT u.organisation_id INTO given_by FROM accounts_user u WHERE u.id = NEW.mapped_by_id;
        IF NEW.mapping_id IS NULL OR NEW.rows_done <> 0 OR given_by IS DISTINCT FROM NEW.supplier_id THEN
            PERFORM catalogue_refuse('batch_is_mapped_by_its_supplier',
                'a batch that waits for a mapping goes on with one, given by an officer of its supplier');
        END IF;
    ELSIF (NEW.mapping_id, NEW.mapped_by_id) IS NOT DISTINCT FROM (OLD.mapping_id, OLD.mapped_by_id) THEN
        RETURN NEW;
    ELSIF OLD.state <> 'parsing' OR NEW.state <> 'parsing' OR OLD.mapping_id IS NOT NULL OR OLD.rows_done <> 0
        OR NEW.rows_done <> 0 OR NEW.mapped_by_id IS DISTINCT FROM OLD.mapped_by_id THEN
        PERFORM catalogue_refuse('batch_mapping_is_fixed', 'the mapping of a batch is fixed once its rows are read');
    END IF;
    SELECT * INTO given FROM records_columnmapping m WHERE m.id = NEW.mapping_id;
    IF (given.supplier_id, given.item_id) IS DISTINCT FROM (NEW.supplier_id, NEW.item_id) THEN
        PERFORM catalogue_refuse('batch_mapping_is_its_own', 'the mapping is of another supplier or item');
    END IF;
    IF given.retired_at IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM records_batch o WHERE o.id = NEW.correction_of_id AND o.mapping_id = NEW.mapping_id) THEN
        PERFORM catalogue_refuse('batch_mapping_is_active', 'a retired mapping reads corrections of its batches only');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER batch_mapping_guard BEFORE INSERT OR UPDATE ON records_batch
    FOR EACH ROW EXECUTE FUNCTION records_batch_mapping_guard();

-- A name or number under such a heading is somebody else's: records.intake.header.OTHER_PEOPLE, held alike by a test.
CREATE FUNCTION records_names_somebody_else(label text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT label ~ '法定代表人|负责人|代理人|监护人|举报|投诉|被害|受害|证人|联系|经办|执法|配偶|家属|担保'
$$;

-- A mapping feeds fields that the item in force has, each once and all required ones, never from a prohibited column
-- nor the person from somebody else's; its labels are headings, not data. What was said is not changed afterwards.
CREATE FUNCTION records_mapping_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE word text;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF to_jsonb(NEW) - '{name,retired_at,retired_by_id}'::text[]
           IS DISTINCT FROM to_jsonb(OLD) - '{name,retired_at,retired_by_id}'::text[] THEN
            PERFORM catalogue_refuse('mapping_is_kept', 'a saved mapping is not changed; another takes its place');
        END IF;
        IF OLD.retired_at IS NOT NULL
           AND (NEW.retired_at, NEW.retired_by_id) IS DISTINCT FROM (OLD.retired_at, OLD.retired_by_id) THEN
            PERFORM catalogue_refuse('mapping_retired_for_good', 'a retired mapping is not taken up again');
        END IF;
        IF NEW.retired_by_id IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM accounts_user u WHERE u.id = NEW.retired_by_id AND u.organisation_id = NEW.supplier_id) THEN
            PERFORM catalogue_refuse('mapping_of_its_supplier', 'only officers of the supplier retire its mapping');
        END IF;
        RETURN NEW;
    END IF;
    IF NOT EXISTS (SELECT 1 FROM accounts_user u WHERE u.id = NEW.saved_by_id AND u.organisation_id = NEW.supplier_id) THEN
        PERFORM catalogue_refuse('mapping_of_its_supplier', 'only officers of the supplier save its mapping');
    END IF;
    IF cardinality(NEW.labels) <> cardinality(NEW.codes) OR cardinality(NEW.labels) NOT BETWEEN 1 AND 200
       OR array_position(NEW.labels, NULL) IS NOT NULL OR array_position(NEW.codes, NULL) IS NOT NULL
       OR NEW.fingerprint <> encode(sha256(convert_to(array_to_string(NEW.labels, chr(31)), 'UTF8')), 'hex') THEN
        PERFORM catalogue_refuse('mapping_is_whole', 'labels, codes and fingerprint do not belong together');
    END IF;
    SELECT catalogue_prohibited_in(l) INTO word FROM unnest(NEW.labels) l WHERE catalogue_prohibited_in(l) IS NOT NULL LIMIT 1;
    IF word IS NOT NULL THEN
        PERFORM catalogue_refuse('mapping_takes_nothing_prohibited', format('prohibited: %s', word));
    END IF;
    IF EXISTS (SELECT 1 FROM unnest(NEW.labels) l WHERE l ~ '[0-9]{6}') THEN
        PERFORM catalogue_refuse('mapping_holds_headings_only', 'a heading has no number in it');
    END IF;
    IF NEW.item_version_id NOT IN (SELECT v.id FROM catalogue_itemversion v
        WHERE v.item_id = NEW.item_id AND v.id IN (SELECT catalogue_in_force(cf_today()))) THEN
        PERFORM catalogue_refuse('mapping_for_the_version_in_force', 'the version of the item is not in force');
    END IF;
    IF EXISTS (
        SELECT 1 FROM unnest(NEW.labels, NEW.codes) AS c(label, code)
          LEFT JOIN catalogue_field f ON f.item_version_id = NEW.item_version_id AND f.code = c.code
         WHERE c.code <> '' GROUP BY c.code HAVING count(*) > 1 OR bool_or(f.id IS NULL OR c.label = '')
    ) OR EXISTS (
        SELECT 1 FROM catalogue_field f
         WHERE f.item_version_id = NEW.item_version_id AND f.required AND f.code <> ALL (NEW.codes)
    ) THEN
        PERFORM catalogue_refuse('mapping_feeds_each_field_once', 'each field once, required ones all, from a column with a heading');
    END IF;
    IF EXISTS (
        SELECT 1 FROM unnest(NEW.labels, NEW.codes) AS c(label, code)
          JOIN catalogue_field f ON f.item_version_id = NEW.item_version_id AND f.code = c.code
         WHERE f.binds IN ('person_name', 'id_number') AND records_names_somebody_else(c.label)
    ) THEN
        PERFORM catalogue_refuse('mapping_takes_nobody_else', 'the column names somebody else than the person');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER mapping_guard BEFORE INSERT OR UPDATE ON records_columnmapping
    FOR EACH ROW EXECUTE FUNCTION records_mapping_guard();
CREATE TRIGGER mapping_is_kept BEFORE DELETE ON records_columnmapping FOR EACH ROW EXECUTE FUNCTION cf_refuse_change();
CREATE TRIGGER mapping_no_truncate BEFORE TRUNCATE ON records_columnmapping EXECUTE FUNCTION cf_refuse_change();
"""
UNDONE = """
DROP TRIGGER mapping_no_truncate ON records_columnmapping;
DROP TRIGGER mapping_is_kept ON records_columnmapping;
DROP TRIGGER mapping_guard ON records_columnmapping;
DROP FUNCTION records_mapping_guard();
DROP FUNCTION records_names_somebody_else(text);
DROP TRIGGER batch_mapping_guard ON records_batch;
DROP FUNCTION records_batch_mapping_guard();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_whose_account"),
        ("catalogue", "0009_supply"),
        ("records", "0012_persons"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="batch",
            name="mapped_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="对应列的人",
            ),
        ),
        migrations.AlterField(
            model_name="batch",
            name="state",
            field=models.CharField(
                choices=[
                    ("received", "已接收"),
                    ("parsing", "解析中"),
                    ("mapping", "待对应列"),
                    ("checking", "校验中"),
                    ("checked", "待提交"),
                    ("committing", "提交中"),
                    ("committed", "已入库"),
                    ("withdrawing", "撤回中"),
                    ("withdrawn", "已撤回"),
                    ("refused", "文件被退回"),
                    ("cancelled", "已取消"),
                    ("failed", "处理中断"),
                ],
                default="received",
                max_length=12,
                verbose_name="状态",
            ),
        ),
        migrations.CreateModel(
            name="ColumnMapping",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=60, verbose_name="名称")),
                ("fingerprint", models.CharField(max_length=64, verbose_name="表头指纹")),
                (
                    "labels",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(blank=True, max_length=100), size=None, verbose_name="列名"
                    ),
                ),
                (
                    "codes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(blank=True, max_length=30), size=None, verbose_name="数据项"
                    ),
                ),
                (
                    "saved_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name="保存时间"),
                ),
                ("retired_at", models.DateTimeField(blank=True, null=True, verbose_name="停用时间")),
                (
                    "item",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="column_mappings",
                        to="catalogue.item",
                        verbose_name="目录条目",
                    ),
                ),
                (
                    "item_version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="catalogue.itemversion",
                        verbose_name="对应时的条目版本",
                    ),
                ),
                (
                    "retired_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="停用人",
                    ),
                ),
                (
                    "saved_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="保存人",
                    ),
                ),
                (
                    "supplier",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="column_mappings",
                        to="accounts.organisation",
                        verbose_name="报送单位",
                    ),
                ),
            ],
            options={
                "verbose_name": "列对应",
                "verbose_name_plural": "列对应",
                "db_table_comment": "kept: how the columns of a supplier's sheets were read",
                "ordering": ["-id"],
                "default_permissions": (),
            },
        ),
        migrations.AddField(
            model_name="batch",
            name="mapping",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="batches",
                to="records.columnmapping",
                verbose_name="列对应",
            ),
        ),
        migrations.AddConstraint(
            model_name="batch",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("mapped_by__isnull", True),
                    ("committed_by__isnull", True),
                    models.Q(("mapped_by", models.F("committed_by")), _negated=True),
                    _connector="OR",
                ),
                name="batch_committed_by_another_than_mapped_it",
            ),
        ),
        migrations.AddConstraint(
            model_name="batch",
            constraint=models.CheckConstraint(
                condition=models.Q(models.Q(("state", "mapping"), _negated=True), ("channel", "page"), _connector="OR"),
                name="batch_waits_for_mapping_on_the_page_only",
            ),
        ),
        migrations.AddIndex(
            model_name="columnmapping",
            index=models.Index(fields=["supplier", "item"], name="mapping_by_supplier_and_item"),
        ),
        migrations.AddConstraint(
            model_name="columnmapping",
            constraint=models.UniqueConstraint(
                condition=models.Q(("retired_at__isnull", True)),
                fields=("supplier", "item", "fingerprint"),
                name="mapping_once_per_header",
                violation_error_message="这个表头已有保存的列对应。",
            ),
        ),
        migrations.AddConstraint(
            model_name="columnmapping",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("retired_at__isnull", True), ("retired_by__isnull", True)),
                    models.Q(("retired_at__isnull", False), ("retired_by__isnull", False)),
                    _connector="OR",
                ),
                name="mapping_retired_by_somebody",
            ),
        ),
        migrations.AddConstraint(
            model_name="columnmapping",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("name", ""), _negated=True), models.Q(("name__regex", "[0-9]{9}"), _negated=True)
                ),
                name="mapping_has_a_name_without_numbers",
                violation_error_message="名称不能为空，也不能含有长号码。",
            ),
        ),
        migrations.RunSQL(ARROWS % MAPPING_ARROWS + RULES, ARROWS % "" + UNDONE),
    ]

"""Lists of records: searches, views, work lists, jobs; and which records stand on a page, found by indexes."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

INDEXES = """
-- One index for lists by item, by provider and by decision date, and for their keyset; it also serves who looks for an
-- item's providers. The index of public documents gives way to one of all documents: exact and by their beginning.
CREATE INDEX record_list ON records_record (item_id, provider_id, doc_date, id);
CREATE INDEX record_by_document ON records_record (doc_no text_pattern_ops);
DROP INDEX records_public_document;
CREATE INDEX record_public_until ON records_record (item_id, upper(publication), id) WHERE publication IS NOT NULL;
"""
INDEXES_UNDONE = """
DROP INDEX record_public_until;
CREATE INDEX records_public_document ON records_record (doc_no) WHERE publication IS NOT NULL;
DROP INDEX record_by_document;
DROP INDEX record_list;
"""
PAGE = r"""
-- The items of a registered list that its organisation may still read today; raises when the list is not open to the
-- reader who wrote this transaction's query line. No log, no list.
CREATE FUNCTION records_items_of_list(line bigint, registered bigint, OUT items bigint[], OUT provider bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE list record;
BEGIN
    SELECT r.reach, r.organisation_id, o.group_id INTO list
      FROM access_query q
      JOIN access_request r ON r.id = q.request_no AND r.actor_id = q.actor_id
      JOIN accounts_user u ON u.id = r.actor_id AND u.is_active AND u.organisation_id = r.organisation_id
      JOIN accounts_organisation o ON o.id = r.organisation_id
     WHERE q.seq = line AND q.at = transaction_timestamp() AND q.decision = 'allowed' AND q.kind = 'Q5'
       AND r.id = registered AND r.reach <> 'person' AND r.expires_at > transaction_timestamp();
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no open list of this reader, or no query line in this transaction'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    SELECT coalesce(array_agg(i.item_id), '{}') INTO items FROM access_request_items i
     WHERE i.request_id = registered
       AND i.item_id <> ALL (catalogue_withdrawn_items() || catalogue_withheld_items())
       AND EXISTS (
           SELECT 1 FROM guardian_groupobjectpermission g
             JOIN auth_permission p ON p.id = g.permission_id
             JOIN django_content_type t ON t.id = g.content_type_id AND t.app_label = 'catalogue' AND t.model = 'item'
            WHERE g.group_id = list.group_id AND g.object_pk = i.item_id::text
              AND p.codename = CASE list.reach WHEN 'supplied' THEN 'supply_item' ELSE 'query_item' END);
    IF list.reach = 'supplied' THEN
        provider := list.organisation_id;
    END IF;
END $$;

-- One page of a list: ids in order, then, when there is more, a line without a person whose id is where to go on. That
-- line's id is 0 when the search is too wide to be answered. `after` is the record to go on from.
-- Every page looks at no more than `budget` entries of the index; a page may hold fewer records than asked for and
-- still say where to go on, so that no filter, however rare what it looks for, becomes a scan.
CREATE FUNCTION records_page(line bigint, registered bigint, filters jsonb, after bigint, newer boolean, size int)
RETURNS TABLE (record_id bigint, person_id bigint, item_id bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    budget CONSTANT int := 20000;
    few CONSTANT int := 3000;
    allowed bigint[]; own bigint; providers bigint[]; names bigint[]; documents bigint[];
    source text; key text := 'r.doc_date'; base text; conditions text; pairs text; statement text;
    from_key date; from_id bigint; first_day date; last_day date; first_key date; last_key date;
    ascending boolean; way text; past text; within text;
BEGIN
    IF size IS NULL OR size NOT BETWEEN 1 AND 50 THEN
        RAISE EXCEPTION 'a page holds at most 50 records' USING ERRCODE = 'check_violation';
    END IF;
    SELECT l.items, l.provider INTO allowed, own FROM records_items_of_list(line, registered) l;
    IF filters ? 'items' THEN
        allowed := ARRAY(SELECT unnest(allowed) INTERSECT SELECT i::bigint FROM jsonb_array_elements_text(filters -> 'items') i);
    END IF;
    IF own IS NOT NULL THEN
        providers := ARRAY[own];
    ELSIF filters ? 'providers' THEN
        providers := ARRAY(SELECT i::bigint FROM jsonb_array_elements_text(filters -> 'providers') i);
    END IF;
    first_day := coalesce((filters ->> 'from')::date, '-infinity');
    last_day := coalesce((filters ->> 'until')::date, 'infinity');
    conditions := 'records_is_in_use(r.state, r.usable_from, r.hidden_at) AND r.query_until > cf_today() AND r.doc_date BETWEEN $4 AND $5 AND r.id <> ALL ($13)';
    IF providers IS NOT NULL THEN
        conditions := conditions || ' AND r.provider_id = ANY ($3)';
    END IF;
    IF filters ? 'severity' THEN
        conditions := conditions || format(' AND r.severity = %L::smallint', filters ->> 'severity');
    END IF;
    IF filters ? 'public' THEN
        conditions := conditions || ' AND r.publication @> cf_today()';
    END IF;

    -- Few: a person, a record, a document or a rare name; all of them are found, then put in order.
    IF filters ? 'person' THEN
        source := format('records_record r WHERE r.person_id = %L::bigint AND r.item_id = ANY ($1)', filters ->> 'person');
    ELSIF filters ? 'record' THEN
        source := format('records_record r WHERE r.id = %L::bigint AND r.item_id = ANY ($1)', filters ->> 'record');
    ELSIF filters ? 'doc_no' THEN
        source := format('records_record r WHERE r.doc_no = %L AND r.item_id = ANY ($1)', filters ->> 'doc_no');
    ELSIF filters ? 'doc_start' THEN
        documents := ARRAY(SELECT r.id FROM records_record r WHERE starts_with(r.doc_no, filters ->> 'doc_start')
            AND r.doc_no ~>=~ (filters ->> 'doc_start') AND r.doc_no ~<~ ((filters ->> 'doc_start') || chr(1114109))
            AND r.item_id = ANY (allowed) LIMIT few + 1);
        IF cardinality(documents) > few THEN
            RETURN QUERY SELECT 0::bigint, NULL::bigint, NULL::bigint;
            RETURN;
        END IF;
        source := 'records_record r WHERE r.id = ANY ($7)';
    ELSIF filters ? 'name' THEN
        names := ARRAY(SELECT p.id FROM accounts_person p WHERE cf_bigrams(p.name) @> cf_bigrams(filters ->> 'name')
            AND strpos(p.name, filters ->> 'name') > 0 LIMIT few + 1);
        IF cardinality(names) <= few THEN
            source := 'records_record r WHERE r.person_id = ANY ($6) AND r.item_id = ANY ($1)';
        ELSE  -- a frequent name is soon met: walk the list and look at each person
            conditions := conditions || format(
                ' AND strpos((SELECT p.name FROM accounts_person p WHERE p.id = r.person_id), %L) > 0', filters ->> 'name');
        END IF;
    END IF;

    ascending := newer;
    IF filters ? 'ends_within' AND source IS NULL THEN
        key := 'upper(r.publication)';
        ascending := NOT newer;  -- what ends first stands first
        base := format('r.item_id = p.item_id AND r.publication IS NOT NULL AND upper(r.publication) > cf_today() '
            'AND upper(r.publication) <= cf_today() + %L::int', filters ->> 'ends_within');
        pairs := 'SELECT i AS item_id, 0::bigint AS provider_id FROM unnest($1) i';
    ELSE
        IF filters ? 'ends_within' THEN
            conditions := conditions || format(' AND upper(r.publication) > cf_today() '
                'AND upper(r.publication) <= cf_today() + %L::int', filters ->> 'ends_within');
        END IF;
        base := 'r.item_id = p.item_id AND r.provider_id = p.provider_id AND r.doc_date BETWEEN $4 AND $5';
        pairs := 'WITH RECURSIVE met(item_id, provider_id) AS (
            SELECT i, (SELECT r.provider_id FROM records_record r WHERE r.item_id = i ORDER BY r.provider_id LIMIT 1)
              FROM unnest($1) i
            UNION ALL
            SELECT m.item_id, (SELECT r.provider_id FROM records_record r WHERE r.item_id = m.item_id
                                  AND r.provider_id > m.provider_id ORDER BY r.provider_id LIMIT 1)
              FROM met m WHERE m.provider_id IS NOT NULL
        ) SELECT item_id, provider_id FROM met WHERE provider_id IS NOT NULL'
            || CASE WHEN providers IS NULL THEN '' ELSE ' AND provider_id = ANY ($3)' END;
    END IF;
    IF after IS NOT NULL THEN
        EXECUTE format('SELECT %s, r.id FROM records_record r WHERE r.id = $1', key) INTO from_key, from_id USING after;
    END IF;
    -- The range's own end is where to begin: of two bounds of one kind the index would take either.
    IF key <> 'r.doc_date' THEN
        first_key := '-infinity'; last_key := 'infinity';
    ELSE
        first_key := first_day; last_key := last_day;
    END IF;
    IF ascending THEN
        way := 'ASC'; past := '>'; within := '<=';
        IF from_key IS NULL OR from_key < first_key THEN
            from_key := first_key; from_id := 0;
        END IF;
    ELSE
        way := 'DESC'; past := '<'; within := '>=';
        IF from_key IS NULL OR from_key > last_key THEN
            from_key := last_key; from_id := 9223372036854775807;
        END IF;
    END IF;

    IF source IS NOT NULL THEN
        statement := format('WITH cuts AS (SELECT NULL::date AS k, NULL::bigint AS id WHERE false), hits AS MATERIALIZED (
            SELECT 0::bigint AS a, 0::bigint AS b, r.id, r.person_id, r.item_id, %1$s AS k FROM %2$s AND %3$s
               AND (%1$s, r.id) %4$s ($8, $9) ORDER BY k %5$s, r.id %5$s LIMIT $2 + 1),
            edge AS (SELECT k, id FROM cuts)', key, source, conditions, past, way);
    ELSE
        statement := format('WITH pairs AS MATERIALIZED (%6$s),
            cuts AS MATERIALIZED (
                SELECT p.item_id AS a, p.provider_id AS b, c.k, c.id FROM pairs p LEFT JOIN LATERAL (
                    SELECT %1$s AS k, r.id FROM records_record r WHERE %2$s AND (%1$s, r.id) %4$s ($8, $9)
                     ORDER BY %1$s %5$s, r.id %5$s
                    OFFSET (SELECT greatest(100, $10 / greatest(count(*), 1)) FROM pairs) LIMIT 1) c ON true),
            hits AS MATERIALIZED (
                SELECT p.a, p.b, h.* FROM (SELECT a, b, a AS item_id, b AS provider_id, k, id FROM cuts) p CROSS JOIN LATERAL (
                    SELECT r.id, r.person_id, r.item_id, %1$s AS k FROM records_record r
                     WHERE %2$s AND (%1$s, r.id) %4$s ($8, $9)
                       AND (%1$s, r.id) %7$s (coalesce(p.k, $11), coalesce(p.id, $12)) AND %3$s
                     ORDER BY %1$s %5$s, r.id %5$s LIMIT $2 + 1) h),
            edge AS MATERIALIZED (  -- beyond the nearest cut nothing is known yet
                SELECT c.k, c.id FROM cuts c WHERE c.id IS NOT NULL
                   AND (SELECT count(*) FROM hits h WHERE h.a = c.a AND h.b = c.b) <= $2
                 ORDER BY c.k %5$s, c.id %5$s LIMIT 1)', key, base, conditions, past, way, pairs, within);
    END IF;
    statement := statement || format(', page AS MATERIALIZED (
            SELECT h.id, h.person_id, h.item_id, row_number() OVER (ORDER BY h.k %2$s, h.id %2$s) AS n FROM hits h
             WHERE NOT EXISTS (SELECT 1 FROM edge e WHERE (h.k, h.id) %1$s (e.k, e.id))
             ORDER BY n LIMIT $2 + 1), met AS (SELECT count(*) AS n FROM page)
        SELECT l.id, l.person_id, l.item_id FROM (
            SELECT id, person_id, item_id, n FROM page WHERE n <= $2
            UNION ALL SELECT p.id, NULL, NULL, $2 + 1 FROM page p, met WHERE met.n > $2 AND p.n = $2
            UNION ALL SELECT e.id, NULL, NULL, $2 + 1 FROM edge e, met WHERE met.n <= $2) l ORDER BY l.n', past, way);
    RETURN QUERY EXECUTE statement USING allowed, size, providers, first_day, last_day, names, documents, from_key, from_id,
        budget, CASE WHEN ascending THEN last_key ELSE first_key END,
        CASE WHEN ascending THEN 9223372036854775807 ELSE 0::bigint END, records_unsound();
END $$;
"""
KEPT = """
-- Which of these records are in life and supplied by the organisation or open to it: their keys and numbers only.
CREATE FUNCTION records_kept(organisation bigint, keys bigint[]) RETURNS TABLE (record_id bigint, number text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT r.id, records_number(r.id, r.created_at) FROM records_record r
     WHERE r.id = ANY (keys) AND r.id <> ALL ((SELECT records_unsound())::bigint[])
       AND records_is_in_use(r.state, r.usable_from, r.hidden_at) AND r.query_until > cf_today()
       AND r.item_id <> ALL ((SELECT catalogue_withdrawn_items() || catalogue_withheld_items())::bigint[])
       AND (r.provider_id = organisation OR EXISTS (
           SELECT 1 FROM guardian_groupobjectpermission g
             JOIN accounts_organisation o ON o.group_id = g.group_id AND o.id = organisation
             JOIN auth_permission p ON p.id = g.permission_id AND p.codename = 'query_item'
             JOIN django_content_type t ON t.id = g.content_type_id AND t.app_label = 'catalogue' AND t.model = 'item'
            WHERE g.object_pk = r.item_id::text))
$$;
"""
PAGE_UNDONE = """
DROP FUNCTION records_page(bigint, bigint, jsonb, bigint, boolean, int);
DROP FUNCTION records_items_of_list(bigint, bigint);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("records", "0008_set_based_keys"),
        ("access", "0004_lists"),
        ("accounts", "0004_name_bigrams"),
        ("guardian", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="BulkJob",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=20, verbose_name="办理事项")),
                ("params", models.JSONField(default=dict, verbose_name="参数")),
                (
                    "record_ids",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), size=None, verbose_name="记录"
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "已排队"),
                            ("running", "进行中"),
                            ("done", "已完成"),
                            ("cancelled", "已取消"),
                            ("failed", "处理中断"),
                        ],
                        default="waiting",
                        max_length=10,
                        verbose_name="状态",
                    ),
                ),
                ("done", models.PositiveIntegerField(default=0, verbose_name="已处理")),
                ("cancel_requested", models.BooleanField(default=False, verbose_name="要求取消")),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="提交时间")),
                ("ended_at", models.DateTimeField(null=True, verbose_name="结束时间")),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="bulk_jobs",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="办理人",
                    ),
                ),
                (
                    "request",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="access.request",
                        verbose_name="查询登记",
                    ),
                ),
            ],
            options={
                "verbose_name": "批量办理",
                "verbose_name_plural": "批量办理",
                "ordering": ["-id"],
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="BulkOutcome",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("record_id", models.BigIntegerField(verbose_name="记录")),
                ("done", models.BooleanField(verbose_name="已办理")),
                ("note", models.CharField(max_length=100, verbose_name="说明")),
                (
                    "job",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="outcomes",
                        to="records.bulkjob",
                        verbose_name="批量办理",
                    ),
                ),
            ],
            options={
                "verbose_name": "办理结果",
                "verbose_name_plural": "办理结果",
                "ordering": ["id"],
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="ListSearch",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "by",
                    models.CharField(
                        choices=[
                            ("number", "证件号码"),
                            ("name", "姓名"),
                            ("document", "文书号"),
                            ("document_start", "文书号开头"),
                            ("record", "记录编号"),
                        ],
                        max_length=16,
                        verbose_name="检索方式",
                    ),
                ),
                ("text", models.CharField(blank=True, max_length=200, verbose_name="检索词")),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="时间")),
                (
                    "person",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="accounts.person",
                        verbose_name="自然人",
                    ),
                ),
                (
                    "request",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="searches",
                        to="access.request",
                        verbose_name="查询登记",
                    ),
                ),
            ],
            options={
                "verbose_name": "列表检索",
                "verbose_name_plural": "列表检索",
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="SavedView",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=40, verbose_name="名称")),
                ("filters", models.JSONField(default=dict, verbose_name="筛选条件")),
                ("is_default", models.BooleanField(default=False, verbose_name="默认")),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="保存时间")),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="saved_views",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="所有人",
                    ),
                ),
            ],
            options={
                "verbose_name": "列表视图",
                "verbose_name_plural": "列表视图",
                "ordering": ["name"],
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="WorkList",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("title", models.CharField(max_length=60, verbose_name="名称")),
                ("due_on", models.DateField(verbose_name="完成期限")),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="建立时间")),
                (
                    "assigned_to",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="work_lists",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="核对人",
                    ),
                ),
                (
                    "job",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="work_list",
                        to="records.bulkjob",
                        verbose_name="批量办理",
                    ),
                ),
                (
                    "made_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="建立人",
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organisation",
                        verbose_name="单位",
                    ),
                ),
            ],
            options={
                "verbose_name": "核对名单",
                "verbose_name_plural": "核对名单",
                "ordering": ["-id"],
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="WorkListEntry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("record_id", models.BigIntegerField(verbose_name="记录")),
                ("number", models.CharField(max_length=20, verbose_name="记录编号")),
                (
                    "finding",
                    models.CharField(
                        choices=[("open", "待核对"), ("agrees", "与案卷一致"), ("differs", "与案卷不一致")],
                        default="open",
                        max_length=8,
                        verbose_name="结果",
                    ),
                ),
                ("note", models.CharField(blank=True, max_length=200, verbose_name="说明")),
                ("checked_at", models.DateTimeField(null=True, verbose_name="核对时间")),
                (
                    "work_list",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="entries",
                        to="records.worklist",
                        verbose_name="核对名单",
                    ),
                ),
            ],
            options={
                "verbose_name": "核对项",
                "verbose_name_plural": "核对项",
                "ordering": ["record_id"],
                "default_permissions": (),
            },
        ),
        migrations.AddConstraint(
            model_name="bulkjob",
            constraint=models.CheckConstraint(
                condition=models.Q(("done__lte", models.Func(models.F("record_ids"), function="cardinality"))),
                name="bulkjob_done_within_its_records",
            ),
        ),
        migrations.AddConstraint(
            model_name="bulkoutcome",
            constraint=models.UniqueConstraint(fields=("job", "record_id"), name="bulkoutcome_once_per_record"),
        ),
        migrations.AddConstraint(
            model_name="listsearch",
            constraint=models.CheckConstraint(
                condition=models.Q(models.Q(("by", "number"), _negated=True), ("text", ""), _connector="OR"),
                name="listsearch_never_keeps_a_number",
            ),
        ),
        migrations.AddConstraint(
            model_name="savedview",
            constraint=models.UniqueConstraint(
                fields=("owner", "name"),
                name="savedview_name_is_the_owners_only_one",
                violation_error_message="您已有同名的视图，请换一个名称。",
            ),
        ),
        migrations.AddConstraint(
            model_name="savedview",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_default", True)), fields=("owner",), name="savedview_one_default_per_owner"
            ),
        ),
        migrations.AddConstraint(
            model_name="worklistentry",
            constraint=models.UniqueConstraint(fields=("work_list", "record_id"), name="worklistentry_once_per_list"),
        ),
        migrations.AddConstraint(
            model_name="worklistentry",
            constraint=models.CheckConstraint(
                condition=models.Q(("finding", "open"), ("checked_at__isnull", False), _connector="OR"),
                name="worklistentry_checked_at_a_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="worklistentry",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("finding", "differs"), _negated=True),
                    models.Q(("note", ""), _negated=True),
                    _connector="OR",
                ),
                name="worklistentry_difference_is_said",
            ),
        ),
        migrations.RunSQL(INDEXES, INDEXES_UNDONE),
        migrations.RunSQL(PAGE, PAGE_UNDONE),
        migrations.RunSQL(KEPT, "DROP FUNCTION records_kept(bigint, bigint[]);"),
    ]

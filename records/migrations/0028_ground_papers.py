"""The scans behind readings for others and for courts, and that whoever decides has looked at them."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

SQL = """
-- The scan comes with its entry.
CREATE FUNCTION records_groundpaper_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.at := transaction_timestamp();
    IF NOT EXISTS (SELECT 1 FROM access_authority a
                    WHERE a.id = NEW.authority_id AND a.state = 'entered' AND a.entered_at = transaction_timestamp())
       AND NOT EXISTS (SELECT 1 FROM access_officialletter l
                        WHERE l.id = NEW.letter_id AND l.state = 'entered' AND l.registered_at = transaction_timestamp()) THEN
        PERFORM catalogue_refuse('groundpaper_comes_with_its_entry', 'the scan comes with what it is the ground of');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER groundpaper_guard BEFORE INSERT ON records_groundpaper FOR EACH ROW EXECUTE FUNCTION records_groundpaper_guard();
CREATE TRIGGER groundpaper_append_only BEFORE UPDATE OR DELETE ON records_groundpaper
    FOR EACH ROW EXECUTE FUNCTION cf_refuse_change();
CREATE TRIGGER groundpaper_no_truncate BEFORE TRUNCATE ON records_groundpaper EXECUTE FUNCTION cf_refuse_change();

-- Whoever decides has opened the scan since then: lines of theirs, about a person of it, that opened no record, say so.
CREATE FUNCTION records_ground_was_opened(line_kind text, number text, who bigint, since timestamptz, after bigint DEFAULT 0) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (
        SELECT 1 FROM access_query q JOIN access_queryperson l ON l.query_id = q.seq AND l.at = q.at
         WHERE q.actor_id = who AND q.at >= since AND q.seq > after AND q.kind = line_kind AND q.case_no = number
           AND l.allowed AND cardinality(l.items) = 0)
$$;
CREATE FUNCTION records_authority_was_opened() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM records_groundpaper p WHERE p.authority_id = NEW.id)
       OR NOT records_ground_was_opened('Q5', NEW.number, NEW.decided_by_id, NEW.entered_at) THEN
        PERFORM catalogue_refuse('authority_was_looked_at', 'whoever decides has opened the papers');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER authority_was_opened BEFORE UPDATE ON access_authority FOR EACH ROW
    WHEN (OLD.state = 'entered' AND NEW.state IN ('approved', 'refused')) EXECUTE FUNCTION records_authority_was_opened();
CREATE FUNCTION records_letter_was_opened() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM records_groundpaper p WHERE p.letter_id = NEW.id)
       OR NOT records_ground_was_opened('Q7', NEW.number, NEW.decided_by_id, NEW.registered_at) THEN
        PERFORM catalogue_refuse('officialletter_was_looked_at', 'whoever decides has opened the letter');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER officialletter_was_opened BEFORE UPDATE ON access_officialletter FOR EACH ROW
    WHEN (OLD.state = 'entered' AND NEW.state <> 'entered') EXECUTE FUNCTION records_letter_was_opened();
CREATE FUNCTION records_extension_was_opened() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT records_ground_was_opened('Q7', (SELECT l.number FROM access_officialletter l WHERE l.id = NEW.letter_id),
                                     NEW.decided_by_id, NEW.asked_at, NEW.asked_after) THEN
        PERFORM catalogue_refuse('holdextension_was_looked_at', 'whoever decides has opened the letter again');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER holdextension_was_opened BEFORE UPDATE ON access_holdextension FOR EACH ROW
    WHEN (OLD.state = 'asked' AND NEW.state = 'confirmed') EXECUTE FUNCTION records_extension_was_opened();
"""
UNDONE = """
DROP TRIGGER holdextension_was_opened ON access_holdextension;
DROP FUNCTION records_extension_was_opened();
DROP TRIGGER officialletter_was_opened ON access_officialletter;
DROP FUNCTION records_letter_was_opened();
DROP TRIGGER authority_was_opened ON access_authority;
DROP FUNCTION records_authority_was_opened();
DROP FUNCTION records_ground_was_opened(text, text, bigint, timestamptz, bigint);
DROP TRIGGER groundpaper_no_truncate ON records_groundpaper;
DROP TRIGGER groundpaper_append_only ON records_groundpaper;
DROP TRIGGER groundpaper_guard ON records_groundpaper;
DROP FUNCTION records_groundpaper_guard();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("access", "0010_agents_and_letters"),
        ("records", "0027_mixed_corrections"),
    ]

    operations = [
        migrations.CreateModel(
            name="GroundPaper",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "type",
                    models.CharField(
                        choices=[("pdf", "PDF"), ("jpg", "JPEG"), ("png", "PNG")], max_length=3, verbose_name="文件类型"
                    ),
                ),
                (
                    "at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name="收件时间"),
                ),
                (
                    "authority",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="paper",
                        to="access.authority",
                        verbose_name="代理人、近亲属查询",
                    ),
                ),
                (
                    "file",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="records.sealedfile",
                        verbose_name="扫描件",
                    ),
                ),
                (
                    "letter",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="paper",
                        to="access.officialletter",
                        verbose_name="公函",
                    ),
                ),
            ],
            options={
                "verbose_name": "查询依据材料",
                "verbose_name_plural": "查询依据材料",
                "db_table_comment": "append-only: the scans that readings for others and for courts rest on",
                "ordering": ["-id"],
                "default_permissions": (),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("authority__isnull", False), ("letter__isnull", True)),
                            models.Q(("authority__isnull", True), ("letter__isnull", False)),
                            _connector="OR",
                        ),
                        name="groundpaper_is_of_one_ground",
                    )
                ],
            },
        ),
        migrations.RunSQL(SQL, UNDONE),
    ]

"""The scan of a consent given on paper, and that its reviewer has looked at it."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

SQL = """
-- A consent on paper is good only with its scan, and its reviewer has opened that: a line in the query log says so.
CREATE FUNCTION records_consent_on_paper() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM records_consentpaper p WHERE p.consent_id = NEW.id) OR NOT EXISTS (
        SELECT 1 FROM access_query q JOIN access_queryperson l ON l.query_id = q.seq AND l.at = q.at
         WHERE l.person_id = NEW.person_id AND l.allowed AND l.at >= NEW.asked_at AND q.kind = 'Q5'
           AND q.actor_id = NEW.decided_by_id AND q.consent_no = NEW.number) THEN
        PERFORM catalogue_refuse('consent_on_paper_was_looked_at', 'whoever checks a paper has opened its scan');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER consent_on_paper BEFORE UPDATE ON access_consent FOR EACH ROW
    WHEN (OLD.state = 'entered' AND NEW.state IN ('granted', 'returned')) EXECUTE FUNCTION records_consent_on_paper();

-- The paper comes with its entry, before anybody has decided.
CREATE FUNCTION records_consentpaper_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.at := transaction_timestamp();
    IF NEW.signed_on > cf_today() OR NOT EXISTS (
        SELECT 1 FROM access_consent c WHERE c.id = NEW.consent_id AND c.state = 'entered' AND c.channel = 'paper') THEN
        PERFORM catalogue_refuse('consentpaper_comes_with_its_entry', 'a scan comes with the entry of its paper');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER consentpaper_guard BEFORE INSERT ON records_consentpaper FOR EACH ROW EXECUTE FUNCTION records_consentpaper_guard();
CREATE TRIGGER consentpaper_append_only BEFORE UPDATE OR DELETE ON records_consentpaper
    FOR EACH ROW EXECUTE FUNCTION cf_refuse_change();
CREATE TRIGGER consentpaper_no_truncate BEFORE TRUNCATE ON records_consentpaper EXECUTE FUNCTION cf_refuse_change();
"""
UNDONE = """
DROP TRIGGER consent_on_paper ON access_consent;
DROP FUNCTION records_consent_on_paper();
DROP TRIGGER consentpaper_no_truncate ON records_consentpaper;
DROP TRIGGER consentpaper_append_only ON records_consentpaper;
DROP TRIGGER consentpaper_guard ON records_consentpaper;
DROP FUNCTION records_consentpaper_guard();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("access", "0005_consents"),
        ("records", "0024_named_exports"),
    ]

    operations = [
        migrations.CreateModel(
            name="ConsentPaper",
            fields=[
                (
                    "consent",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="paper",
                        serialize=False,
                        to="access.consent",
                        verbose_name="授权",
                    ),
                ),
                (
                    "type",
                    models.CharField(
                        choices=[("pdf", "PDF"), ("jpg", "JPEG"), ("png", "PNG")], max_length=3, verbose_name="文件类型"
                    ),
                ),
                ("signed_on", models.DateField(verbose_name="签署日期")),
                (
                    "at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name="录入时间"),
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
            ],
            options={
                "verbose_name": "纸质授权书",
                "verbose_name_plural": "纸质授权书",
                "db_table_comment": "append-only: the scan of every consent given on paper",
                "ordering": ["-consent"],
                "default_permissions": (),
            },
        ),
        migrations.RunSQL(SQL, UNDONE),
    ]

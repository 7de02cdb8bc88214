"""An institution may ask whether no adverse record was in force for some years: one answer over all that its purpose reaches.

It opens no record, and it is over the same items each time, so that nobody finds out by asking again which one stands.
"""

from django.conf import settings
from django.db import migrations, models

FORMS = """
DO $do$
BEGIN
    EXECUTE replace(pg_get_functiondef('access_consentuse_guard()'::regprocedure), $a${before}$a$, $b${after}$b$);
END $do$;
"""
NARROW, WIDE = "'{attest,summary,full}'", "'{years,attest,summary,full}'"
RULES = """
-- The adverse items that a purpose may reach today: what an answer over years is about.
CREATE FUNCTION access_adverse_items_for(purpose text) RETURNS bigint[] LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT coalesce(array_agg(i.id ORDER BY i.id), '{}') FROM catalogue_item i
     WHERE i.polarity = 'N' AND i.id = ANY (access_items_for(purpose))
$$;

-- It is asked for over all of them and granted over all that may still be given; the person says yes or no, not to which.
CREATE FUNCTION access_consent_over_years() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE reached bigint[] := access_adverse_items_for(NEW.purpose_id); over bigint[];
BEGIN
    over := CASE TG_OP WHEN 'INSERT' THEN NEW.asked_items ELSE NEW.items END;
    IF TG_OP = 'UPDATE' THEN
        reached := ARRAY(SELECT unnest(NEW.asked_items) INTERSECT SELECT unnest(access_items_for(NEW.purpose_id)));
    END IF;
    IF NOT (over <@ reached AND reached <@ over) THEN
        PERFORM catalogue_refuse('consent_over_years_is_over_all', 'an answer over years is over all adverse items of its purpose');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER consent_over_years_asked BEFORE INSERT ON access_consent FOR EACH ROW
    WHEN (NEW.asked_form = 'years') EXECUTE FUNCTION access_consent_over_years();
CREATE TRIGGER consent_over_years_granted BEFORE UPDATE ON access_consent FOR EACH ROW
    WHEN (NEW.asked_form = 'years' AND OLD.state = 'asked' AND NEW.state = 'granted')
    EXECUTE FUNCTION access_consent_over_years();

-- A consent over years is used as that and as nothing else, each time over all that was granted and may still be given.
CREATE FUNCTION access_consentuse_over_years() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE c access_consent; over bigint[];
BEGIN
    SELECT * INTO c FROM access_consent WHERE id = NEW.consent_id;
    over := ARRAY(SELECT unnest(c.items) INTERSECT SELECT unnest(access_items_for(c.purpose_id)));
    IF (NEW.form = 'years') <> (c.form = 'years')
       OR NEW.form = 'years' AND NOT (NEW.items <@ over AND over <@ NEW.items) THEN
        PERFORM catalogue_refuse('consentuse_over_years_is_over_all', 'an answer over years is over all that was granted');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER consentuse_over_years BEFORE INSERT ON access_consentuse
    FOR EACH ROW EXECUTE FUNCTION access_consentuse_over_years();

-- Its line opens no record.
CREATE FUNCTION access_line_over_years() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF cardinality(NEW.items) <> 0 AND EXISTS (
        SELECT 1 FROM access_consentuse u WHERE u.query_seq = NEW.query_id AND u.form = 'years') THEN
        PERFORM catalogue_refuse('queryperson_over_years_opens_nothing', 'an answer over years opens no record');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER queryperson_over_years BEFORE INSERT ON access_queryperson FOR EACH ROW
    WHEN (NEW.kind = 'Q4' AND NEW.allowed) EXECUTE FUNCTION access_line_over_years();
"""
UNDONE = """
DROP TRIGGER queryperson_over_years ON access_queryperson;
DROP FUNCTION access_line_over_years();
DROP TRIGGER consentuse_over_years ON access_consentuse;
DROP FUNCTION access_consentuse_over_years();
DROP TRIGGER consent_over_years_granted ON access_consent;
DROP TRIGGER consent_over_years_asked ON access_consent;
DROP FUNCTION access_consent_over_years();
DROP FUNCTION access_adverse_items_for(text);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("access", "0042_lines_keep_their_plans"),
        ("accounts", "0015_passwords_anew"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="consent",
            name="years",
            field=models.PositiveSmallIntegerField(null=True, verbose_name="连续几年"),
        ),
        migrations.AlterField(
            model_name="consent",
            name="asked_form",
            field=models.CharField(
                choices=[
                    ("years", "连续若干年无失信记录（只答能否证明）"),
                    ("attest", "只答有无"),
                    ("summary", "条数摘要"),
                    ("full", "记录内容"),
                ],
                max_length=8,
                verbose_name="申请的方式",
            ),
        ),
        migrations.AlterField(
            model_name="consent",
            name="form",
            field=models.CharField(
                blank=True,
                choices=[
                    ("years", "连续若干年无失信记录（只答能否证明）"),
                    ("attest", "只答有无"),
                    ("summary", "条数摘要"),
                    ("full", "记录内容"),
                ],
                max_length=8,
                verbose_name="方式",
            ),
        ),
        migrations.AlterField(
            model_name="consentuse",
            name="form",
            field=models.CharField(
                choices=[
                    ("years", "连续若干年无失信记录（只答能否证明）"),
                    ("attest", "只答有无"),
                    ("summary", "条数摘要"),
                    ("full", "记录内容"),
                ],
                max_length=8,
                verbose_name="方式",
            ),
        ),
        migrations.AddConstraint(
            model_name="consent",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("asked_form", "years"),
                        ("years__gte", 1),
                        models.Q(("channel", "paper"), _negated=True),
                        ("form__in", ["", "years"]),
                    ),
                    models.Q(
                        models.Q(("asked_form", "years"), _negated=True),
                        ("years__isnull", True),
                        models.Q(("form", "years"), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="consent_over_years_is_asked_for_as_such",
            ),
        ),
        migrations.RunSQL(FORMS.format(before=NARROW, after=WIDE), FORMS.format(before=WIDE, after=NARROW)),
        migrations.RunSQL(RULES, UNDONE),
    ]

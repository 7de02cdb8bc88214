"""A code from the counter takes two officials: one who noted that they saw the card, another who saw it again and hands it over."""

from django.conf import settings
from django.db import migrations, models
from django.db.models import F, Q

# A code that one hand issued opens nothing any more: whoever holds one comes to the counter again.
VOID = "DELETE FROM accounts_identityproof WHERE used_at IS NULL"
GUARD = """
-- catalogue_holds answers who holds a permission, in every app; it comes with a later migration and is asked at run time.
CREATE FUNCTION accounts_identityproof_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE wrong text;
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF (NEW.decided_by_id, NEW.decided_at, NEW.code_hash, NEW.used_at) IS DISTINCT FROM (NULL, NULL, NULL, NULL)
           OR NEW.refusal <> '' OR NEW.used_for <> '' OR NEW.attempts <> 0 THEN
            wrong := 'a proof of identity begins without a code';
        ELSIF NOT catalogue_holds(NEW.clerk_id, 'accounts', 'add_identityproof')
              OR NOT EXISTS (SELECT 1 FROM accounts_user u WHERE u.id = NEW.clerk_id AND u.organisation_id = NEW.organisation_id) THEN
            wrong := 'identities are proved by a clerk of the counter';
        END IF;
    ELSIF TG_OP = 'DELETE' THEN
        IF OLD.used_at IS NOT NULL OR OLD.refusal <> '' THEN
            wrong := 'a proof that was used or sent back is kept';
        END IF;
        IF wrong IS NULL THEN
            RETURN OLD;
        END IF;
    ELSIF OLD.used_at IS NOT NULL OR OLD.refusal <> ''
          OR (OLD.id, OLD.person_id, OLD.document, OLD.clerk_id, OLD.organisation_id, OLD.checked_at, OLD.expires_at, OLD.lifts_factors)
             IS DISTINCT FROM
             (NEW.id, NEW.person_id, NEW.document, NEW.clerk_id, NEW.organisation_id, NEW.checked_at, NEW.expires_at, NEW.lifts_factors)
    THEN
        wrong := 'a proof of identity stays as it was noted, and is used once';
    ELSIF OLD.decided_by_id IS NULL AND NEW.decided_by_id IS NOT NULL THEN
        IF NEW.decided_by_id = OLD.clerk_id OR NOT catalogue_holds(NEW.decided_by_id, 'accounts', 'confirm_identityproof')
           OR NOT EXISTS (SELECT 1 FROM accounts_user u WHERE u.id = NEW.decided_by_id AND u.organisation_id = OLD.organisation_id) THEN
            wrong := 'a proof of identity is confirmed by another official of the counter';
        ELSIF (NEW.refusal = '') = (NEW.code_hash IS NULL) OR NEW.used_at IS NOT NULL OR NEW.used_for <> '' THEN
            wrong := 'a proof is confirmed with a code, or sent back without one';
        END IF;
        NEW.decided_at := transaction_timestamp();
    ELSIF (OLD.decided_by_id, OLD.decided_at, OLD.refusal, OLD.code_hash)
          IS DISTINCT FROM (NEW.decided_by_id, NEW.decided_at, NEW.refusal, NEW.code_hash) OR NEW.attempts < OLD.attempts THEN
        wrong := 'a proof is decided on once';
    ELSIF NEW.used_at IS NOT NULL AND (OLD.code_hash IS NULL OR NEW.used_for = '' OR OLD.attempts >= 5) THEN
        wrong := 'only a code that the second hand gave is used, for something';
    END IF;
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION '%', wrong USING ERRCODE = 'check_violation', CONSTRAINT = 'identityproof_takes_two_hands';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER identityproof_guard BEFORE INSERT OR UPDATE OR DELETE ON accounts_identityproof
    FOR EACH ROW EXECUTE FUNCTION accounts_identityproof_guard();
CREATE TRIGGER identityproof_no_truncate BEFORE TRUNCATE ON accounts_identityproof EXECUTE FUNCTION cf_refuse_change();
"""
GUARD_UNDONE = """
DROP TRIGGER identityproof_no_truncate ON accounts_identityproof;
DROP TRIGGER identityproof_guard ON accounts_identityproof;
DROP FUNCTION accounts_identityproof_guard();
-- One hand knows no proof without a code, nor one that was sent back.
DELETE FROM accounts_identityproof WHERE used_at IS NULL;
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0015_passwords_anew")]
    operations = [
        migrations.RunSQL(VOID, migrations.RunSQL.noop),
        migrations.AlterModelOptions(
            "identityproof",
            {
                "ordering": ["-checked_at"],
                "permissions": [("confirm_identityproof", "复核身份核验、发放激活码")],
                "verbose_name": "身份核验",
                "verbose_name_plural": "身份核验",
            },
        ),
        migrations.AlterField("identityproof", "code_hash", models.BinaryField(null=True, editable=False)),
        migrations.AddField(
            "identityproof",
            "lifts_factors",
            models.BooleanField("同时解除第二步验证", default=False, db_default=False),
        ),
        migrations.AddField(
            "identityproof",
            "decided_by",
            models.ForeignKey(
                settings.AUTH_USER_MODEL, models.PROTECT, null=True, verbose_name="复核人", related_name="+"
            ),
        ),
        migrations.AddField("identityproof", "decided_at", models.DateTimeField("复核时间", null=True)),
        migrations.AddField(
            "identityproof",
            "refusal",
            models.CharField("退回理由", max_length=200, blank=True, default="", db_default=""),
        ),
        migrations.AddField(
            "identityproof",
            "used_for",
            models.CharField(
                "用途", max_length=8, blank=True, default="", db_default="",
                choices=[("opened", "开通账户"), ("reset", "重设密码")],
            ),
        ),
        migrations.RemoveConstraint("identityproof", "identityproof_one_open_per_person"),
        migrations.AddConstraint(
            "identityproof",
            models.UniqueConstraint(
                fields=["person"],
                condition=Q(used_at__isnull=True, refusal=""),
                name="identityproof_one_open_per_person",
            ),
        ),
        migrations.AddConstraint(
            "identityproof",
            models.CheckConstraint(
                condition=~Q(clerk=F("decided_by")),
                name="identityproof_takes_two_hands",
                violation_error_message="须由另一名工作人员复核，查验人不能自己复核。",
            ),
        ),
        migrations.AddConstraint(
            "identityproof",
            models.CheckConstraint(
                condition=Q(code_hash__isnull=True)
                | Q(decided_by__isnull=False, refusal="")
                | Q(used_at__isnull=False),
                name="identityproof_code_is_the_second_hand_s",
            ),
        ),
        migrations.RunSQL(GUARD, GUARD_UNDONE),
    ]  # fmt: skip

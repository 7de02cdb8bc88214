"""Batches that come by the API, and who may commit them: a system its own where the item allows one hand, else an official."""

from django.db import migrations, models

CHANNELS = [("page", "网页上传"), ("command", "命令行"), ("form", "表单录入"), ("api", "接口报送")]
# The arrows of 0013; one hand for the command and the API; no system is anybody's second hand.
GUARD = """
CREATE OR REPLACE FUNCTION records_batch_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE one_hand boolean;
BEGIN
    IF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN (
        ('received', 'parsing'), ('received', 'cancelled'), ('received', 'failed'),
        ('parsing', 'received'), ('parsing', 'checking'), ('parsing', 'refused'), ('parsing', 'cancelled'),
        ('parsing', 'failed'), ('parsing', 'mapping'), ('mapping', 'received'), ('mapping', 'cancelled'), ('checking', 'checked'), ('checking', 'received'), ('checking', 'failed'),
        ('checked', 'committing'), ('checked', 'cancelled'), ('checked', 'received'),
        ('committing', 'committed'), ('committing', 'checked'),
        ('committed', 'withdrawing'), ('withdrawing', 'withdrawn'), ('withdrawing', 'committed'),
        ('failed', 'received'), ('failed', 'cancelled')
    ) THEN
        RAISE EXCEPTION 'batch may not go from % to %', OLD.state, NEW.state
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
        IF NEW.channel NOT IN ('command', 'api') OR NOT coalesce(one_hand, false) THEN
            RAISE EXCEPTION 'another officer commits'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'batch_committed_by_another';
        END IF;
    END IF;
    IF NEW.committed_by_id IS DISTINCT FROM OLD.committed_by_id AND NEW.committed_by_id <> NEW.uploaded_by_id
       AND EXISTS (SELECT 1 FROM accounts_user u WHERE u.id = NEW.committed_by_id AND u.kind = 'service') THEN
        RAISE EXCEPTION 'a system commits nothing but its own, where the item allows one hand'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'batch_committed_by_an_official';
    END IF;
    RETURN NEW;
END $$;
"""
UNDONE = """
CREATE OR REPLACE FUNCTION records_batch_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE one_hand boolean;
BEGIN
    IF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN (
        ('received', 'parsing'), ('received', 'cancelled'), ('received', 'failed'),
        ('parsing', 'received'), ('parsing', 'checking'), ('parsing', 'refused'), ('parsing', 'cancelled'),
        ('parsing', 'failed'), ('parsing', 'mapping'), ('mapping', 'received'), ('mapping', 'cancelled'), ('checking', 'checked'), ('checking', 'received'), ('checking', 'failed'),
        ('checked', 'committing'), ('checked', 'cancelled'), ('checked', 'received'),
        ('committing', 'committed'), ('committing', 'checked'),
        ('committed', 'withdrawing'), ('withdrawing', 'withdrawn'), ('withdrawing', 'committed'),
        ('failed', 'received'), ('failed', 'cancelled')
    ) THEN
        RAISE EXCEPTION 'batch may not go from % to %', OLD.state, NEW.state
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


class Migration(migrations.Migration):
    dependencies = [("accounts", "0008_service_tokens"), ("records", "0018_faster_lists")]

    operations = [
        migrations.AlterField(
            "batch", "channel", models.CharField(choices=CHANNELS, max_length=8, verbose_name="渠道")
        ),
        migrations.RunSQL(GUARD, UNDONE),
    ]

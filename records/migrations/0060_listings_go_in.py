"""Records of lists come by a channel of their own: the listing procedure. Nothing else writes one, and it writes nothing else."""

from importlib import import_module

from django.db import migrations, models

CHANNELS = [
    ("page", "网页上传"),
    ("command", "命令行"),
    ("form", "表单录入"),
    ("api", "接口报送"),
    ("listing", "列入程序"),
]
BEFORE = import_module("records.migrations.0021_counts_are_measured").CURRENT
LISTED = BEFORE.replace(
    "(i.category = '06' OR v.source_channel NOT IN",
    "((i.category = '06') <> ((SELECT b.channel FROM records_batch b WHERE b.id = records_batch_at_work()) IS NOT DISTINCT FROM 'listing')"
    "\n                         OR v.source_channel NOT IN",
)
assert LISTED != BEFORE


class Migration(migrations.Migration):
    dependencies = [("records", "0053_duties_and_rights")]
    operations = [
        migrations.AlterField(
            "batch", "channel", models.CharField(choices=CHANNELS, max_length=8, verbose_name="渠道")
        ),
        migrations.RunSQL(LISTED, BEFORE),
    ]

"""Typing records in the admin: a channel of its own."""

from django.db import migrations, models

CHANNELS = [("page", "网页上传"), ("command", "命令行"), ("form", "表单录入")]


class Migration(migrations.Migration):
    dependencies = [("records", "0010_small")]

    operations = [
        migrations.AlterField(
            "batch", "channel", models.CharField(choices=CHANNELS, max_length=8, verbose_name="渠道")
        ),
    ]

"""Names that persons stood under before: kept, never changed."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

SQL = """
CREATE TRIGGER personname_append_only BEFORE UPDATE OR DELETE ON accounts_personname
    FOR EACH ROW EXECUTE FUNCTION cf_refuse_change();
CREATE TRIGGER personname_no_truncate BEFORE TRUNCATE ON accounts_personname EXECUTE FUNCTION cf_refuse_change();
"""
UNDONE = """
DROP TRIGGER personname_no_truncate ON accounts_personname;
DROP TRIGGER personname_append_only ON accounts_personname;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0006_persons_are_written_faster"),
    ]

    operations = [
        migrations.CreateModel(
            name="PersonName",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=100, verbose_name="原登记姓名")),
                (
                    "how",
                    models.CharField(
                        choices=[("renamed", "曾用名"), ("wrong", "登记有误，已更正")],
                        max_length=8,
                        verbose_name="变更原因",
                    ),
                ),
                (
                    "until",
                    models.DateField(help_text="证明文件的日期；此前作出的文书仍可使用原姓名", verbose_name="改名日期"),
                ),
                ("document", models.CharField(max_length=120, verbose_name="证明文件")),
                ("case_no", models.CharField(max_length=20, verbose_name="核对单编号")),
                (
                    "at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name="变更时间"),
                ),
                (
                    "asked_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="核对人",
                    ),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="审核人",
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="names",
                        to="accounts.person",
                        verbose_name="自然人",
                    ),
                ),
            ],
            options={
                "verbose_name": "姓名变更",
                "verbose_name_plural": "姓名变更",
                "db_table_comment": "append-only, written by the database: names that persons stood under before",
                "ordering": ["-id"],
                "default_permissions": (),
            },
        ),
        migrations.RunSQL(SQL, UNDONE),
    ]

"""The words of a switch that the API follows too."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("catalogue", "0012_rights_deadlines")]
    operations = [
        migrations.AlterField(
            "item",
            "one_hand_by_command",
            models.BooleanField(
                default=False, help_text="页面提交始终须另一名工作人员办理", verbose_name="命令行、接口可单人提交"
            ),
        ),
    ]

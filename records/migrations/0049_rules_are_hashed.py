"""What new versions say is gathered by hashing: planned for a handful of rows, they were sorted, and with them all that they say.

A million rows were written to the disk and sorted there, which took half of the time of `recordversion_within_the_rule`.
"""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("records", "0048_who_is_open_comes_first")]
    operations = [
        migrations.RunSQL(
            "ALTER FUNCTION records_version_keeps_the_rule() SET enable_sort = off",
            "ALTER FUNCTION records_version_keeps_the_rule() RESET enable_sort",
        )
    ]

"""Instruments and code sets, entered from catalogue/data: data about law, each with its confidence."""

from django.db import migrations


def load(apps, schema_editor):
    """Enter instruments with their articles, and code sets with their values."""
    from catalogue import starter_data  # plain readers of files: no model, no setting

    using = schema_editor.connection.alias
    instrument, article = apps.get_model("catalogue", "Instrument"), apps.get_model("catalogue", "Article")
    later = {}
    for row in starter_data.instruments():
        values = dict(row)
        articles, follower = values.pop("articles"), values.pop("superseded_by", None)
        territory = values.pop("territory", None)
        entered = instrument.objects.using(using).create(territory_id=territory, **values)
        article.objects.using(using).bulk_create(
            article(instrument=entered, number=number, summary=summary) for number, summary in articles.items()
        )
        if follower:
            later[entered.pk] = follower
    for pk, follower in later.items():
        instrument.objects.using(using).filter(pk=pk).update(
            superseded_by=instrument.objects.using(using).get(code=follower)
        )
    code_set, value = apps.get_model("catalogue", "CodeSet"), apps.get_model("catalogue", "CodeValue")
    for row in starter_data.code_sets():
        values = dict(row)
        rows = values.pop("values")
        entered = code_set.objects.using(using).create(**values)
        value.objects.using(using).bulk_create(
            value(code_set=entered, position=position, **one) for position, one in enumerate(rows)
        )


class Migration(migrations.Migration):
    dependencies = [("catalogue", "0007_rules")]
    operations = [migrations.RunPython(load, migrations.RunPython.noop)]

"""What the officials of an act see of its records: in any state, under the act's number in the query log."""

from django.db import transaction
from django.db.models import F

from access.actions import Asker
from records.acts import open_for
from records.life_models import ActContent, RecordAct
from records.models import RecordVersion
from records.reading import View, views_of
from records.visibility import ACT, SIGHTS


@transaction.atomic
def records_of(act: RecordAct, *, by: Asker) -> list[tuple[View, dict[str, tuple[str, str]]]]:
    """Return each record of an open act with what a correction would change: label to (now, then)."""
    ids = open_for(act, by=by)
    versions = RecordVersion.objects.filter(record__in=ids, version=F("record__version"))
    found = list(versions.select_related("record__item", "record__provider").order_by("record_id"))
    proposed = {content.record_id: content for content in ActContent.objects.filter(act=act)}
    return [
        (view, _changes(version, proposed[version.record_id]) if version.record_id in proposed else {})
        for version, view in views_of(found, SIGHTS[ACT].reader)
    ]


def _changes(before: RecordVersion, then: ActContent) -> dict[str, tuple[str, str]]:
    labels = {field.code: field.label for field in then.item_version.fields.all()}
    codes = dict.fromkeys([*before.content, *then.content])
    return {
        labels.get(code, code): (before.content.get(code, ""), then.content.get(code, ""))
        for code in codes
        if before.content.get(code, "") != then.content.get(code, "")
    }

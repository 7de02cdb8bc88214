"""The intake as an ordinary developer writes it with django-import-export: same outcome, row by row."""

import hashlib
import io
import json
from datetime import date
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone
from import_export import fields, resources, widgets

from accounts.models import Person, User
from catalogue.models import Item, PublicationPeriod
from creditfujian.lib import identity
from creditfujian.lib.text import normalise_name
from records.intake import store
from records.models import Batch, Record, RecordVersion

NAME, NUMBER, CODE = "行政相对人名称", "证件号码", "处罚机关统一社会信用代码"
DECIDED, ENDED, UNTIL = "处罚决定日期", "违法行为终了日期", "公示截止期"
DATES = (DECIDED, ENDED, UNTIL, "送达日期", "处罚有效期")
COMPUTED = ("person_id", "severity", "query_until", "content_hash")
SEVERITIES = {label: value for value, label in PublicationPeriod.Severity.choices}


class HashWidget(widgets.Widget):
    """A content hash as hexadecimal digits."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> bytes:
        return bytes.fromhex(value)

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return bytes(value).hex()


class RecordResource(resources.ModelResource):
    """Records from rows of a penalty sheet; a version is saved after each record."""

    person = fields.Field("person_id", "person_id")
    doc_no = fields.Field("doc_no", "行政处罚决定书文号")
    decider_uscc = fields.Field("decider_uscc", CODE)
    doc_date = fields.Field("doc_date", DECIDED, widgets.DateWidget("%Y-%m-%d"))
    severity = fields.Field("severity", "severity", widgets.IntegerWidget())
    query_until = fields.Field("query_until", "query_until", widgets.DateWidget("%Y-%m-%d"))
    content_hash = fields.Field("content_hash", "content_hash", HashWidget())

    class Meta:
        model = Record
        import_id_fields = ("person", "doc_no", "decider_uscc")
        fields = ("person", "doc_no", "decider_uscc", "doc_date", "severity", "query_until", "content_hash")
        skip_unchanged = True

    def __init__(self, batch: Batch) -> None:
        super().__init__()
        self.batch = batch
        self.item_version = batch.item.version_on(timezone.localdate())

    @classmethod
    def for_file(cls, path: str, item: str) -> "RecordResource":
        """Return a resource that writes into a new batch, which gives the rows their lineage."""
        user = User.objects.get(username="data_officer")
        file = store.keep(io.BytesIO(b"sample"), Path(path).name)
        batch = Batch.objects.create(
            item=Item.objects.get(code=item), supplier=user.organisation, uploaded_by=user, file=file,
            channel=Batch.Channel.PAGE,
        )  # fmt: skip
        return cls(batch)

    def before_import(self, dataset: Any, **kwargs: Any) -> None:
        for header in COMPUTED:
            dataset.append_col([""] * len(dataset), header=header)

    def before_import_row(self, row: dict[str, Any], **kwargs: Any) -> None:
        number = identity.normalise(row[NUMBER])
        if problem := identity.problem(number, today=timezone.localdate(), allow_demo=True):
            raise ValidationError(identity.PROBLEMS[problem])
        name = normalise_name(row[NAME])
        for column in DATES:
            row[column] = row[column].strip().replace("/", "-").replace(".", "-")
        content = {label: value for label, value in row.items() if value and label not in (NAME, NUMBER, *COMPUTED)}
        person = Person.objects.filter(id_index__in=settings.FIELD_KEYRING.indexes(number.encode())).first()
        if person is None:
            person = Person.seal(number, name)
            person.save()
        ended = date.fromisoformat(row[ENDED] or row[DECIDED])
        row["content"] = content
        row["content_hash"] = hashlib.blake2b(json.dumps(content).encode(), digest_size=16).hexdigest()
        row["person_id"] = person.pk
        row["severity"] = SEVERITIES.get(row["失信程度"], 1)
        row["query_until"] = ended.replace(year=ended.year + 5, day=min(ended.day, 28)).isoformat()

    def before_save_instance(self, instance: Record, row: dict[str, Any], **kwargs: Any) -> None:
        instance.item = self.batch.item
        instance.provider = self.batch.supplier
        instance.version = instance.version + 1 if instance.pk else 1
        instance.publication = None
        if row["信息使用范围"] == "公开" and row[UNTIL]:
            instance.publication = (instance.doc_date, date.fromisoformat(row[UNTIL]))

    def after_save_instance(self, instance: Record, row: dict[str, Any], **kwargs: Any) -> None:
        deeds = RecordVersion.Deed
        RecordVersion.objects.create(
            record=instance, version=instance.version, deed=deeds.CREATED if instance.version == 1 else deeds.CHANGED,
            item_version=self.item_version, batch=self.batch, row_no=kwargs.get("row_number"), name=row[NAME],
            doc_date=instance.doc_date, severity=instance.severity, publication=instance.publication,
            query_until=instance.query_until, content=row["content"], content_hash=instance.content_hash,
            by=self.batch.uploaded_by,
        )  # fmt: skip

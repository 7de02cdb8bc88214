"""The shapes of what the API takes and gives of batches: the OpenAPI document is made from them, and tests hold answers to it."""

from rest_framework.serializers import (
    BooleanField,
    CharField,
    ChoiceField,
    DateTimeField,
    DictField,
    FileField,
    IntegerField,
    ListField,
    Serializer,
)

from records.models import Batch


class DeliveryShape(Serializer):
    """A file for an item, as multipart/form-data."""

    item = CharField(max_length=20, help_text="目录条目编码")
    file = FileField(help_text="xlsx、xls、ods、csv、tsv 或 JSON 行", allow_empty_file=True)
    all_or_none = BooleanField(default=False, help_text="有一行不合格则全部不入库")


class LinesShape(Serializer):
    """What stands beside JSON lines, in the query."""

    item = CharField(max_length=20, help_text="目录条目编码")
    all_or_none = BooleanField(default=False, help_text="有一行不合格则全部不入库")


class ReasonedShape(Serializer):
    """Why something goes back."""

    reason = CharField(max_length=200, help_text="理由，不要写证件号码")


class PageShape(Serializer):
    """Which part of a list: keyset, no counts."""

    limit = IntegerField(default=100, min_value=1, max_value=1000, help_text="最多几条")


class RowsAskedShape(PageShape):
    """Which rows of a batch."""

    outcome = ChoiceField(["refused", "corrected"], default="refused", help_text="退回的行，或退回后已更正的行")
    after = IntegerField(default=0, min_value=0, max_value=2**31 - 1, help_text="上一页最后一行的行号")


class BatchesAskedShape(PageShape):
    """Which batches."""

    before = CharField(default="", max_length=30, allow_blank=True, help_text="上一页最后一个批次号")
    state = ChoiceField(Batch.State.choices, default="", allow_blank=True, help_text="只要这个状态的")


class NamedShape(Serializer):
    code = CharField()
    name = CharField()


class CountsShape(Serializer):
    """Rows by what became of them: `rows` is the sum of new, changed, unchanged and refused once checked."""

    rows = IntegerField()
    rows_done = IntegerField(help_text="已读入的行")
    new = IntegerField()
    changed = IntegerField()
    unchanged = IntegerField()
    refused = IntegerField()
    corrected = IntegerField(help_text="退回后已更正入库")
    explained = IntegerField(help_text="已说明不再报送")
    open = IntegerField(help_text="退回后尚未答复")


class ReasonCountShape(Serializer):
    code = CharField()
    title = CharField()
    rows = IntegerField()


class FailureShape(Serializer):
    code = CharField()
    title = CharField()
    message = CharField()


NEXT = ["wait", "commit", "commit_by_official", "second_look", "correct", "send_again", "resume_by_official", "nothing"]


class NextShape(Serializer):
    """What to do next."""

    action = ChoiceField(NEXT)
    text = CharField(help_text="一句话说明")


class LinksShape(Serializer):
    self = CharField()
    rows = CharField()
    correction = CharField()
    receipt = CharField(allow_null=True, help_text="入库后才有")


class BatchShape(Serializer):
    """A batch: its state, its counts, and what to do next. No person is in it."""

    number = CharField()
    item = NamedShape()
    state = ChoiceField(Batch.State.choices)
    state_text = CharField()
    mode = ChoiceField(Batch.Mode.choices)
    channel = ChoiceField(Batch.Channel.choices)
    file_sha256 = CharField()
    correction_of = CharField(allow_null=True)
    uploaded_by = CharField()
    committed_by = CharField(allow_null=True)
    received_at = DateTimeField()
    checked_at = DateTimeField(allow_null=True)
    committed_at = DateTimeField(allow_null=True)
    withdrawn_at = DateTimeField(allow_null=True)
    counts = CountsShape()
    reasons = ReasonCountShape(many=True)
    failure = FailureShape(allow_null=True)
    notes = ListField(child=CharField())
    next = NextShape()
    links = LinksShape()


class BriefShape(Serializer):
    """A batch as the list shows it."""

    number = CharField()
    item = CharField(help_text="目录条目编码")
    state = ChoiceField(Batch.State.choices)
    state_text = CharField()
    file_sha256 = CharField()
    received_at = DateTimeField()
    counts = CountsShape()
    link = CharField()


class BatchesShape(Serializer):
    batches = BriefShape(many=True)
    next = CharField(allow_null=True, help_text="下一页的地址；没有时为 null")


class RowReasonShape(Serializer):
    field = CharField(allow_null=True, help_text="数据项代码；整行的原因为 null")
    code = CharField()
    title = CharField()
    message = CharField()


class RowShape(Serializer):
    row = IntegerField(help_text="行号：JSON 行为第几行；第二张工作表起每张加 10,000,000")
    place = CharField()
    source_row = IntegerField(allow_null=True, help_text="更正件中的行：所更正的行号")
    source_batch = CharField(allow_null=True, help_text="更正件中的行：所更正的批次号")
    reasons = RowReasonShape(many=True)


class RowsShape(Serializer):
    batch = CharField()
    outcome = CharField()
    rows = RowShape(many=True)
    next = CharField(allow_null=True, help_text="下一页的地址；没有时为 null")


class ReceiptShape(Serializer):
    """The receipt, letter by letter the one that the page gives; a changed letter is no longer verified."""

    content = DictField()
    sha256 = CharField()
    seal = CharField()

"""Who looked at my data, for the person's own program in their own browser: findUsage, usagePeriod, heartbeat.

The model is Estonia's Andmejälgija (domain §7.5): newest first, by offset and limit, time, purpose and receiver, never the
data. It answers for the signed-in person alone; no parameter names anybody.
"""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import (
    BooleanField,
    CharField,
    ChoiceField,
    DateTimeField,
    IntegerField,
    ListField,
    Serializer,
)

from access.models import Decision, Kind
from access.readiness import readiness
from access.reading import Which, access_history, usage_period
from accounts.api import OwnView
from publicity.pages import with_item_names
from publicity.usage import usage_of

MOST = 1000
TAG = ["谁查了我"]


class UsagesAskedShape(Serializer):
    """Which part of the list."""

    offset = IntegerField(default=0, min_value=0, max_value=2**31 - 1, help_text="跳过多少条")
    limit = IntegerField(default=100, min_value=1, max_value=MOST, help_text="最多几条")
    own = BooleanField(default=False, help_text="本人自己的查询，而不是别人的")


class UsedItemShape(Serializer):
    """A catalogue item that was shown."""

    code = CharField()
    name = CharField()


class UsageShape(Serializer):
    """One look at the person's file: the five members of findUsage, then ours."""

    logtime = DateTimeField(help_text="查询时间")
    action = CharField(help_text="做了什么、为什么，一句话")
    receiverCode = CharField(help_text="查询单位的统一社会信用代码；公众查询为空")  # noqa: N815 – named by the model
    receiverName = CharField(help_text="查询单位；不显示经办人姓名")  # noqa: N815
    receiverSystem = CharField(help_text="经由的系统")  # noqa: N815
    number = IntegerField(help_text="日志序号")
    kind = ChoiceField(Kind.choices, help_text="查询方式")
    kind_text = CharField()
    ground = CharField(help_text="查询依据")
    ground_text = CharField(help_text="这种依据是什么意思")
    duty = CharField(help_text="依职责查询的事项名称和法律依据")
    purpose = CharField(help_text="查询事由")
    case_no = CharField(help_text="案件（办件）编号")
    consent_no = CharField(help_text="授权编号")
    decision = ChoiceField(Decision.choices)
    refusal = CharField(help_text="拒绝理由的代码")
    items = ListField(child=UsedItemShape(), help_text="看了（被拒绝的：想看）哪些条目")
    records = IntegerField(help_text="返回多少条记录")
    listed = BooleanField(help_text="在列表里看到，没有打开档案")
    proof = CharField(allow_null=True, help_text="封存凭证的地址；一分钟内封存")
    question = CharField(allow_null=True, help_text="本人就这一条提出的疑问的编号")
    review = CharField(help_text="核查结论")


class FoundUsageShape(Serializer):
    """A part of the list, and how many there are."""

    totalUsages = IntegerField(help_text="一共多少条")  # noqa: N815
    usages = UsageShape(many=True)


class UsagePeriodShape(Serializer):
    """From when to when there are lines."""

    totalUsages = IntegerField()  # noqa: N815
    first = DateTimeField(allow_null=True)
    last = DateTimeField(allow_null=True)


class HeartbeatShape(Serializer):
    """Whether the log is written and sealed."""

    status = CharField(help_text="ok 正常；late 封存延误；broken 核验发现问题")


class UsageView(OwnView):
    """findUsage."""

    @extend_schema(operation_id="find_usage", summary="谁查了我：每一次查询，新的在前", tags=TAG,
                   description="只答登录者本人的查询记录，最多一次 1000 条。不含信用记录的内容，也不含经办人姓名。",
                   parameters=[UsagesAskedShape], responses={200: FoundUsageShape})  # fmt: skip
    def get(self, request: Request) -> Response:
        asked = UsagesAskedShape(data=request.query_params)
        asked.is_valid(raise_exception=True)
        data, which = asked.validated_data, Which(own=asked.validated_data["own"])
        lines = access_history(self.person, which=which, offset=data["offset"], limit=data["limit"])
        total = usage_period(self.person, which=which).lines
        return Response({"totalUsages": total, "usages": [usage_of(line) for line in with_item_names(lines)]})


class PeriodView(OwnView):
    """usagePeriod."""

    @extend_schema(operation_id="usage_period", summary="查询记录从何时到何时，一共多少条", tags=TAG,
                   description="别人的查询。查询日志保存十年。", responses={200: UsagePeriodShape})  # fmt: skip
    def get(self, request: Request) -> Response:
        period = usage_period(self.person)
        return Response({"totalUsages": period.lines, "first": period.first, "last": period.last})


class HeartbeatView(OwnView):
    """heartbeat."""

    @extend_schema(operation_id="usage_heartbeat", summary="查询日志是否正常", tags=TAG,
                   description="与公开的“查询日志公开”页相同。", responses={200: HeartbeatShape})  # fmt: skip
    def get(self, request: Request) -> Response:
        return Response({"status": readiness()["query_log"]})

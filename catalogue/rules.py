"""Decisions of the catalogue: periods, permissions, and what keeps a version from being in force."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from django.db import connection
from django.db.models import BigIntegerField
from django.db.models.expressions import RawSQL
from django.db.models.functions import Cast
from guardian.core import ObjectPermissionChecker
from guardian.models import GroupObjectPermission

from creditfujian.lib.workdays import add_months

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from accounts.models import Organisation, User
    from catalogue.models import Item

# What the database's view catalogue_fault finds, in words: what is wrong, whose rule it is, what to do.
FAULTS = {
    "basis": "没有法律政策依据。请至少选择一个条款（国办发〔2020〕49号：没有依据不归集）。",
    "basis_level": "法律政策依据的层级不够、不适用于该区域或在生效日无效。失信类条目须以法律、行政法规或党中央、国务院政策文件为"
    "依据，地方补充条目须有本地有效的地方性法规，严重失信名单以部门规章为依据的须写明理由（国办发〔2020〕49号二）。",
    "public_basis": "公开公示须有公开依据：法律、法规或国务院决定、命令，且在生效日有效；否则须经本人单独同意（个人信息保护法"
    "第二十五条）。",
    "document": "失信类条目须写明认定文书类型（国办发〔2020〕49号：以具有法律效力的文书为依据）。",
    "severity": "失信类条目须写明失信程度，守信类和基础类条目应选“不适用”。",
    "period_missing": "公开公示的失信类条目须填写公示期。",
    "period_too_long": "失信程度为 {detail} 的公示期超出时限规则（令第36号：轻微不超过 3 个月，一般 3 至 12 个月，严重 12 至 36 个月）。",
    "positive_retention": "守信类条目的查询披露期限不超过 36 个月。",
    "opt_out": "守信类条目须允许本人申请不记入。",
    "no_repair_basis": "不可修复的依据须是法律、法规或党中央、国务院政策文件，且在生效日有效（令第36号第二条）。",
    "repair_conditions": "可以修复的失信类条目须选择修复条件。",
    "no_fields": "没有数据项。请列明归集哪些数据项，清单之外一律不收。",
    "field_missing": "缺少必填的数据项：{detail}。",
    "prohibited": "含有禁止归集的内容：{detail}。请删去。",
    "unknown_code": "代码不在代码集内或不用于自然人：{detail}。",
    "assessment": "没有通过复核且在有效期内的影响评估（个人信息保护法第五十五条）。",
    "local_duplicate": "与全国目录条目重复（{detail}），地方补充目录不再列入。",
    "consultation": "地方补充条目须公开征求意见期满、逐条答复并说明采纳情况。",
}
BEFORE_ASSESSMENT = ("assessment", "consultation")  # faults that a proposal may still have
_BOUND = {"person_name": "姓名", "id_number": "证件号码", "doc_no": "文书号", "doc_date": "认定日期"}


@dataclass(frozen=True)
class Fault:
    """What keeps a version from being in force: the rule's code and the sentence for people."""

    code: str
    text: str


def faults(version_id: int) -> list[Fault]:
    """Return what keeps a version from being in force; the rules are in the database's view `catalogue_fault`."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT code, detail FROM catalogue_fault WHERE version_id = %s", [version_id])
        return [
            Fault(code, FAULTS[code].format(detail=_BOUND.get(detail, detail))) for code, detail in cursor.fetchall()
        ]


def basis_days(version_ids: Iterable[int]) -> dict[int, list[tuple[date | None, date | None]]]:
    """Return on which days each version rests on a basis that allows collection: half-open pairs, None for open."""
    found: dict[int, list[tuple[date | None, date | None]]] = {pk: [] for pk in version_ids}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, lower(days), upper(days) FROM catalogue_standing, unnest(collected_on) AS days WHERE id = ANY (%s)",
            [list(found)],
        )
        for pk, first, last in cursor.fetchall():
            found[pk].append((first, last))
    return found


def query_end(act_end: date, months: int) -> date:
    """Return the first day on which a record is no longer returned (Credit Reporting Regulations art 16)."""
    return add_months(act_end, months)


def may_supply(organisation: "Organisation | None", item: "Item") -> bool:
    """Tell whether the organisation may supply the item today, by a grant in force."""
    return items_for(organisation, "supply_item").filter(pk=item.pk).exists()


def may_propose(user: "User", item: "Item") -> bool:
    """Tell whether the user may propose changes of the item: a proposer of an organisation that was granted it."""
    if not user.has_perm("catalogue.propose_item") or user.organisation is None or user.organisation.group is None:
        return False
    return ObjectPermissionChecker(user.organisation.group).has_perm("propose_item", item)


def items_for(organisation: "Organisation | None", permission: str) -> "QuerySet[Item]":
    """Return the items that the organisation may supply (`supply_item`) or query (`query_item`) today, in one query.

    The register of grants answers, through the database's function that lists, exports and intake ask too.
    """
    from catalogue.models import Item

    if organisation is None:
        return Item.objects.none()
    granted = RawSQL("SELECT unnest(catalogue_granted_items(%s, %s))", [organisation.pk, permission])
    return Item.objects.filter(pk__in=granted)


def items_to_propose(organisation: "Organisation | None") -> "QuerySet[Item]":
    """Return the items of which the organisation may propose changes, in one query."""
    from catalogue.models import Item

    if organisation is None or organisation.group_id is None:
        return Item.objects.none()
    granted = GroupObjectPermission.objects.filter(
        group=organisation.group_id, permission__codename="propose_item", permission__content_type__app_label="catalogue",
        permission__content_type__model="item",
    )  # fmt: skip
    return Item.objects.filter(pk__in=granted.values_list(Cast("object_pk", BigIntegerField())))

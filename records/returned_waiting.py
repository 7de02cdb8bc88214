"""What waits because a delivery is unusual, or because rows handed back are not answered."""

from django.urls import reverse

from accounts.models import User
from creditfujian.lib.waiting import Tone, Waiting
from records import returned, volume
from records.models import Batch, ReturnedRow
from records.volume_models import BatchHold


def waiting_to_be_answered(user: User) -> list[Waiting]:
    """Return the cards of held batches, rows handed back, explanations and volume rules."""
    cards, url = [], reverse("admin:records_batch_changelist")
    if user.has_perm("records.add_batch"):
        told, tone = _late(user, "下载更正件，改好后再次上传；不再报送的，逐行说明")
        count = Batch.objects.visible_to(user).with_open_rows().count()
        cards.append(Waiting("有退回行待答复的批次", count, told, f"{url}?open_rows=1", tone))
    if user.has_perm("records.commit_batch"):
        held = BatchHold.objects.to_decide_by(user).values("batch").distinct().count()
        told = "行数、比例与以往相差很大，由上传人、申请人以外的工作人员核实"
        cards.append(Waiting("数量异常待复核的批次", held, told, f"{url}?held=1", Tone.DUE))
        told = "数据员说明了不再报送的原因，由您对照案卷确认"
        cards.append(Waiting("待确认的退回行说明", _to_confirm(user), told, f"{url}?open_rows=explained", Tone.DUE))
    if user.has_perm("records.view_all_duties"):
        late = returned.overdue_batches(Batch.objects.all()).count()
        told = "单位没有在三个工作日内更正或者说明，请督促"
        cards.append(Waiting("退回行超期未答复的批次", late, told, f"{url}?open_rows=overdue", Tone.OVERDUE))
    if user.has_perm(volume.CONFIRM):
        rules = reverse("admin:records_volumerule_changelist")
        count = volume.to_confirm_by(user).count()
        told = "另一名工作人员提出，由您核对理由后确认"
        cards.append(Waiting("待确认的数量规则", count, told, f"{rules}?state__exact=draft", Tone.DUE))
    return cards


def _late(user: User, told: str) -> tuple[str, Tone]:
    late = returned.overdue_batches(Batch.objects.visible_to(user)).count()
    return (f"{late} 个批次已超期；{told}", Tone.OVERDUE) if late else (told, Tone.DUE)


def _to_confirm(user: User) -> int:
    waiting = Batch.objects.visible_to(user).with_open_rows().values("pk")
    rows = ReturnedRow.objects.filter(batch__in=waiting, state=ReturnedRow.State.EXPLAINED).exclude(explained_by=user)
    return rows.values("batch").distinct().count()

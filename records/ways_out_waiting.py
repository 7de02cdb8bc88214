"""What waits on the ways out: exports to review or to fetch, people at the counter."""

from django.db.models import Exists
from django.urls import reverse

from accounts.models import User
from catalogue.models import Deadline
from creditfujian.lib.waiting import Tone, Waiting
from records.export_models import Export
from records.export_rules import review_above
from records.report_models import CounterRequest


def waiting_to_go_out(user: User) -> list[Waiting]:
    """Return the cards of exports and of reports at the counter."""
    cards = []
    if user.has_perm("records.review_export"):
        mine, url = Export.objects.to_review_by(user), reverse("admin:records_export_changelist")
        late = mine.filter(Exists(Deadline.objects.overdue().of_outer(Export))).count()
        detail = f"同事申请查询、导出超过 {review_above()} 人的记录，由您复核"
        detail, tone = (f"{late} 件已超期；{detail}", Tone.OVERDUE) if late else (detail, Tone.DUE)
        cards.append(Waiting("待复核的导出", mine.count(), detail, f"{url}?state__exact=awaiting", tone))
    if user.has_perm("records.add_export"):
        ready = Export.objects.filter(requested_by=user, state=Export.State.READY).count()
        url = reverse("admin:records_export_changelist")
        cards.append(Waiting("可下载的导出", ready, "到期自动删除", f"{url}?state__exact=ready"))
    if user.has_perm("records.print_report"):
        waiting = CounterRequest.objects.visible_to(user).open().exclude(asked_by=user).count()
        url = reverse("admin:records_counterrequest_changelist")
        detail = "同事已查验证件，由您当面核对后出具"
        cards.append(Waiting("待第二人核对的报告", waiting, detail, f"{url}?state__exact=waiting", Tone.DUE))
    return cards

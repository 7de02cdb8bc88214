"""What waits for data officers, reviewers and those who watch the platform."""

from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone

from access.rules import lists_of
from accounts.models import Role, User
from creditfujian.lib.waiting import Tone, Waiting
from records import work_lists
from records.consent_models import ConsentPaper
from records.duties import period_of
from records.ground_waiting import waiting_on_grounds
from records.hold_waiting import waiting_statements
from records.life_models import RecordAct
from records.models import Batch, SupplyDuty
from records.person_waiting import waiting_about_persons
from records.returned_waiting import waiting_to_be_answered
from records.rights_waiting import waiting_rights
from records.soundness_models import Unsound
from records.ways_out_waiting import waiting_to_go_out

State = Batch.State


def waiting_for(user: User) -> list[Waiting]:
    """Return the cards of batches and of registered readings."""
    cards = []
    batches, url = Batch.objects.visible_to(user), reverse("admin:records_batch_changelist")
    if user.has_perm("records.commit_batch"):
        count = Batch.objects.to_commit_by(user).count()
        cards.append(
            Waiting(
                "待审核提交的批次", count, "另一名工作人员上传，由您审核后入库", f"{url}?state__exact=checked", Tone.DUE
            )
        )
    if user.has_perm("records.add_batch"):
        mine = batches.filter(uploaded_by=user)
        refused = mine.filter(state__in=[State.REFUSED, State.FAILED]).count()
        unmapped, told = batches.filter(state=State.MAPPING).count(), "列名与模板不同，请指明各列是什么"
        cards.append(Waiting("待对应列的批次", unmapped, told, f"{url}?state__exact=mapping", Tone.DUE))
        told = "查看原因，改正后重新上传"
        cards.append(Waiting("被退回或中断的文件", refused, told, f"{url}?state__exact=refused"))
    cards += waiting_to_be_answered(user)
    if user.has_perm("records.decide_act"):
        acts, told = RecordAct.objects.to_decide_by(user).count(), "另一名工作人员申请更正、撤回、撤销，由您审核"
        where = f"{reverse('admin:records_recordact_changelist')}?state__exact=asked"
        cards.append(Waiting("待审核的办理单", acts, told, where, Tone.DUE))
    cards += waiting_rights(user) + waiting_on_grounds(user)
    cards += waiting_to_go_out(user) + waiting_about_persons(user) + waiting_statements(user)
    if user.has_perm("access.check_consent"):
        papers = ConsentPaper.objects.visible_to(user).waiting().exclude(consent__asked_by=user).count()
        where = f"{reverse('admin:records_consentpaper_changelist')}?consent__state__exact=entered"
        cards.append(Waiting("待复核的纸质授权书", papers, "同事录入，由您对照扫描件复核", where, Tone.DUE))
    if user.has_perm("records.view_supplyduty"):
        cards.append(_unmet(user))
    if user.has_perm("records.view_batch_counts"):
        broken = Batch.objects.filter(state=State.FAILED).count()
        working = Batch.objects.filter(state__in=[State.PARSING, State.CHECKING, State.COMMITTING]).count()
        cards += [
            Waiting("处理中断的批次", broken, "查看后台任务是否正常", f"{url}?state__exact=failed", Tone.OVERDUE),
            Waiting("正在处理的批次", working, "只显示数量，不显示个人信息", url),
        ]
    if lists_of(user):
        to_check = work_lists.open_entries(user)
        cards.append(
            Waiting(
                "待核对的记录",
                to_check,
                "对照案卷核对，填写结果",
                reverse("admin:records_worklist_changelist"),
                Tone.DUE,
            )
        )
    if user.has_perm("records.view_batch_counts") and (unsound := Unsound.objects.count()):
        told = "夜间核验发现证件号码或年龄有问题的记录，已停止提供；请通知安全管理员查明写入途径"
        cards.append(Waiting("封存核验发现", unsound, told, url, Tone.OVERDUE))
    if user.has_role(Role.DECIDER_OFFICER, Role.DECIDER_REVIEWER, Role.LEGAL_REVIEWER, Role.DECIDER_HEAD):
        mine_open = user.requests.filter(expires_at__gt=Now()).count()
        cards.append(
            Waiting(
                "有效的查询登记",
                mine_open,
                "登记后限时查阅，过时须重新登记",
                reverse("admin:access_request_changelist"),
            )
        )
    return cards


def _unmet(user: User) -> Waiting:
    """Return the card of what was not supplied, or late in this quarter; the situation of the quarter is behind it."""
    duties, (first, _) = SupplyDuty.objects.visible_to(user), period_of("Q", timezone.localdate())
    missed = duties.filter(state=SupplyDuty.State.MISSED).count()
    late = duties.filter(state=SupplyDuty.State.LATE, met_on__gte=first).count()
    told = f"未报 {missed} 期，本季度迟报 {late} 期；没有文书的期间请零报"
    url = reverse("admin:records_supplyduty_situation")
    return Waiting("未报、迟报", missed + late, told, url, Tone.OVERDUE if missed else Tone.DUE)

"""Rewards (守信激励, domain §5.8): programmes put in force by two, cases that begin with the person's own yes."""

from datetime import date

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, RangeOperators
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.expressions import RawSQL
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import Organisation, Person, User
from catalogue.models import Article, Deadline, Item, Proposal
from creditfujian.lib.text import key_in
from creditfujian.lib.workdays import DAY
from records.models import Batch, SealedFile

NO_CONDITION = "本项激励只提供便利，不是取得法定权利、许可、待遇或者救济的条件；没有激励、不同意或者退出激励的，依法应得的一样不少。"
# Words that would make a benefit a condition for what the law gives to everybody; the database holds the same ones.
CONDITION_WORDS = r"(仅限|只限|必须具备|必须取得|前置条件|作为.{0,10}(条件|前提)|不予(受理|办理|许可)|不得(申请|办理)|方可(申请|办理|享受))"


def today() -> RawSQL:
    """The database's own day, for comparisons in a query."""
    return RawSQL("cf_today()", [], output_field=models.DateField())


class RewardProgrammeQuerySet(models.QuerySet["RewardProgramme"]):
    def in_force(self) -> "RewardProgrammeQuerySet":
        """Programmes under which somebody may be nominated today."""
        open_ended = Q(valid_to__isnull=True) | Q(valid_to__gt=today())
        return self.filter(open_ended, state=RewardProgramme.State.IN_FORCE, valid_from__lte=today())

    def of(self, user: User) -> "RewardProgrammeQuerySet":
        """Programmes in force of the user's own organisation."""
        return self.in_force().filter(organisation=user.organisation_id) if user.organisation_id else self.none()


class RewardProgramme(Proposal):
    """Who is rewarded by whom, on which basis, for how long, with which benefits. One proposes, another confirms."""

    class Source(models.TextChoices):
        """The five sources of seed C-24; the codes are those of the catalogue's code set RYLY."""

        SUBJECT = "1", "信用状况良好的行政相对人"
        MODEL = "2", "诚信道德模范"
        VOLUNTEER = "3", "优秀志愿者"
        MEMBER = "4", "社会组织推荐的诚信会员"
        MEDIA = "5", "新闻媒体挖掘的诚信主体"

    class Shown(models.TextChoices):
        """What may be public of a reward, with the person's own consent (domain §2.12)."""

        NAME = "name", "姓名（只留姓氏）"
        HONOUR = "honour", "荣誉名称"
        YEAR = "year", "年度"

    code = models.CharField("编码", max_length=30, help_text="如 JL-2026-01，同一编码只有一版现行")
    name = models.CharField("名称", max_length=100)
    source = models.CharField("来源", max_length=1, choices=Source)
    organisation = models.ForeignKey(
        Organisation, models.PROTECT, verbose_name="推荐、认定单位", related_name="reward_programmes"
    )
    item = models.ForeignKey(Item, models.PROTECT, verbose_name="记入条目", related_name="+")
    basis = models.ForeignKey(Article, models.PROTECT, verbose_name="依据", related_name="+")
    term_months = models.PositiveSmallIntegerField(
        "激励期（月）", help_text="自授予荣誉之日起；文件没有规定的为 36 个月"
    )
    term_source = models.CharField(
        "激励期的来源", max_length=200, help_text="规定期限的文件和条款；没有规定的写明本站设定"
    )
    shown = ArrayField(models.CharField(max_length=6, choices=Shown), verbose_name="公开的内容")
    no_condition = models.CharField(
        "非前提声明", max_length=120, default=NO_CONDITION, help_text="须与统一文本一致，随激励告知本人"
    )
    valid_from = models.DateField("启用日期")
    valid_to = models.DateField("停用日期", null=True, blank=True, help_text="自这一天起不再推荐；已授予的到期为止")

    objects = RewardProgrammeQuerySet.as_manager()

    class Meta(Proposal.Meta):
        verbose_name = verbose_name_plural = "激励项目"
        ordering = ["organisation", "code", "-valid_from", "-id"]
        default_permissions = ("view",)
        permissions = [
            ("propose_rewardprogramme", "提出激励项目"), ("confirm_rewardprogramme", "确认激励项目"),
        ]  # fmt: skip
        constraints = [
            *Proposal.Meta.constraints,
            ExclusionConstraint(
                name="rewardprogramme_in_force_do_not_overlap",
                expressions=[
                    ("code", RangeOperators.EQUAL),
                    (Func(F("valid_from"), F("valid_to"), Value("[)"), function="daterange"), RangeOperators.OVERLAPS),
                ],
                condition=Q(state="in_force"),
                violation_error_message="同一编码的现行激励项目有效期间不能重叠。",
            ),
            models.CheckConstraint(
                condition=~Q(code="") & ~Q(name="") & ~Q(term_source=""), name="rewardprogramme_says_what_and_whence"
            ),
            models.CheckConstraint(
                condition=Q(term_months__gte=1, term_months__lte=60), name="rewardprogramme_has_a_term",
                violation_error_message="激励期为 1 至 60 个月。",
            ),
            models.CheckConstraint(
                condition=Q(source__in=["1", "2", "3", "4", "5"]), name="rewardprogramme_source_is_one_of_five"
            ),
            models.CheckConstraint(
                condition=Q(shown__contained_by=["name", "honour", "year"], shown__len__gte=1),
                name="rewardprogramme_shows_no_more_than_allowed", violation_error_message="只能公开姓名、荣誉名称、年度。",
            ),
            models.CheckConstraint(
                condition=Q(no_condition=NO_CONDITION), name="rewardprogramme_is_no_condition",
                violation_error_message="须声明：激励不是取得法定权利、许可、待遇或者救济的条件。请用统一文本。",
            ),
            models.CheckConstraint(
                condition=Q(valid_to__isnull=True) | Q(valid_to__gte=F("valid_from")),
                name="rewardprogramme_ends_after_it_begins", violation_error_message="停用日期不能早于启用日期。",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.name}（{self.code}）"


class RewardBenefit(models.Model):
    """One benefit of a programme: what kind, which unit gives it, on which basis. Settled while the programme is a draft."""

    class Kind(models.TextChoices):
        """The benefits of domain §5.8."""

        GREEN = "green", "绿色通道"
        LATER = "later", "容缺受理"
        FIRST = "first", "优先办理"
        CONSIDER = "consider", "优先考虑"
        EASE = "ease", "便利服务"

    programme = models.ForeignKey(RewardProgramme, models.PROTECT, verbose_name="激励项目", related_name="benefits")
    kind = models.CharField("激励措施", max_length=8, choices=Kind)
    text = models.CharField("内容", max_length=200, help_text="在哪件事上、怎么便利；不得写成办事的条件")
    organisation = models.ForeignKey(Organisation, models.PROTECT, verbose_name="实施单位", related_name="+")
    basis = models.ForeignKey(Article, models.PROTECT, verbose_name="依据", related_name="+")

    class Meta:
        verbose_name = verbose_name_plural = "激励措施"
        ordering = ["id"]
        default_permissions = ()
        constraints = [
            models.CheckConstraint(condition=~Q(text=""), name="rewardbenefit_says_what"),
            models.CheckConstraint(
                condition=Q(kind__in=["green", "later", "first", "consider", "ease"]), name="rewardbenefit_kind_is_known"
            ),
            models.CheckConstraint(
                condition=~Q(text__regex=CONDITION_WORDS), name="rewardbenefit_is_no_condition",
                violation_error_message="激励措施不能写成取得法定权利、许可、待遇的条件（如“仅限”“方可申请”“不予受理”）。请改写成便利。",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.get_kind_display()}：{self.text}"


class RewardCaseQuerySet(models.QuerySet["RewardCase"]):
    def of(self, person: Person) -> "RewardCaseQuerySet":
        """Cases of the person, under any number of theirs, that they were asked about."""
        mine = self.filter(person__in=person.family()).exclude(state=RewardCase.State.NOMINATED)
        return mine.select_related("programme", "organisation")

    def visible_to(self, user: User) -> "RewardCaseQuerySet":
        """Cases of the user's own organisation, to those who nominate or decide."""
        if user.organisation_id and (user.has_perm(NOMINATE) or user.has_perm(DECIDE)):
            return self.filter(organisation=user.organisation_id)
        return self.none()

    def to_decide_by(self, user: User) -> "RewardCaseQuerySet":
        """Cases in which this official, who did not nominate, has something to decide now."""
        if not user.has_perm(DECIDE):
            return self.none()
        state = RewardCase.State
        ready = Q(state=state.CHECK) | Q(state=state.NOTICE, public_to__isnull=True)
        ready |= Q(state=state.NOTICE, public_to__lte=today()) | Q(state=state.SUSPENDED, decide_from__lte=today())
        return self.visible_to(user).filter(ready).exclude(nominated_by=user)

    def public(self) -> "RewardCaseQuerySet":
        """What the public may see today: with the person's consent, until its own day."""
        return self.filter(public_to__gt=today())

    def with_due_day(self) -> "RewardCaseQuerySet":
        """Add `due_on`, `due_provisional` and `is_overdue` of the first clock that nobody has met, in the same query."""
        return self.annotate(**Deadline.objects.days_of(RewardCase))

    def numbered(self, number: str) -> "RewardCase":
        """Return the one with that number. Raises RewardCase.DoesNotExist."""
        found = self.get(pk=key_in(number))
        if found.number != number:
            raise RewardCase.DoesNotExist(number)
        return found


NOMINATE, DECIDE = "sanctions.nominate_reward", "sanctions.decide_reward"


class RewardCase(models.Model):
    """One person under one programme. Moved by its steps alone; what was refused keeps nothing but the refusal."""

    class State(models.TextChoices):
        NOMINATED = "nominated", "已推荐"
        CONSENT = "consent", "待本人答复"
        CHECK = "check", "冲突核对"
        NOTICE = "notice", "公示中"
        GRANTED = "granted", "已授予"
        PUBLISHED = "published", "已授予并公开"
        SUSPENDED = "suspended", "暂停"
        ENDED = "ended", "已终止"
        RETURNED = "returned", "不予授予"
        DECLINED = "declined", "本人未同意"

    class End(models.TextChoices):
        EXPIRED = "expired", "到期"
        WITHDRAWN = "withdrawn", "本人退出"
        REVOKED = "revoked", "认定单位撤销"

    OVER = (State.ENDED, State.RETURNED, State.DECLINED)
    IN_BENEFIT = (State.GRANTED, State.PUBLISHED)

    programme = models.ForeignKey(RewardProgramme, models.PROTECT, verbose_name="激励项目", related_name="cases")
    organisation = models.ForeignKey(Organisation, models.PROTECT, verbose_name="认定单位", related_name="+")
    person = models.ForeignKey(Person, models.PROTECT, editable=False, related_name="+")
    honour = models.CharField("荣誉名称", max_length=100, blank=True)
    year = models.CharField("年度", max_length=4, blank=True)
    award_no = models.CharField("认定文号", max_length=100, blank=True)
    award_on = models.DateField("认定日期", null=True)
    recommended_by = models.CharField("推荐的社会组织、媒体", max_length=100, blank=True)
    reason = models.CharField("推荐理由", max_length=300, blank=True)
    nominated_by = models.ForeignKey(User, models.PROTECT, verbose_name="推荐经办人", related_name="+")
    nominated_at = models.DateTimeField("推荐时间", db_default=Now())
    state = models.CharField("状态", max_length=10, choices=State, default=State.NOMINATED)
    moved_at = models.DateTimeField("进入本状态的时间", db_default=Now())
    answer_by = models.DateField("本人答复期限", null=True)
    decide_from = models.DateField("可以决定之日", null=True)
    public_to = models.DateField("公开至（不含）", null=True)
    was_public = models.BooleanField("曾经公开", default=False)
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, verbose_name="决定人", related_name="+")
    valid_to = models.DateField("激励期至（不含）", null=True)
    record_no = models.CharField("记录编号", max_length=24, blank=True)
    end_kind = models.CharField("终止方式", max_length=9, choices=End, blank=True)

    objects = RewardCaseQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "激励办理"
        db_table_comment = "append-only to the application, moved by the database: rewards, each with its person"
        ordering = ["-id"]
        default_permissions = ()
        permissions = [("nominate_reward", "推荐激励"), ("decide_reward", "决定激励")]
        indexes = [
            models.Index(fields=["person", "-id"], name="rewardcase_by_person"),
            models.Index(fields=["organisation", "state"], name="rewardcase_by_organisation"),
            models.Index(fields=["public_to"], condition=Q(public_to__isnull=False), name="rewardcase_public"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["programme", "person"], condition=~Q(state__in=["ended", "returned", "declined"]),
                name="rewardcase_once_at_a_time",
            ),
            models.CheckConstraint(
                condition=Q(state="declined") | ~Q(honour="") & ~Q(award_no="") & Q(year__regex=r"^\d{4}$", award_on__isnull=False),
                name="rewardcase_says_what_for",
            ),
            models.CheckConstraint(
                condition=~Q(state="declined") | Q(
                    honour="", year="", award_no="", award_on__isnull=True, recommended_by="", reason="", answer_by__isnull=True,
                ),
                name="rewardcase_keeps_nothing_but_the_refusal",
            ),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("nominated_by")),
                name="rewardcase_decided_by_another",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["granted", "published", "suspended"])
                | Q(decided_by__isnull=False, valid_to__isnull=False) & ~Q(record_no=""),
                name="rewardcase_granted_stands_in_the_register",
            ),
            models.CheckConstraint(
                condition=Q(public_to__isnull=True) | Q(state__in=["notice", "published"]),
                name="rewardcase_public_only_in_its_time",
            ),
            models.CheckConstraint(
                condition=Q(state="ended", end_kind__in=["expired", "withdrawn", "revoked"]) | ~Q(state="ended") & Q(end_kind=""),
                name="rewardcase_ends_in_a_known_way",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.number

    @property
    def number(self) -> str:
        """Return the number that people quote: JL, day, sequence."""
        return f"JL{timezone.localdate(self.nominated_at):%Y%m%d}-{self.pk:06d}"

    @property
    def is_over(self) -> bool:
        return self.state in self.OVER

    @property
    def is_in_benefit(self) -> bool:
        """Tell whether its benefits are given today: by its own dates, before the night has come by."""
        return self.state in self.IN_BENEFIT and self.valid_to is not None and timezone.localdate() < self.valid_to

    @property
    def waits_for_the_person(self) -> bool:
        """Tell whether the person can still answer whether they agree."""
        return (
            self.state == self.State.CONSENT and self.answer_by is not None and timezone.localdate() <= self.answer_by
        )

    @property
    def standing(self) -> str:
        """Say how it stands today: dates end it by themselves."""
        if self.state in self.IN_BENEFIT and not self.is_in_benefit:
            return f"{self.State.ENDED.label}（{self.End.EXPIRED.label}）"
        return (
            f"{self.get_state_display()}（{self.get_end_kind_display()}）"
            if self.end_kind
            else self.get_state_display()
        )

    @property
    def tone(self) -> str:
        """Return the colour of the state's mark."""
        if self.is_in_benefit:
            return "success"
        return "plain" if self.is_over or self.state in self.IN_BENEFIT else "warning"

    def last_day(self) -> date | None:
        """Return the last day of the reward."""
        return self.valid_to - DAY if self.valid_to else None


class RewardArrow(models.Model):
    """Which deed leads from which state to which, and whose deed it is. Comes with a migration, never changed at work."""

    class Actor(models.TextChoices):
        NOMINATOR = "nominator", "推荐经办人"
        PERSON = "person", "本人"
        DECIDER = "decider", "认定单位决定人"
        CALENDAR = "calendar", "系统（按日期和事实）"

    deed = models.CharField("办理", max_length=10)
    from_state = models.CharField("自", max_length=10, choices=RewardCase.State)
    to_state = models.CharField("至", max_length=10, choices=RewardCase.State)
    actor = models.CharField("办理人", max_length=9, choices=Actor)

    class Meta:
        verbose_name = verbose_name_plural = "激励办理的步骤"
        db_table_comment = "append-only, written by the database: the arrows of a reward"
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["deed", "from_state"], name="rewardarrow_leads_to_one_state")]

    def __str__(self) -> str:
        return f"{self.deed}: {self.from_state} → {self.to_state}"


class RewardPaperQuerySet(models.QuerySet["RewardPaper"]):
    def visible_to(self, user: User) -> "RewardPaperQuerySet":
        """Papers entered at the user's own counter."""
        if user.has_perm("access.check_consent") and user.organisation_id:
            return self.filter(entered_by__organisation=user.organisation_id)
        return self.none()

    def waiting(self) -> "RewardPaperQuerySet":
        """Papers that wait for the second pair of eyes."""
        return self.filter(state=RewardPaper.State.ENTERED)


class RewardPaper(models.Model):
    """A signed answer on paper: entered by one clerk with the scan, compared with it by another."""

    class Deed(models.TextChoices):
        ANSWER = "answer", "答复推荐"
        WITHDRAW = "withdraw", "退出激励"

    class State(models.TextChoices):
        ENTERED = "entered", "待复核"
        APPROVED = "approved", "已生效"
        RETURNED = "returned", "已退回"

    case = models.ForeignKey(RewardCase, models.PROTECT, verbose_name="激励办理", related_name="papers")
    person = models.ForeignKey(Person, models.PROTECT, editable=False, related_name="+")
    deed = models.CharField("事项", max_length=8, choices=Deed)
    agrees = models.BooleanField("同意接受推荐和核对", default=False)
    notice = models.BooleanField("同意公示", default=False)
    publish = models.BooleanField("同意授予后公开", default=False)
    signed_on = models.DateField("签署日期")
    file = models.ForeignKey(SealedFile, models.PROTECT, verbose_name="扫描件", related_name="+")
    type = models.CharField("文件类型", max_length=3)
    entered_by = models.ForeignKey(User, models.PROTECT, verbose_name="录入人", related_name="+")
    entered_at = models.DateTimeField("录入时间", db_default=Now())
    state = models.CharField("状态", max_length=8, choices=State, default=State.ENTERED)
    checked_by = models.ForeignKey(User, models.PROTECT, null=True, verbose_name="复核人", related_name="+")
    note = models.CharField("退回理由", max_length=200, blank=True)

    objects = RewardPaperQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "激励的纸质答复"
        ordering = ["-id"]
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=Q(checked_by__isnull=True) | ~Q(checked_by=F("entered_by")), name="rewardpaper_takes_two_hands",
                violation_error_message="须由另一名工作人员复核。",
            ),
            models.CheckConstraint(
                condition=Q(state="entered", checked_by__isnull=True) | Q(state__in=["approved", "returned"], checked_by__isnull=False),
                name="rewardpaper_is_checked_by_somebody",
            ),
            models.CheckConstraint(condition=~Q(state="returned") | ~Q(note=""), name="rewardpaper_returned_with_a_reason"),
            models.CheckConstraint(
                condition=Q(agrees=True, deed="answer") | Q(notice=False, publish=False), name="rewardpaper_agrees_first"
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"纸质答复 {self.pk}"


class RewardStep(models.Model):
    """One event of a case; the database moves the case by it."""

    class Deed(models.TextChoices):
        ASKED = "asked", "征求本人意见"
        AGREED = "agreed", "本人同意"
        DECLINED = "declined", "本人不同意"
        LAPSED = "lapsed", "逾期未答复，视为不同意"
        NOTICE = "notice", "决定公示"
        GRANTED = "granted", "决定授予"
        RETURNED = "returned", "决定不予授予"
        COMMENTED = "commented", "本人意见"
        PUBLISHED = "published", "公开"
        HIDDEN = "hidden", "停止公开"
        SUSPENDED = "suspended", "核对发现冲突，暂停"
        EXPLAINED = "explained", "本人说明"
        RESUMED = "resumed", "决定恢复"
        REVOKED = "revoked", "决定撤销"
        EXPIRED = "expired", "到期"
        WITHDRAWN = "withdrawn", "本人退出"

    case = models.ForeignKey(RewardCase, models.PROTECT, related_name="steps")
    deed = models.CharField("办理", max_length=10, choices=Deed)
    text = models.CharField("说明", max_length=500, blank=True)
    until = models.DateField("期限", null=True)
    document_no = models.CharField("文书号", max_length=100, blank=True)
    batch = models.ForeignKey(
        Batch, models.PROTECT, null=True, db_constraint=False, verbose_name="记入的批次", related_name="+"
    )
    paper = models.ForeignKey(RewardPaper, models.PROTECT, null=True, related_name="+")
    by = models.ForeignKey(User, models.PROTECT, null=True, verbose_name="办理人", related_name="+")
    at = models.DateTimeField("时间", db_default=Now())

    class Meta:
        verbose_name = verbose_name_plural = "激励办理的经过"
        db_table_comment = "append-only: what was done in a reward case, by whom and why"
        ordering = ["id"]
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=~Q(deed__in=["returned", "commented", "explained", "resumed", "revoked"]) | ~Q(text=""),
                name="rewardstep_says_why", violation_error_message="请写明理由。",
            ),
            models.CheckConstraint(
                condition=~Q(deed__in=["asked", "declined", "lapsed"]) | Q(text=""), name="rewardstep_refusal_has_no_words"
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.get_deed_display()


class RewardConsent(models.Model):
    """A yes or a no of the person, one subject at a time; the last word counts."""

    class Scope(models.TextChoices):
        REWARD = "reward", "接受推荐、核对和激励"
        NOTICE = "notice", "授予前公示"
        PUBLISH = "publish", "授予后公开"

    case = models.ForeignKey(RewardCase, models.PROTECT, related_name="consents")
    scope = models.CharField("事项", max_length=7, choices=Scope)
    given = models.BooleanField("同意")
    by = models.ForeignKey(User, models.PROTECT, verbose_name="办理账户", related_name="+")
    paper = models.ForeignKey(RewardPaper, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField("时间", db_default=Now())

    class Meta:
        verbose_name = verbose_name_plural = "激励的同意"
        db_table_comment = "append-only: each yes and no of the person about a reward"
        ordering = ["id"]
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=Q(scope__in=["reward", "notice", "publish"]), name="rewardconsent_scope_is_known"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_scope_display()}：{'同意' if self.given else '不同意'}"


class RewardHit(models.Model):
    """The key of a record that stands in the way, as the database found it; what the record says is read with a line."""

    class Kind(models.TextChoices):
        LISTING = "listing", "严重失信主体名单"
        COURT = "court", "失信被执行人"
        ADVERSE = "adverse", "一般、严重失信记录"

    case = models.ForeignKey(RewardCase, models.PROTECT, related_name="hits")
    person = models.ForeignKey(Person, models.PROTECT, editable=False, related_name="+")
    record_id = models.BigIntegerField()
    item = models.ForeignKey(Item, models.PROTECT, verbose_name="目录条目", related_name="+")
    kind = models.CharField("类别", max_length=8, choices=Kind)
    found_at = models.DateTimeField("发现时间")
    gone_at = models.DateTimeField("消失时间", null=True)
    set_aside = models.BooleanField("决定不影响激励", default=False)

    class Meta:
        verbose_name = verbose_name_plural = "冲突核对结果"
        db_table_comment = "append-only, written by the database: records found to stand in the way of a reward"
        ordering = ["id"]
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["case", "record_id"], name="rewardhit_once_per_record")]

    def __str__(self) -> str:
        return self.get_kind_display()


class RewardObjection(models.Model):
    """What somebody says against a public notice, nameless; answered before anything is granted."""

    case = models.ForeignKey(RewardCase, models.PROTECT, related_name="objections")
    text = models.CharField("意见", max_length=500)
    at = models.DateTimeField("时间", db_default=Now())
    answer = models.CharField("答复", max_length=500, blank=True)
    answered_by = models.ForeignKey(User, models.PROTECT, null=True, verbose_name="答复人", related_name="+")
    answered_at = models.DateTimeField("答复时间", null=True)

    class Meta:
        verbose_name = verbose_name_plural = "公示意见"
        ordering = ["id"]
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=~Q(text=""), name="rewardobjection_says_something", violation_error_message="请写下您的意见。"
            ),
            models.CheckConstraint(
                condition=Q(answer="", answered_by__isnull=True, answered_at__isnull=True)
                | ~Q(answer="") & Q(answered_by__isnull=False, answered_at__isnull=False),
                name="rewardobjection_answered_by_somebody",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"意见 {self.pk}"

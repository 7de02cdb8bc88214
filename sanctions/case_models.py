"""The listing procedure (列入程序): one case for one person, from an effective document to the end of the listing.

What moves a case, and what each step must find, is held by the database (migration 0002_case_rules); the rows here say it.
"""

from datetime import date

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import Organisation, Person, User
from catalogue.models import Deadline
from sanctions.measure_models import Measure
from sanctions.roster_models import PersonCategory, RosterVersion


class State(models.TextChoices):
    """Domain §5.2. Being public is a date of the listing, not a state of the case."""

    OPENED = "opened", "已立案"
    DRAFTED = "drafted", "已拟稿"
    NOTICED = "noticed", "告知书已签发"
    DEFENCE_OPEN = "defence_open", "陈述申辩期"
    DEFENCE_RECEIVED = "defence_received", "已收到陈述申辩"
    REVIEWED = "reviewed", "已复核"
    REMEDIED = "remedied", "已改正，不予列入"
    LEGAL_CHECK = "legal_check", "法制审核通过"
    UPPER_CONSENT = "upper_consent", "上级机关已同意"
    DECIDED = "decided", "已决定列入"
    NOT_LISTED = "not_listed", "已决定不予列入"
    SERVED = "served", "决定已送达"
    LISTED = "listed", "已列入"
    SUSPENDED = "suspended", "停止执行"
    REMOVED_EARLY = "removed_early", "已提前移出"
    REMOVED_EXPIRED = "removed_expired", "期满移出"
    ANNULLED = "annulled", "已撤销"
    CLOSED = "closed", "已终止"


UNDER_WAY = (
    State.OPENED, State.DRAFTED, State.NOTICED, State.DEFENCE_OPEN, State.DEFENCE_RECEIVED, State.REVIEWED,
    State.LEGAL_CHECK, State.UPPER_CONSENT, State.DECIDED, State.SERVED,
)  # fmt: skip
IN_EFFECT = (State.LISTED, State.SUSPENDED)


class Service(models.TextChoices):
    """How a document reaches the person."""

    IN_PERSON = "in_person", "直接送达"
    POST = "post", "邮寄送达"
    LEFT = "left", "留置送达"
    ELECTRONIC = "electronic", "电子送达（经本人同意）"
    ANNOUNCEMENT = "announcement", "公告送达"


class Arrow(models.Model):
    """An arrow of the procedure: from where to where, by which event, whose duty, resting on which paper. Written by migration."""

    from_state = models.CharField("从", max_length=16, blank=True)
    to_state = models.CharField("到", max_length=16)
    event = models.CharField("步骤", max_length=20)
    duty = models.CharField("职责", max_length=24, blank=True, help_text="空为平台到期自动办理")
    paper = models.CharField("须有的文书", max_length=16, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "程序步骤"
        db_table = "sanctions_arrow"
        db_table_comment = (
            "append-only, written by the database: arrows of the listing procedure, which come with a migration"
        )
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["from_state", "to_state"], name="arrow_once_between_two_states"),
        ]

    def __str__(self) -> str:
        return f"{self.from_state} → {self.to_state}"


class ListingCaseQuerySet(models.QuerySet["ListingCase"]):
    def visible_to(self, user: User) -> "ListingCaseQuerySet":
        """Cases of the user's own organisation, and those that wait for or had its consent from above."""
        if not user.is_active or user.organisation_id is None or not any(user.has_perm(p) for p in HANDS):
            return self.none()
        return self.filter(Q(organisation=user.organisation_id) | Q(upper=user.organisation_id))

    def under_way(self) -> "ListingCaseQuerySet":
        """Cases that are neither over nor in effect."""
        return self.filter(state__in=UNDER_WAY)

    def with_due_day(self) -> "ListingCaseQuerySet":
        """Add `due_on`, `due_provisional` and `is_overdue` of the first clock that nobody has met, in the same query."""
        return self.annotate(**Deadline.objects.days_of(ListingCase))


HANDS = (
    "sanctions.propose_listing", "sanctions.review_listing", "sanctions.legal_check_listing", "sanctions.decide_listing",
    "sanctions.consent_listing",
)  # fmt: skip


def _hand(label: str) -> models.ForeignKey:
    return models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, editable=False, verbose_name=label, related_name="+"
    )


def _day(label: str, said: str = "") -> models.DateField:
    return models.DateField(label, null=True, blank=True, editable=False, help_text=said)


class ListingCase(models.Model):
    """A case: keys, days, states and hands. What it says of the person stands in CaseFile, under a line of the query log."""

    roster_version = models.ForeignKey(RosterVersion, models.PROTECT, verbose_name="名单制度版本", related_name="cases")
    organisation = models.ForeignKey(
        Organisation, models.PROTECT, verbose_name="认定单位", related_name="listing_cases"
    )
    upper = models.ForeignKey(
        Organisation, models.PROTECT, null=True, blank=True, verbose_name="上级机关", related_name="+",
        help_text="名单制度要求上级同意时填写",
    )  # fmt: skip
    person = models.ForeignKey(Person, models.PROTECT, verbose_name="自然人", related_name="listing_cases")
    category = models.CharField("人员类别", max_length=10, choices=PersonCategory)
    acts = ArrayField(
        models.PositiveSmallIntegerField(), verbose_name="具体行为", help_text="名单制度所列行为的序号，从 1 起"
    )
    act_end = models.DateField("行为终止日期")
    document_kind = models.CharField("认定文书类型", max_length=1, help_text="代码集 DOC")
    document_no = models.CharField("认定文书号", max_length=100)
    document_issuer = models.CharField("文书制作机关", max_length=200)
    document_on = models.DateField("文书日期")
    document_effective_on = models.DateField("文书生效日期")

    state = models.CharField("状态", max_length=16, choices=State, default=State.OPENED)
    moved_by = models.ForeignKey(
        User, models.PROTECT, null=True, editable=False, verbose_name="办理人", related_name="+"
    )
    move_note = models.CharField("办理意见", max_length=500, blank=True, editable=False)
    move_paper = models.ForeignKey(
        "CasePaper", models.PROTECT, null=True, editable=False, verbose_name="所据文书", related_name="+"
    )

    # What the notice says would follow, and what was decided; the second never goes beyond the first.
    notice_term_months = models.PositiveSmallIntegerField("拟列入期限（月）", null=True, blank=True)
    notice_public = models.BooleanField("拟公示", default=False)
    term_months = models.PositiveSmallIntegerField("决定的期限（月）", null=True, blank=True)
    public = models.BooleanField("决定公示", default=False)

    # Hands and days are set with the step, the days by the database itself.
    opened_by = models.ForeignKey(User, models.PROTECT, verbose_name="立案人", related_name="+")
    opened_on = _day("立案日期")
    drafted_by = _hand("主办人")
    cosigned_by = _hand("协办人")
    drafted_on = _day("拟稿日期")
    noticed_on = _day("告知书签发日期")
    notice_way = models.CharField("告知书送达方式", max_length=12, choices=Service, blank=True, editable=False)
    notice_served_on = _day("告知书送达（公告发布）日期")
    notice_counts_from = _day("视为送达日期", "公告送达的为公告期满之日")
    defence_until = _day("陈述申辩截止日期")
    defence_on = _day("收到陈述申辩日期")
    reviewed_by = _hand("复核人")
    reviewed_on = _day("复核日期")
    legal_by = _hand("法制审核人")
    legal_on = _day("法制审核日期")
    upper_by = _hand("上级机关同意人")
    upper_on = _day("上级机关同意日期")
    decided_by = _hand("决定人")
    decided_on = _day("决定日期")
    decision_no = models.CharField("列入决定书文号", max_length=100, blank=True, editable=False)
    serve_way = models.CharField("决定送达方式", max_length=12, choices=Service, blank=True, editable=False)
    decision_served_on = _day("决定送达（公告发布）日期")
    decision_counts_from = _day("决定视为送达日期")
    listed_on = _day("列入日期")
    ended_on = _day("办结日期")
    early_shown = ArrayField(
        models.PositiveSmallIntegerField(), null=True, blank=True, editable=False,
        verbose_name="提前移出：有证据证明的条件", help_text="名单制度所列条件的序号，从 1 起",
    )  # fmt: skip

    objects = ListingCaseQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "列入案件"
        ordering = ["-pk"]
        db_table_comment = "kept: cases of the listing procedure, moved along the arrows of sanctions_arrow"
        default_permissions = ()
        indexes = [
            models.Index(fields=["organisation", "state"], name="listingcase_queue"),
            models.Index(fields=["person"], name="listingcase_person"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["roster_version", "person", "document_no", "organisation"],
                condition=~Q(state__in=["remedied", "not_listed", "closed", "annulled"]),
                name="listingcase_once_per_document",
                violation_error_message="这个人因这份文书列入该名单的案件已经存在，请在原案件中办理。",
            ),
            models.CheckConstraint(
                condition=~Q(document_no="") & Q(document_effective_on__gte=F("document_on")),
                name="listingcase_rests_on_an_effective_document",
                violation_error_message="请填写文书号；生效日期不能早于文书日期。",
            ),
            models.CheckConstraint(
                condition=Q(act_end__lte=F("document_on")), name="listingcase_act_is_over_when_decided",
                violation_error_message="行为终止日期不能晚于文书日期。",
            ),
            models.CheckConstraint(condition=Q(acts__len__gt=0), name="listingcase_names_the_acts"),
            models.CheckConstraint(
                condition=Q(term_months__isnull=True) | Q(term_months__lte=F("notice_term_months")),
                name="listingcase_term_not_worse_than_noticed",
                violation_error_message="决定的期限不能长于告知书写明的期限。",
            ),
            models.CheckConstraint(
                condition=Q(public=False) | Q(notice_public=True), name="listingcase_public_only_as_noticed",
                violation_error_message="告知书没有写明公示的，决定不能公示。",
            ),
            models.CheckConstraint(
                condition=Q(notice_counts_from__isnull=True) | Q(defence_until__gt=F("notice_counts_from")),
                name="listingcase_window_follows_service",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.number

    @property
    def number(self) -> str:
        """Return the number that people quote and the query log holds as the case: L, day of opening, sequence."""
        return f"L{self.opened_on or timezone.localdate():%Y%m%d}-{self.pk:06d}"

    @property
    def acts_in_words(self) -> list[str]:
        """Return the roster's acts that the case is about."""
        said = self.roster_version.acts
        return [said[number - 1] for number in self.acts]

    def window_is_over(self, day: date) -> bool:
        """Tell whether the person's time to answer has passed on a day."""
        return self.defence_until is not None and day > self.defence_until

    @property
    def is_under_way(self) -> bool:
        return self.state in UNDER_WAY


class CaseFile(models.Model):
    """What a case says of the person: facts, evidence, answers. Closed: the person, or a line under the case's number."""

    case = models.OneToOneField(ListingCase, models.PROTECT, primary_key=True, related_name="file")
    employer = models.CharField("所在单位", max_length=200, blank=True, help_text="责任人员所在的用人单位、企业")
    employer_uscc = models.CharField("所在单位统一社会信用代码", max_length=18, blank=True)
    facts = models.TextField("事实", max_length=4000, blank=True)
    reasons = models.TextField("理由和依据", max_length=4000, blank=True)
    summary = models.CharField(
        "列入事由（公示用）", max_length=500, blank=True, help_text="不写第三人和与认定无关的情况"
    )
    evidence = models.JSONField("证据清单", default=list, blank=True, help_text="名称和来源")
    defence = models.TextField("陈述申辩", max_length=10000, blank=True)
    review = models.TextField("复核意见", max_length=10000, blank=True, help_text="对陈述申辩逐条回应")
    legal = models.TextField("法制审核意见", max_length=4000, blank=True)
    decision = models.TextField("决定的理由", max_length=4000, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "案件内容"
        default_permissions = ()

    def __str__(self) -> str:
        return f"案件内容 {self.pk}"


class CaseMeasure(models.Model):
    """A measure that the notice names; `decided` when the decision names it as well. None is decided that was not noticed."""

    case = models.ForeignKey(ListingCase, models.PROTECT, verbose_name="案件", related_name="case_measures")
    measure = models.ForeignKey(Measure, models.PROTECT, verbose_name="措施", related_name="+")
    decided = models.BooleanField("决定实施", default=False)

    class Meta:
        verbose_name = verbose_name_plural = "案件所涉措施"
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["case", "measure"], name="casemeasure_once_per_case")]

    def __str__(self) -> str:
        return str(self.measure)


class CasePaper(models.Model):
    """A document of a case: what it is, its number and digest. The file itself is kept by whoever makes it (documents)."""

    class Kind(models.TextChoices):
        BASIS = "basis", "认定文书"
        NOTICE = "notice", "拟列入告知书"
        NOTICE_RECEIPT = "notice_receipt", "告知书送达证明"
        DEFENCE = "defence", "陈述申辩材料"
        REVIEW = "review", "复核意见书"
        REMEDY = "remedy", "改正证明和信用承诺书"
        LEGAL = "legal", "法制审核意见书"
        CONSENT = "consent", "上级机关同意文书"
        DECISION = "decision", "列入决定书"
        NOT_LISTING = "not_listing", "不予列入决定书"
        RECEIPT = "receipt", "决定书送达证明"
        REPAIR_NOTICE = "repair_notice", "信用修复告知书"
        SUSPENSION = "suspension", "停止执行的文书"
        RESUMPTION = "resumption", "恢复执行的文书"
        REMOVAL = "removal", "移出决定书"
        ANNULMENT = "annulment", "撤销文书"
        APOLOGY = "apology", "致歉函"
        OTHER = "other", "其他"

    case = models.ForeignKey(ListingCase, models.PROTECT, verbose_name="案件", related_name="papers")
    kind = models.CharField("文书", max_length=16, choices=Kind)
    number = models.CharField("文号", max_length=100, blank=True)
    issuer = models.CharField("制作机关", max_length=200, blank=True)
    dated = models.DateField("文书日期")
    digest = models.CharField("SHA-256", max_length=64)
    by = models.ForeignKey(User, models.PROTECT, null=True, verbose_name="登记人", related_name="+")
    at = models.DateTimeField("登记时间", db_default=Now(), editable=False)

    class Meta:
        verbose_name = verbose_name_plural = "案件文书"
        db_table_comment = "append-only: documents of listing cases"
        ordering = ["pk"]
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=Q(digest__regex=r"^[0-9a-f]{64}$"), name="casepaper_is_known_by_sha256",
                violation_error_message="文书须有 SHA-256 摘要。",
            ),
            models.CheckConstraint(
                condition=~Q(kind__in=["notice", "decision", "not_listing", "removal", "annulment", "suspension"])
                | ~Q(number=""),
                name="casepaper_of_an_authority_has_a_number",
                violation_error_message="这类文书须有文号。",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.number}".strip()


class CaseEvent(models.Model):
    """A step of a case. Written by the database with the step itself; append-only."""

    case = models.ForeignKey(ListingCase, models.PROTECT, verbose_name="案件", related_name="events")
    event = models.CharField("步骤", max_length=20)
    from_state = models.CharField("从", max_length=16, blank=True)
    to_state = models.CharField("到", max_length=16, choices=State)
    by = models.ForeignKey(User, models.PROTECT, null=True, verbose_name="办理人", related_name="+")
    by_name = models.CharField("办理人姓名", max_length=60, blank=True)
    on = models.DateField("日期")
    at = models.DateTimeField("时间", db_default=Now())
    note = models.CharField("意见", max_length=500, blank=True)
    paper_digest = models.CharField("文书摘要", max_length=64, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "案件经过"
        db_table_comment = "append-only, written by the database: every step of every listing case"
        ordering = ["pk"]
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.on} {self.get_to_state_display()}"

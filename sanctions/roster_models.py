"""Rosters (名单制度) as data: whose law they rest on, whom they may name, for how long, and how one gets off again."""

from datetime import date
from typing import Any

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, RangeOperators
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.expressions import RawSQL
from django.db.models.functions import Coalesce, Now

from accounts.models import Organisation, User
from catalogue.models import Article, DeadlineRule, Field, Item, Proposal


class Ground(models.TextChoices):
    """The four lawful grounds of a list of serious breaches (国办发〔2016〕98号, confirmed by 国办发〔2020〕49号)."""

    HEALTH = "health", "严重危害人民群众身体健康和生命安全"
    MARKET = "market", "严重破坏市场公平竞争秩序和社会正常秩序"
    OBLIGATION = "obligation", "拒不履行法定义务，严重影响司法机关、行政机关公信力"
    DEFENCE = "defence", "拒不履行国防义务"


class PersonCategory(models.TextChoices):
    """Whom a roster may name: whoever acted, or whom its rule makes answerable for an enterprise."""

    SELF = "self", "行为人本人"
    LEGAL = "legal", "法定代表人"
    PRINCIPAL = "principal", "主要负责人"
    MANAGER = "manager", "直接负责的主管人员"
    DIRECT = "direct", "其他直接责任人员"


class RosterQuerySet(models.QuerySet["Roster"]):
    def run_by(self, organisation_id: int | None, permission: str = "decide") -> "RosterQuerySet":
        """Rosters that an organisation may run today (列入、移出), or check people against, by the register of grants."""
        granted = RawSQL("SELECT unnest(sanctions_granted_rosters(%s, %s))", [organisation_id, permission])
        return self.filter(pk__in=granted)


class Roster(models.Model):
    """A list with a legal regime of its own (名单制度). Its rules live in versions."""

    class Scope(models.TextChoices):
        NATIONAL = "N", "全国性名单"
        LOCAL = "L", "地方性名单"

    code = models.SlugField("代码", max_length=20, unique=True, help_text="小写英文，用于网址，例如 market")
    name = models.CharField("名单名称", max_length=100, unique=True)
    scope = models.CharField("范围", max_length=1, choices=Scope, default=Scope.NATIONAL)
    mirrored = models.BooleanField(
        "转载名单", default=False, help_text="由人民法院认定，本平台只转载：不立案，不修改，随来源增减"
    )
    item = models.OneToOneField(
        Item, models.PROTECT, null=True, blank=True, verbose_name="记录归入的目录条目", related_name="roster",
        help_text="没有目录条目的名单制度不能启用",
    )  # fmt: skip

    objects = RosterQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "名单制度"
        ordering = ["pk"]
        default_permissions = ("view",)
        permissions = [
            ("propose_roster", "提出名单制度和惩戒措施"),
            ("confirm_roster", "确认名单制度和惩戒措施"),
            ("propose_listing", "经办列入名单"),
            ("review_listing", "复核列入名单"),
            ("legal_check_listing", "法制审核列入名单"),
            ("decide_listing", "决定列入、移出名单"),
            ("consent_listing", "以上级机关名义同意列入"),
            ("watch_listings", "监督各单位的列入案件（不看内容）"),
        ]

    def __str__(self) -> str:
        return self.name

    def version_on(self, day: date) -> "RosterVersion | None":
        """Return the version that answers for a day."""
        return self.versions.in_force(day).first()


class RosterVersionQuerySet(models.QuerySet["RosterVersion"]):
    def in_force(self, day: date) -> "RosterVersionQuerySet":
        """Versions that answer for a day; the database's `sanctions_roster_in_force` says the same."""
        until = Q(valid_to__isnull=True) | Q(valid_to__gt=day)
        return self.filter(until, state=RosterVersion.State.IN_FORCE, valid_from__lte=day)


def _clock(label: str, default: str, said: str = "") -> models.CharField:
    return models.CharField(label, max_length=4, default=default, help_text=said or "时限规则表中的代码")


class RosterVersion(Proposal):
    """The rules of a roster for a time. One official proposes it whole, another confirms it; then nothing of it changes."""

    roster = models.ForeignKey(Roster, models.PROTECT, verbose_name="名单制度", related_name="versions")
    number = models.PositiveSmallIntegerField("版次")
    articles: "models.ManyToManyField[Article, RosterArticle]" = models.ManyToManyField(
        Article, through="RosterArticle", verbose_name="依据", related_name="+"
    )
    grounds = ArrayField(models.CharField(max_length=10, choices=Ground), verbose_name="法定情形")
    acts = ArrayField(models.CharField(max_length=300), verbose_name="列入的具体行为", help_text="一行一种，照制度原文")
    categories = ArrayField(
        models.CharField(max_length=10, choices=PersonCategory), verbose_name="可列入的人员类别",
        help_text="只限制度点名的类别；责任人员须各自告知、各自决定",
    )  # fmt: skip
    term_months = models.PositiveSmallIntegerField(
        "列入期限（月）", null=True, blank=True, help_text="留空表示由人民法院决定，仅限转载名单"
    )
    early_wait_months = models.PositiveSmallIntegerField(
        "满几个月可申请提前移出", null=True, blank=True, help_text="留空表示没有最短等待期"
    )
    early_conditions = ArrayField(
        models.CharField(max_length=200), verbose_name="提前移出的条件", default=list, blank=True
    )
    remedy_exit = models.BooleanField("决定前改正可以不列入", default=False)
    upper_consent = models.BooleanField("列入须经上级机关同意", default=False)
    defence_clock = _clock("陈述申辩期", "D04", "告知送达之日起算，期满之前不得列入")
    review_clock = _clock("复核期限", "D06")
    decide_clock = _clock("作出决定的期限", "D84")
    serve_clock = _clock("决定送达期限", "D07")
    publish_clock = _clock("公示期限", "D09")
    lift_clock = _clock("移出后解除措施的期限", "D18")
    relief = models.TextField("救济途径", max_length=1000)
    reconsideration_body = models.CharField("行政复议机关", max_length=200, blank=True)
    litigation_court = models.CharField("管辖法院", max_length=200, blank=True)
    public = models.BooleanField("依法公示", default=False)
    public_wait_days = models.PositiveSmallIntegerField(
        "送达后第几个工作日起可以公示", default=1, help_text="至少是送达的下一个工作日"
    )
    public_fields = ArrayField(
        models.CharField(max_length=30), verbose_name="公示的数据项", default=list, blank=True,
        help_text="目录条目中公众可见的数据项代码",
    )  # fmt: skip
    source = models.CharField("来源", max_length=200)
    confidence = models.CharField(
        "核实程度", max_length=3, choices=DeadlineRule.Confidence, default=DeadlineRule.Confidence.MEDIUM
    )
    verified = models.BooleanField("已对照原文核实", default=False)
    change_note = models.CharField("修订说明", max_length=300, blank=True)
    valid_from = models.DateField("启用日期")
    valid_to = models.DateField("停用日期", null=True, blank=True)
    created_at = models.DateTimeField("录入时间", db_default=Now(), editable=False)

    objects = RosterVersionQuerySet.as_manager()

    class Meta(Proposal.Meta):
        verbose_name = verbose_name_plural = "名单制度版本"
        ordering = ["roster", "-number"]
        default_permissions = ("view",)
        constraints = [
            *Proposal.Meta.constraints,
            models.UniqueConstraint(fields=["roster", "number"], name="rosterversion_number_once_per_roster"),
            models.UniqueConstraint(
                fields=["roster"], condition=Q(state="draft"), name="rosterversion_one_draft_per_roster",
                violation_error_message="这个名单制度已有待确认的版本，请先确认或退回。",
            ),
            ExclusionConstraint(
                name="rosterversion_in_force_do_not_overlap",
                expressions=[
                    ("roster", RangeOperators.EQUAL),
                    (Func(F("valid_from"), F("valid_to"), Value("[)"), function="daterange"), RangeOperators.OVERLAPS),
                ],
                condition=Q(state="in_force"),
                violation_error_message="同一名单制度的现行版本有效期间不能重叠。",
            ),
            models.CheckConstraint(
                condition=Q(valid_to__isnull=True) | Q(valid_to__gt=F("valid_from")),
                name="rosterversion_ends_after_it_begins", violation_error_message="停用日期须晚于启用日期。",
            ),
            models.CheckConstraint(
                condition=Q(grounds__len__gt=0, acts__len__gt=0, categories__len__gt=0),
                name="rosterversion_says_whom_and_why",
                violation_error_message="法定情形、具体行为和人员类别都不能空着。",
            ),
            models.CheckConstraint(
                condition=Q(grounds__contained_by=[str(ground) for ground in Ground.values]),
                name="rosterversion_grounds_are_lawful", violation_error_message="法定情形只有规定的四种。",
            ),
            models.CheckConstraint(
                condition=Q(categories__contained_by=[str(category) for category in PersonCategory.values]),
                name="rosterversion_categories_are_known", violation_error_message="人员类别不在规定的范围内。",
            ),
            models.CheckConstraint(
                condition=Q(term_months__isnull=True) | Q(term_months__gt=0, term_months__lte=60),
                name="rosterversion_term_has_an_end", violation_error_message="列入期限为 1 至 60 个月。",
            ),
            models.CheckConstraint(
                condition=Q(early_wait_months__isnull=True) | Q(term_months__isnull=True)
                | Q(early_wait_months__lt=F("term_months")),
                name="rosterversion_early_is_before_the_end",
                violation_error_message="提前移出的等待期须短于列入期限。",
            ),
            models.CheckConstraint(
                condition=Q(public_wait_days__gte=1), name="rosterversion_public_after_service",
                violation_error_message="公示最早从送达的下一个工作日开始。",
            ),
            models.CheckConstraint(
                condition=~Q(relief=""), name="rosterversion_says_the_relief",
                violation_error_message="请写明救济途径。",
            ),
            models.CheckConstraint(
                condition=Q(number=1) | ~Q(change_note=""), name="rosterversion_change_is_explained",
                violation_error_message="修订版本须写明修订说明。",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.roster}（第 {self.number} 版）"

    @property
    def public_labels(self) -> list[str]:
        """Return what the public is shown, in the words of the catalogue item; a code that no version of it knows stays as it is."""
        labels = dict(
            Field.objects.filter(item_version__item=self.roster.item_id, code__in=self.public_fields)
            .order_by("item_version__version")
            .values_list("code", "label")
        )
        return [labels.get(code, code) for code in self.public_fields]

    @property
    def grounds_in_words(self) -> list[str]:
        """Return the lawful grounds as sentences."""
        return [str(Ground(ground).label) for ground in self.grounds]

    @property
    def categories_in_words(self) -> list[str]:
        """Return whom it may name, in words."""
        return [str(PersonCategory(category).label) for category in self.categories]


class RosterArticle(models.Model):
    """An article that a version of a roster rests on, and for what. Entered with the version, then fixed."""

    class Use(models.TextChoices):
        LIST = "list", "设列依据"
        PROCEDURE = "procedure", "程序依据"
        PUBLISH = "publish", "公开依据"
        REMOVE = "remove", "移出依据"

    version = models.ForeignKey(RosterVersion, models.PROTECT, verbose_name="版本", related_name="bases")
    article = models.ForeignKey(Article, models.PROTECT, verbose_name="条款", related_name="+")
    use = models.CharField("用途", max_length=9, choices=Use)

    class Meta:
        verbose_name = verbose_name_plural = "名单制度依据"
        db_table_comment = "append-only: entered with the version of the roster"
        ordering = ["pk"]
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["version", "article", "use"], name="rosterarticle_once_per_version")
        ]

    def __str__(self) -> str:
        return f"{self.get_use_display()}：{self.article}"


class RosterGrantQuerySet(models.QuerySet["RosterGrant"]):
    def with_end(self) -> Any:
        """Add the day from which each opens nothing, as `end`."""
        return self.annotate(end=Coalesce("ended_on", "valid_to"))

    def in_force(self, day: date) -> "RosterGrantQuerySet":
        """Grants that open something on a day."""
        return self.with_end().filter(state=RosterGrant.State.IN_FORCE, valid_from__lte=day, end__gt=day)

    def visible_to(self, user: User) -> "RosterGrantQuerySet":
        """All to those who keep the register, one's own to the departments."""
        if user.has_perm("sanctions.propose_rostergrant") or user.has_perm("sanctions.watch_listings"):
            return self
        return self.filter(organisation=user.organisation_id) if user.organisation_id else self.none()


class RosterGrant(Proposal):
    """Leave for an organisation to run a roster, to consent from above, or to check people; by two hands, with an end.

    Who does which step inside the organisation follows from their role; what is open today is said by the database's
    `sanctions_granted_rosters`.
    """

    class Permission(models.TextChoices):
        DECIDE = "decide", "办理列入和移出"
        CONSENT = "consent", "以上级机关名义同意列入"
        CHECK = "check", "名单核查"

    organisation = models.ForeignKey(Organisation, models.PROTECT, verbose_name="单位", related_name="roster_grants")
    roster = models.ForeignKey(Roster, models.PROTECT, verbose_name="名单制度", related_name="grants")
    permission = models.CharField("授权事项", max_length=8, choices=Permission)
    basis = models.CharField("法律依据", max_length=200)
    reason = models.CharField("理由", max_length=300)
    valid_from = models.DateField("起始日期")
    valid_to = models.DateField("截止日期", help_text="自这一天起失效；需要继续的另行续期")
    ended_on = models.DateField("收回日期", null=True, blank=True, editable=False)
    ended_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, editable=False, verbose_name="收回人", related_name="+"
    )
    end_reason = models.CharField("收回理由", max_length=300, blank=True, editable=False)

    objects = RosterGrantQuerySet.as_manager()

    class Meta(Proposal.Meta):
        verbose_name = verbose_name_plural = "名单办理授权"
        ordering = ["organisation", "roster", "permission", "-valid_from"]
        default_permissions = ("view",)
        permissions = [
            ("propose_rostergrant", "申请名单办理授权"),
            ("confirm_rostergrant", "确认名单办理授权"),
            ("end_rostergrant", "收回名单办理授权"),
        ]
        constraints = [
            *Proposal.Meta.constraints,
            ExclusionConstraint(
                name="rostergrant_in_force_do_not_overlap",
                expressions=[
                    ("organisation", RangeOperators.EQUAL),
                    ("roster", RangeOperators.EQUAL),
                    ("permission", RangeOperators.EQUAL),
                    (
                        Func(F("valid_from"), Coalesce("ended_on", "valid_to"), Value("[)"), function="daterange"),
                        RangeOperators.OVERLAPS,
                    ),
                ],
                condition=Q(state="in_force"),
                violation_error_message="这个单位在这段时间里已有该名单的同一授权。",
            ),
            models.CheckConstraint(
                condition=~Q(basis="") & ~Q(reason=""), name="rostergrant_says_on_what_basis_and_why",
                violation_error_message="请写明法律依据和理由。",
            ),
            models.CheckConstraint(
                condition=Q(valid_to__gt=F("valid_from")), name="rostergrant_ends_after_it_begins",
                violation_error_message="截止日期须晚于起始日期。",
            ),
            models.CheckConstraint(
                condition=Q(ended_on__isnull=True, ended_by__isnull=True, end_reason="")
                | (Q(ended_on__isnull=False, ended_by__isnull=False) & ~Q(end_reason="")),
                name="rostergrant_taken_back_by_somebody_for_a_reason",
                violation_error_message="请写明收回的理由。",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.organisation}{self.get_permission_display()}：{self.roster}"

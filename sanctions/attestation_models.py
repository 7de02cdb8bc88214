"""Attestations that no adverse record was in force for some years (seed C-26): the rule, what was issued, what it said."""

from datetime import date

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, RangeOperators
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Now
from django.utils import timezone

from access.models import ConsentUse
from accounts.models import Organisation, Person, User
from catalogue.models import DeadlineRule, Proposal, PublicationPeriod
from records.report_models import paper_number

Severity = PublicationPeriod.Severity
MOST_YEARS = 10  # what any rule may reach back to; the rule in force says how far people may ask


class AttestationRuleQuerySet(models.QuerySet["AttestationRule"]):
    def in_force(self, day: date | None = None) -> "AttestationRuleQuerySet":
        """The version that answers for a day."""
        day = day or timezone.localdate()
        begun = self.filter(state=AttestationRule.State.IN_FORCE, valid_from__lte=day)
        return begun.filter(Q(valid_to__isnull=True) | Q(valid_to__gt=day))


class AttestationRule(Proposal):
    """Which records count, and over how many years may be asked. A change is a new version, by two hands."""

    severities = ArrayField(models.SmallIntegerField(choices=Severity), verbose_name="计入的失信程度")
    years_from = models.PositiveSmallIntegerField("最少几年", default=1)
    years_to = models.PositiveSmallIntegerField("最多几年", default=5)
    years_usual = models.PositiveSmallIntegerField("通常几年", default=3)
    basis = models.CharField("依据和理由", max_length=300)
    source = models.CharField("出处", max_length=200)
    confidence = models.CharField("核对程度", max_length=3, choices=DeadlineRule.Confidence)
    valid_from = models.DateField("启用日期")
    valid_to = models.DateField("停用日期", null=True, blank=True, help_text="自这一天起不再适用")

    objects = AttestationRuleQuerySet.as_manager()

    class Meta(Proposal.Meta):
        verbose_name = verbose_name_plural = "无失信记录证明规则"
        ordering = ["-valid_from", "-id"]
        default_permissions = ("view",)
        permissions = [
            ("propose_attestationrule", "提出无失信记录证明规则"), ("confirm_attestationrule", "确认无失信记录证明规则"),
        ]  # fmt: skip
        constraints = [
            *Proposal.Meta.constraints,
            ExclusionConstraint(
                name="attestationrule_in_force_do_not_overlap",
                expressions=[
                    (Func(F("valid_from"), F("valid_to"), Value("[)"), function="daterange"), RangeOperators.OVERLAPS)
                ],
                condition=Q(state="in_force"),
                violation_error_message="现行规则的有效期间不能重叠。",
            ),
            models.CheckConstraint(
                condition=~Q(basis="") & ~Q(source=""), name="attestationrule_says_why",
                violation_error_message="请写明依据和出处。",
            ),
            models.CheckConstraint(
                condition=Q(severities__len__gte=1, severities__contained_by=[Severity.GENERAL.value, Severity.SERIOUS.value]),
                name="attestationrule_counts_what_is_graver_than_minor",
                violation_error_message="只能计入一般、严重失信记录，至少选一种；轻微的不计入。",
            ),
            models.CheckConstraint(
                condition=Q(
                    years_from__gte=1, years_usual__gte=F("years_from"), years_to__gte=F("years_usual"),
                    years_to__lte=MOST_YEARS,
                ),
                name="attestationrule_years_are_a_range",
                violation_error_message=f"年数须为：1 ≤ 最少 ≤ 通常 ≤ 最多 ≤ {MOST_YEARS}。",
            ),
            models.CheckConstraint(
                condition=Q(valid_to__isnull=True) | Q(valid_to__gt=F("valid_from")),
                name="attestationrule_ends_after_it_begins",
                violation_error_message="停用日期须晚于启用日期。",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"无失信记录证明规则第 {self.pk} 版"

    @property
    def severities_in_words(self) -> str:
        """Return which severities count, as people read it."""
        return "、".join(Severity(one).label for one in sorted(self.severities))

    @property
    def span(self) -> str:
        """Return over how many years may be asked, as people read it."""
        return f"{self.years_from} 至 {self.years_to} 年，通常 {self.years_usual} 年"

    @property
    def years(self) -> range:
        """Return the numbers of years that may be asked for."""
        return range(self.years_from, self.years_to + 1)


def attestation_number(pk: int, issued_on: str) -> str:
    """Return the number of an attestation: ZM, day of issue, ten digits, check character, as a report's."""
    return paper_number("ZM", pk, issued_on)


class Attestation(models.Model):
    """That an attestation was issued: to whom, about what, by which rule. What it said is in its answer, for a time.

    `items` are the catalogue items that it is about, None for all adverse ones. Dates are set by the database.
    """

    class Way(models.TextChoices):
        ONLINE = "online", "本人网上办理"
        CONSENT = "consent", "机构经本人授权"

    number = models.CharField("证明编号", max_length=21, unique=True)
    person = models.ForeignKey(Person, models.PROTECT, verbose_name="当事人", related_name="attestations")
    way = models.CharField("方式", max_length=7, choices=Way)
    rule = models.ForeignKey(AttestationRule, models.PROTECT, verbose_name="规则", related_name="+")
    years = models.PositiveSmallIntegerField("连续几年")
    since = models.DateField("自", editable=False)
    as_of = models.DateField("至", editable=False)
    valid_until = models.DateField("有效期至", editable=False, help_text="当天仍有效")
    items = ArrayField(models.BigIntegerField(), verbose_name="条目", null=True)
    consent_use = models.OneToOneField(
        ConsentUse, models.PROTECT, null=True, verbose_name="授权使用", related_name="attestation"
    )
    organisation = models.ForeignKey(Organisation, models.PROTECT, null=True, verbose_name="机构", related_name="+")
    query_seq = models.BigIntegerField("查询日志号")
    issued_at = models.DateTimeField("出具时间", db_default=Now(), editable=False)
    by = models.ForeignKey(User, models.PROTECT, verbose_name="办理人", related_name="+")
    code_hash = models.BinaryField("验证码（索引）", editable=False)

    class Meta:
        verbose_name = verbose_name_plural = "无失信记录证明"
        db_table_comment = "append-only: every attestation issued, never what it said"
        ordering = ["-id"]
        default_permissions = ()
        indexes = [models.Index(fields=["person", "-id"], name="attestation_by_person")]
        constraints = [
            models.CheckConstraint(
                condition=Q(number__regex=r"^ZM[0-9]{18}[0-9A-Z]$"), name="attestation_number_is_well_formed"
            ),
            models.CheckConstraint(
                condition=Q(way="online", consent_use__isnull=True, organisation__isnull=True, items__isnull=True)
                | Q(way="consent", consent_use__isnull=False, organisation__isnull=False, items__len__gte=1),
                name="attestation_to_an_institution_rests_on_a_use",
            ),
            models.CheckConstraint(
                condition=Q(years__gte=1, since__lt=F("as_of"), valid_until__gte=F("as_of")),
                name="attestation_looks_back",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.number

    @property
    def is_over(self) -> bool:
        """Tell whether its period has ended."""
        return self.valid_until < timezone.localdate()


class AttestationAnswer(models.Model):
    """What an attestation said, found by the database; goes with the period. The PDF is for the person alone, sealed."""

    attestation = models.OneToOneField(Attestation, models.PROTECT, primary_key=True, related_name="answer")
    holds = models.BooleanField("能够证明", editable=False)
    sha256 = models.CharField("文件的 SHA-256", max_length=64, blank=True)
    sealed = models.BinaryField("文件（密封）", null=True, editable=False)

    class Meta:
        verbose_name = verbose_name_plural = "证明的回答"
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=Q(sealed__isnull=True, sha256="") | Q(sealed__isnull=False, sha256__regex="^[0-9a-f]{64}$"),
                name="attestationanswer_file_is_known_by_sha256",
            )
        ]

    def __str__(self) -> str:
        return "能够证明" if self.holds else "不能证明"


class AttestationEnd(models.Model):
    """That the person stopped an attestation that they had handed out: from then on checking it tells no more."""

    attestation = models.OneToOneField(Attestation, models.PROTECT, primary_key=True, related_name="end")
    query_seq = models.BigIntegerField("查询日志号")
    at = models.DateTimeField("时间", db_default=Now())

    class Meta:
        verbose_name = verbose_name_plural = "证明的停用"
        db_table_comment = "append-only: attestations stopped by their persons"
        default_permissions = ()

    def __str__(self) -> str:
        return f"{timezone.localtime(self.at):%Y-%m-%d} 停用"

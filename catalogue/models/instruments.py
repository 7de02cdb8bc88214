"""Instruments of law and their articles: what everything else rests on."""

from datetime import date

from django.db import models
from django.db.models import F, Q

from accounts.models import Region, User


class Level(models.IntegerChoices):
    """Level of an instrument: code set BL of domain §3.4; the smaller, the higher."""

    LAW = 10, "法律"
    REGULATION = 20, "行政法规"
    CENTRAL_POLICY = 30, "党中央、国务院政策文件"
    JUDICIAL = 35, "司法解释"
    LOCAL_REGULATION = 40, "地方性法规"
    MINISTRY_RULE = 50, "部门规章"
    LOCAL_RULE = 60, "地方政府规章"
    NORMATIVE = 70, "规范性文件"
    OTHER = 90, "其他"


class Confidence(models.TextChoices):
    """How sure we are of what a source says (the tags of the domain brief)."""

    HIGH = "H", "已核对"
    MEDIUM = "M", "待核对"
    LOW = "L", "未核实"


class Instrument(models.Model):
    """A law, regulation, policy or rule."""

    code = models.CharField("代码", max_length=40, unique=True)
    title = models.CharField("标题", max_length=200)
    issuer = models.CharField("制定机关", max_length=100)
    doc_no = models.CharField("文号", max_length=80, blank=True)
    level = models.PositiveSmallIntegerField("效力层级", choices=Level)
    promulgated_on = models.DateField("公布日期", null=True, blank=True)
    effective_on = models.DateField("施行日期")
    repealed_on = models.DateField("废止日期", null=True, blank=True)
    superseded_by = models.ForeignKey("self", models.PROTECT, null=True, blank=True, verbose_name="替代文件")
    territory = models.ForeignKey(Region, models.PROTECT, null=True, blank=True, verbose_name="适用地域")
    source_url = models.URLField("来源网址", blank=True)
    source = models.CharField("录入来源", max_length=200, blank=True, help_text="从哪里录入，读没读过原文")
    state_council_order = models.BooleanField(
        "国务院决定、命令", default=False, help_text="可以作为公开个人信息的依据（国办发〔2020〕49号）"
    )
    text_digest = models.CharField("文本 SM3 摘要", max_length=64, blank=True)
    confidence = models.CharField("核实程度", max_length=1, choices=Confidence, default=Confidence.MEDIUM)
    verified_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, editable=False, verbose_name="核对人", related_name="+"
    )
    verified_on = models.DateField("核对日期", null=True, blank=True, editable=False)

    class Meta:
        verbose_name = verbose_name_plural = "法规文件"
        permissions = [("verify_instrument", "核对法规文件")]
        ordering = ["level", "effective_on"]
        constraints = [
            models.CheckConstraint(
                condition=Q(repealed_on__isnull=True) | Q(repealed_on__gte=F("effective_on")),
                name="instrument_repealed_after_it_began",
                violation_error_message="废止日期不能早于施行日期。",
            ),
            models.CheckConstraint(
                condition=Q(verified_on__isnull=True, verified_by__isnull=True)
                | Q(verified_on__isnull=False, verified_by__isnull=False),
                name="instrument_verified_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(superseded_by__isnull=True) | ~Q(superseded_by=F("id")),
                name="instrument_not_superseded_by_itself",
                violation_error_message="文件不能替代自己。",
            ),
        ]

    def __str__(self) -> str:
        return f"《{self.title}》{f'（{self.doc_no}）' if self.doc_no else ''}"

    def in_force_on(self, day: date) -> bool:
        """Tell whether the instrument was valid on a day; the day of repeal is the first without it."""
        return self.effective_on <= day and (self.repealed_on is None or day < self.repealed_on)


class Article(models.Model):
    """An article of an instrument that something rests on."""

    instrument = models.ForeignKey(Instrument, models.PROTECT, verbose_name="文件", related_name="articles")
    number = models.CharField("条款", max_length=40, help_text="如 第四十八条")
    summary = models.CharField("要点", max_length=300)

    class Meta:
        verbose_name = verbose_name_plural = "条款"
        ordering = ["instrument", "id"]
        constraints = [models.UniqueConstraint(fields=["instrument", "number"], name="article_once_per_instrument")]

    def __str__(self) -> str:
        return f"{self.instrument}{self.number}"

"""Urgent readings (紧急查询): one person's file, once, without a duty in the register; always reviewed."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from access.review_models import Anomaly
from accounts.models import Organisation, Person, User
from catalogue.models import Confidence


class UrgentGround(models.Model):
    """A statutory reason for which a file may be opened at once. Changed by migration only."""

    code = models.CharField("代码", max_length=10, primary_key=True)
    name = models.CharField("情形", max_length=60)
    basis = models.CharField("法律依据", max_length=200)
    confidence = models.CharField("核实程度", max_length=1, choices=Confidence)
    position = models.PositiveSmallIntegerField("顺序")

    class Meta:
        verbose_name = verbose_name_plural = "紧急查询的法定情形"
        db_table_comment = "append-only, written by the database: statutory reasons for an urgent reading"
        ordering = ["position"]
        default_permissions = ()

    def __str__(self) -> str:
        unverified = "" if self.confidence == Confidence.HIGH else f"，条文{self.get_confidence_display()}"
        return f"{self.name}（{self.basis}{unverified}）"


class UrgentReadingQuerySet(models.QuerySet["UrgentReading"]):
    def visible_to(self, user: User) -> "UrgentReadingQuerySet":
        """All for those who watch; for a unit's head those of the unit; for everybody their own."""
        if not user.has_perm("access.view_urgentreading"):
            return self.none()
        if user.has_perm("access.view_all_urgentreadings"):
            return self
        if user.has_perm("access.answer_urgentreading"):
            return self.filter(Q(organisation=user.organisation_id) | Q(actor=user))
        return self.filter(actor=user)

    def under_review(self) -> "UrgentReadingQuerySet":
        """Those whose review is not closed: the alarm stands until then."""
        return self.exclude(anomaly__state=Anomaly.State.CLOSED)


class UrgentReading(models.Model):
    """One urgent reading: who, whose file, on which ground, in which words, until when; and the review that it opened.

    Written by the database (`access_break_glass`), with the review and the message to the person.
    """

    number = models.CharField("编号", max_length=20, unique=True)
    person = models.ForeignKey(Person, models.PROTECT, editable=False, related_name="urgent_readings")
    actor = models.ForeignKey(User, models.PROTECT, verbose_name="查询人", related_name="urgent_readings")
    organisation = models.ForeignKey(Organisation, models.PROTECT, verbose_name="查询单位", related_name="+")
    ground = models.ForeignKey(UrgentGround, models.PROTECT, verbose_name="法定情形", related_name="+")
    facts = models.CharField("事情经过和非查不可的理由", max_length=300)
    incident_no = models.CharField("接警、应急或者办件编号", max_length=60)
    statement = models.CharField("具结", max_length=300)
    items = ArrayField(models.BigIntegerField(), verbose_name="查询条目")
    opened_at = models.DateTimeField("打开时间", db_default=Now())
    expires_at = models.DateTimeField("关闭时间")
    anomaly = models.OneToOneField(Anomaly, models.PROTECT, verbose_name="核查单", related_name="urgent_reading")

    objects = UrgentReadingQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "紧急查询"
        db_table_comment = "append-only, written by the database: files opened in an emergency"
        ordering = ["-id"]
        default_permissions = ("view",)
        permissions = [
            ("break_glass", "紧急查询"),
            ("answer_urgentreading", "答复本单位的紧急查询核查"),
            ("view_all_urgentreadings", "查看全部紧急查询"),
        ]
        indexes = [models.Index(fields=["actor", "-id"], name="urgentreading_by_actor")]
        constraints = [
            models.CheckConstraint(
                condition=~Q(facts="") & ~Q(incident_no="") & ~Q(statement="") & ~Q(items=[]),
                name="urgentreading_says_why_and_what",
            ),
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("opened_at"), expires_at__lte=F("opened_at") + models.Value("1 hour")),
                name="urgentreading_is_short",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.number

    @property
    def is_open(self) -> bool:
        """Tell whether it still opens the file: in its minutes, and as long as nobody has answered for it."""
        return timezone.now() < self.expires_at and self.anomaly.state == Anomaly.State.OPEN

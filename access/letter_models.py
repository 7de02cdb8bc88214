"""Letters of courts, procuratorates and supervisory organs (公函, Q7), and until when a person is not shown them."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.expressions import RawSQL
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import Organisation, Person, User

# The lines of the log under a letter: each is about one of its persons, and held back with it.
LINES = """(SELECT count(*) FROM access_query q WHERE q.kind = 'Q7' AND q.case_no = access_officialletter.number
 AND q.at >= access_officialletter.registered_at)"""


class OfficialLetterQuerySet(models.QuerySet["OfficialLetter"]):
    def visible_to(self, user: User) -> "OfficialLetterQuerySet":
        """All, for those who deal with letters and for the auditor."""
        return self if user.has_perm("access.view_officialletter") else self.none()

    def held(self) -> "OfficialLetterQuerySet":
        """Those whose lines their persons do not see today, by the database's own day."""
        return self.filter(release_on__gt=RawSQL("cf_today()", [], output_field=models.DateField()))

    def released_untold(self) -> "OfficialLetterQuerySet":
        """Those whose lines can be seen again, and whose persons nobody has told yet."""
        today = RawSQL("cf_today()", [], output_field=models.DateField())
        return self.filter(withhold=True, release_on__lte=today, told_at=None)

    def to_decide_by(self, user: User) -> "OfficialLetterQuerySet":
        """Those that wait for another official than who registered them."""
        return self.filter(state=OfficialLetter.State.ENTERED).exclude(registered_by=user)

    def with_lines(self) -> "OfficialLetterQuerySet":
        """Add how many lines of the log stand under each."""
        return self.annotate(lines=RawSQL(LINES, [], output_field=models.IntegerField()))  # noqa: S611 – a constant of ours


class OfficialLetter(models.Model):
    """A letter that asks about persons of a case: who asks, by what law, about whom, which items, until when."""

    class Sender(models.TextChoices):
        COURT = "court", "人民法院"
        PROCURATORATE = "procurate", "人民检察院"
        SUPERVISION = "supervise", "监察机关"
        OTHER = "other", "其他依法有权的监督机关"

    class State(models.TextChoices):
        ENTERED = "entered", "待审核"
        APPROVED = "approved", "已同意提供"
        REFUSED = "refused", "不予提供"

    number = models.CharField("登记编号", max_length=24, unique=True, editable=False)
    sender = models.CharField("机关类别", max_length=9, choices=Sender)
    sender_name = models.CharField("机关名称", max_length=100)
    letter_no = models.CharField("公函文号", max_length=60)
    letter_on = models.DateField("公函日期")
    officers = ArrayField(models.CharField(max_length=100), verbose_name="承办人员姓名")
    certificates = ArrayField(models.CharField(max_length=60), verbose_name="工作证（执行公务证）编号")
    legal_basis = models.CharField("法律依据", max_length=200)
    case_no = models.CharField("案号", max_length=80)
    items = ArrayField(models.BigIntegerField(), verbose_name="条目")
    answer_until = models.DateField("提供至")
    withhold = models.BooleanField("暂不向当事人显示")
    withhold_basis = models.CharField("暂不显示的理由和依据", max_length=200, blank=True)
    organisation = models.ForeignKey(Organisation, models.PROTECT, verbose_name="登记单位", related_name="+")
    registered_by = models.ForeignKey(User, models.PROTECT, verbose_name="登记人", related_name="+")
    registered_at = models.DateTimeField("登记时间", db_default=Now())
    state = models.CharField("状态", max_length=8, choices=State, default=State.ENTERED)
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, verbose_name="审核人", related_name="+")
    decided_at = models.DateTimeField("审核时间", null=True)
    note = models.CharField("不予提供的理由", max_length=200, blank=True)
    release_on = models.DateField("放出日期", help_text="自这一天起，当事人在“谁查了我”里看得到")
    closed_on = models.DateField("结案日期", null=True)
    closed_by = models.ForeignKey(User, models.PROTECT, null=True, verbose_name="结案登记人", related_name="+")
    told_at = models.DateTimeField("放出后告知时间", null=True)

    objects = OfficialLetterQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "司法、监察、监督机关公函"
        ordering = ["-id"]
        default_permissions = ("view",)
        permissions = [
            ("enter_officialletter", "登记公函、办理提供"),
            ("decide_officialletter", "审核公函、审核延期显示"),
        ]
        indexes = [models.Index(fields=["release_on"], name="officialletter_by_release")]
        constraints = [
            models.CheckConstraint(
                condition=~Q(sender_name="") & ~Q(letter_no="") & ~Q(legal_basis="") & ~Q(case_no="") & Q(items__len__gte=1),
                name="officialletter_says_who_why_and_what",
            ),
            models.CheckConstraint(
                condition=Q(officers__len__gte=2, certificates__len=F("officers__len")),
                name="officialletter_names_two_officers", violation_error_message="须有两名以上承办人员及其证件编号。",
            ),
            models.CheckConstraint(
                condition=Q(withhold=False) | ~Q(withhold_basis=""), name="officialletter_withheld_for_a_reason",
                violation_error_message="请写明暂不显示的理由和依据。",
            ),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("registered_by")),
                name="officialletter_takes_two_hands", violation_error_message="登记人不能自己审核。",
            ),
            models.CheckConstraint(
                condition=Q(state="entered", decided_by__isnull=True) | (~Q(state="entered") & Q(decided_by__isnull=False)),
                name="officialletter_is_decided_by_somebody",
            ),
            models.CheckConstraint(
                condition=~Q(state="refused") | ~Q(note=""), name="officialletter_refused_with_a_reason"
            ),
            models.UniqueConstraint(
                fields=["sender_name", "letter_no"], condition=~Q(state="refused"), name="officialletter_registered_once",
                violation_error_message="这份公函已经登记过。",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.number

    @property
    def is_held(self) -> bool:
        """Tell whether its persons do not see its lines today."""
        return timezone.localdate() < self.release_on

    @property
    def is_open(self) -> bool:
        """Tell whether it is answered today."""
        return (
            self.state == self.State.APPROVED and self.closed_on is None and timezone.localdate() <= self.answer_until
        )

    @property
    def standing(self) -> str:
        if self.state == self.State.APPROVED and not self.is_open:
            return "已结案" if self.closed_on else "提供期已过"
        return self.get_state_display()

    @property
    def tone(self) -> str:
        """Return the colour of the state's mark."""
        if self.is_open:
            return "success"
        return "warning" if self.state == self.State.ENTERED else "plain"

    @property
    def ground(self) -> str:
        """Say by what a reading under it was made: the words that the person reads once it is released."""
        return f"{self.sender_name}公函（{self.letter_no}），依据{self.legal_basis}，案号{self.case_no}"

    def staff(self) -> list[str]:
        """Return the officers with their certificates."""
        return [f"{name}（{paper}）" for name, paper in zip(self.officers, self.certificates, strict=True)]


class LetterPerson(models.Model):
    """A person of the case, as the letter names them; whose name is not the number's is never read."""

    letter = models.ForeignKey(OfficialLetter, models.PROTECT, verbose_name="公函", related_name="persons")
    person = models.ForeignKey(Person, models.PROTECT, verbose_name="当事人", related_name="+")
    matches = models.BooleanField("姓名与号码相符")

    class Meta:
        verbose_name = verbose_name_plural = "公函所涉人员"
        db_table_comment = "append-only: the persons of each letter, settled when it is registered"
        ordering = ["id"]
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["letter", "person"], name="letterperson_named_once")]

    def __str__(self) -> str:
        return f"{self.letter_id}"


class HoldExtensionQuerySet(models.QuerySet["HoldExtension"]):
    def to_decide_by(self, user: User) -> "HoldExtensionQuerySet":
        """Those that wait for another official than who asked."""
        return self.filter(state=HoldExtension.State.ASKED).exclude(asked_by=user)


class HoldExtension(models.Model):
    """Asking that a person is shown a letter's lines later than was settled: once, for a reason, by two officials."""

    class State(models.TextChoices):
        ASKED = "asked", "待审核"
        CONFIRMED = "confirmed", "已同意"
        REFUSED = "refused", "未同意"

    letter = models.ForeignKey(OfficialLetter, models.PROTECT, verbose_name="公函", related_name="extensions")
    release_on = models.DateField("延至")
    reason = models.CharField("延期的理由和依据", max_length=200)
    asked_by = models.ForeignKey(User, models.PROTECT, verbose_name="提出人", related_name="+")
    asked_at = models.DateTimeField("提出时间", db_default=Now())
    asked_after = models.BigIntegerField("提出时的查询日志号", default=0, editable=False)
    state = models.CharField("状态", max_length=9, choices=State, default=State.ASKED)
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, verbose_name="审核人", related_name="+")
    decided_at = models.DateTimeField("审核时间", null=True)
    note = models.CharField("未同意的理由", max_length=200, blank=True)

    objects = HoldExtensionQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "延期显示"
        ordering = ["-id"]
        default_permissions = ()
        constraints = [
            models.CheckConstraint(condition=~Q(reason=""), name="holdextension_has_a_reason"),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("asked_by")), name="holdextension_takes_two_hands",
                violation_error_message="提出人不能自己审核。",
            ),
            models.CheckConstraint(
                condition=Q(state="asked", decided_by__isnull=True) | (~Q(state="asked") & Q(decided_by__isnull=False)),
                name="holdextension_is_decided_by_somebody",
            ),
            models.CheckConstraint(condition=~Q(state="refused") | ~Q(note=""), name="holdextension_refused_with_a_reason"),
            models.UniqueConstraint(
                fields=["letter"], condition=Q(state__in=["asked", "confirmed"]), name="holdextension_once",
                violation_error_message="这份公函已经延期或者正在申请延期，只能延一次。",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.letter_id}：{self.release_on}"

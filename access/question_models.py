"""A person's question about a line of their own access history: objection E7 of domain §6.4, and what came of it."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from access.models import Kind
from access.review_models import Anomaly, Verdict
from accounts.models import Person, User
from creditfujian.lib.text import key_in


class Doubt(models.TextChoices):
    """What the person doubts; the one click sets the first or the second."""

    NO_CONSENT = "no_consent", "我没有同意"
    NO_REASON = "no_reason", "不知道为什么查我"
    TOO_MUCH = "too_much", "查看的内容超出需要"
    NOT_ME = "not_me", "我没有办过这件事"
    OTHER = "other", "其他"


class QuestionQuerySet(models.QuerySet["Question"]):
    def of(self, person: Person) -> "QuestionQuerySet":
        """Questions that the person asked, under any number of theirs."""
        return self.filter(person__in=person.family()).select_related("anomaly", "anomaly__organisation")

    def numbered(self, number: str) -> "Question":
        """Return the one with that number. Raises Question.DoesNotExist."""
        found = self.get(pk=key_in(number))
        if found.number != number:
            raise Question.DoesNotExist(number)
        return found


class Question(models.Model):
    """One question about one line, asked once. The review that answers it is opened by the database with it."""

    GROUND = "E7"  # of domain §6.4: query without consent or ground; cases of objection refer to this row
    NOT_ASKED_ABOUT = (Kind.SELF, Kind.PUBLIC)

    person = models.ForeignKey(Person, models.PROTECT, editable=False, related_name="questions")
    asked_by = models.ForeignKey(User, models.PROTECT, editable=False, related_name="+")
    query_seq = models.BigIntegerField("日志序号")
    query_at = models.DateTimeField("查询时间")
    doubt = models.CharField("疑问", max_length=12, choices=Doubt)
    anomaly = models.OneToOneField(Anomaly, models.PROTECT, verbose_name="核查单", related_name="question")
    at = models.DateTimeField("提出时间", db_default=Now())

    objects = QuestionQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "本人疑问"
        db_table_comment = "append-only: what a person asked about a line of their access history"
        ordering = ["-id"]
        default_permissions = ()
        indexes = [models.Index(fields=["person", "-id"], name="question_by_person")]
        constraints = [
            models.UniqueConstraint(fields=["query_seq", "person"], name="question_once_per_line"),
            models.CheckConstraint(condition=Q(doubt__in=Doubt.values), name="question_doubt_is_known"),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def number(self) -> str:
        """Return the number that the person quotes: Y, day, sequence."""
        return f"Y{timezone.localdate(self.at):%Y%m%d}-{self.pk:06d}"

    @property
    def verdict(self) -> Verdict | None:
        """Return the latest verdict that the person is told: of the second look, else of the review once it is closed."""
        for step in self.steps.all():
            if step.deed == QuestionStep.Deed.REVIEWED:
                return Verdict(step.verdict)
        return Verdict(self.anomaly.verdict) if self.anomaly.state == Anomaly.State.CLOSED else None


class QuestionStep(models.Model):
    """What came after the click: the person's own words, their one demand for a review, and its outcome."""

    class Deed(models.TextChoices):
        ADDED = "added", "本人补充说明"
        REVIEW = "review", "本人申请复核"
        REVIEWED = "reviewed", "省信用办复核"

    question = models.ForeignKey(Question, models.PROTECT, related_name="steps")
    deed = models.CharField("事项", max_length=8, choices=Deed)
    doubt = models.CharField("疑问", max_length=12, choices=Doubt, blank=True)
    verdict = models.CharField("结论", max_length=12, choices=Verdict, blank=True)
    text = models.CharField("说明", max_length=500, blank=True)
    by = models.ForeignKey(User, models.PROTECT, verbose_name="办理人", related_name="+")
    at = models.DateTimeField("时间", db_default=Now())

    class Meta:
        verbose_name = verbose_name_plural = "疑问经过"
        db_table_comment = "append-only: the person's words about a question, their demand for a review, its outcome"
        ordering = ["id"]
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["question", "deed"], name="questionstep_each_once"),
            models.CheckConstraint(
                condition=Q(deed="added", verdict="") & (~Q(doubt="") | ~Q(text=""))
                | Q(deed="review", verdict="", doubt="") & ~Q(text="")
                | Q(deed="reviewed", verdict__in=Verdict.values, doubt="") & ~Q(text=""),
                name="questionstep_says_what_it_needs",
                violation_error_message="请填写说明。",
            ),
            models.CheckConstraint(condition=Q(doubt__in=["", *Doubt.values]), name="questionstep_doubt_is_known"),
        ]

    def __str__(self) -> str:
        return self.get_deed_display()

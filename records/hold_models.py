"""The review of a person's statement that may break the law, and its hold: two officials, told to the person."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import Organisation, Person, User
from records.life_models import Statement
from records.models import Record


class StatementHoldQuerySet(models.QuerySet["StatementHold"]):
    def visible_to(self, user: User) -> "StatementHoldQuerySet":
        """Reviews of the user's own office, to those whose duty they are."""
        if user.organisation_id and user.has_perm("records.hold_statement"):
            return self.filter(organisation=user.organisation_id)
        return self.none()

    def to_decide_by(self, user: User) -> "StatementHoldQuerySet":
        """Proposals that this user, a second official, may decide."""
        return self.visible_to(user).filter(state=StatementHold.State.ASKED).exclude(asked_by=user)

    def to_answer_by(self, user: User) -> "StatementHoldQuerySet":
        """Holds against which the person has spoken, and which somebody else decided."""
        return self.visible_to(user).filter(
            state=StatementHold.State.HELD, review_at__isnull=False, answered_at__isnull=True
        ).exclude(decided_by=user)  # fmt: skip

    def standing(self) -> "StatementHoldQuerySet":
        """Holds in force."""
        return self.filter(state=StatementHold.State.HELD)


class StatementHold(models.Model):
    """One review of one statement. While held, the statement is shown to its person alone."""

    class State(models.TextChoices):
        LOOKING = "looking", "复核中"
        ASKED = "asked", "待审核"
        HELD = "held", "已暂停显示"
        REFUSED = "refused", "未同意，照常显示"
        DROPPED = "dropped", "已结束，照常显示"
        LIFTED = "lifted", "已恢复显示"
        OVER = "over", "本人已更换或撤回"

    class Ground(models.TextChoices):
        OTHERS = "others", "含有他人的个人信息（个人信息保护法第十条）"
        FORBIDDEN = "forbidden", "含有法律禁止归集的个人信息（征信业管理条例第十四条）"
        INSULT = "insult", "侮辱、诽谤他人（民法典第一千零二十四条）"

    OPEN = (State.LOOKING, State.ASKED, State.HELD)

    statement = models.ForeignKey(Statement, models.DO_NOTHING, db_constraint=False, related_name="holds")
    record = models.ForeignKey(Record, models.DO_NOTHING, db_constraint=False, related_name="+")
    record_no = models.CharField("记录编号", max_length=24)
    person = models.ForeignKey(Person, models.PROTECT, verbose_name="本人", related_name="+")
    organisation = models.ForeignKey(Organisation, models.PROTECT, verbose_name="复核单位", related_name="+")
    state = models.CharField("状态", max_length=8, choices=State, default=State.LOOKING)
    why = models.CharField("为什么复核", max_length=200)
    ground = models.CharField("理由", max_length=10, choices=Ground, blank=True)
    told = models.CharField("告知本人的内容", max_length=300, blank=True)
    asked_by = models.ForeignKey(User, models.PROTECT, verbose_name="经办人", related_name="+")
    opened_at = models.DateTimeField("开始时间", db_default=Now())
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, verbose_name="审核人", related_name="+")
    decided_at = models.DateTimeField("审核时间", null=True)
    decision_note = models.CharField("审核意见", max_length=300, blank=True)
    review_at = models.DateTimeField("本人申请复核时间", null=True)
    review_words = models.CharField("本人的意见", max_length=300, blank=True)
    answered_by = models.ForeignKey(User, models.PROTECT, null=True, verbose_name="答复人", related_name="+")
    answered_at = models.DateTimeField("答复时间", null=True)
    answer = models.CharField("答复", max_length=300, blank=True)
    ended_at = models.DateTimeField("结束时间", null=True)

    objects = StatementHoldQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "声明复核"
        db_table_comment = "kept as long as the statement: who held it back, on what ground, what the person was told"
        ordering = ["-id"]
        default_permissions = ()
        permissions = [("hold_statement", "复核个人声明")]
        indexes = [models.Index(fields=["organisation", "-id"], name="statementhold_by_office")]
        constraints = [
            models.UniqueConstraint(
                fields=["statement"], condition=Q(state__in=["looking", "asked", "held"]),
                name="statementhold_one_at_a_time", violation_error_message="这条声明已有未结束的复核。",
            ),
            models.CheckConstraint(condition=~Q(why=""), name="statementhold_says_why_it_looked"),
            models.CheckConstraint(
                condition=~Q(state__in=["asked", "held", "refused", "lifted"]) | (~Q(ground="") & ~Q(told="")),
                name="statementhold_tells_the_person_why",
            ),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("asked_by")),
                name="statementhold_decided_by_another",
                violation_error_message="须由本单位另一名工作人员审核。",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["held", "refused", "lifted"])
                | Q(decided_by__isnull=False, decided_at__isnull=False),
                name="statementhold_decided_by_somebody",
            ),
            models.CheckConstraint(
                condition=~Q(state="refused") | ~Q(decision_note=""), name="statementhold_refused_with_a_reason"
            ),
            models.CheckConstraint(
                condition=Q(answered_by__isnull=True)
                | (~Q(answered_by=F("decided_by")) & ~Q(answer="") & Q(answered_at__isnull=False, review_at__isnull=False)),
                name="statementhold_answered_by_another_with_a_reason",
                violation_error_message="作出决定的人不能答复对自己决定的意见。",
            ),
            models.CheckConstraint(
                condition=Q(review_at__isnull=True) | ~Q(review_words=""), name="statementhold_review_says_something"
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.number

    @property
    def number(self) -> str:
        """Return the number that people quote and the query log holds as the case."""
        return f"S{timezone.localtime(self.opened_at):%Y%m%d}-{self.pk:06d}"

"""Rows handed back with a due date, and what became of each of them. Nothing here is about a person."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from accounts.models import User
from records.intake.base import place
from records.models import Batch


class ReturnedRow(models.Model):
    """A row handed back (退回行), followed until it came in or two officers said why it does not.

    Kept when the staged row is cleared: it says where the row stood and which reasons it had, not what was in it.
    """

    class State(models.IntegerChoices):
        OPEN = 1, "未交回"
        AGAIN = 2, "再次退回"
        EXPLAINED = 3, "说明待确认"
        CORRECTED = 8, "已更正入库"
        SETTLED = 9, "已说明"

    class Why(models.TextChoices):
        """Why a row does not come in again."""

        RESENT = "resent", "已在其他批次重新报送"
        DUPLICATE = "duplicate", "重复报送"
        WRONG_PERSON = "wrong_person", "当事人有误，不应报送"
        ANNULLED = "annulled", "所依据的文书已撤销或失效"
        NOT_DUE = "not_due", "不属于应归集的信息"
        OTHER = "other", "其他"

    OPEN_STATES = (State.OPEN, State.AGAIN, State.EXPLAINED)

    pk = models.CompositePrimaryKey("batch_id", "row_no")
    batch = models.ForeignKey(Batch, models.PROTECT, db_index=False, verbose_name="批次", related_name="returned")
    row_no = models.IntegerField("行号")
    codes = ArrayField(models.TextField(), verbose_name="退回原因")
    state = models.SmallIntegerField("状态", choices=State, default=State.OPEN)
    answer_batch = models.ForeignKey(Batch, models.PROTECT, null=True, verbose_name="更正批次", related_name="answers")
    answer_row = models.IntegerField("更正批次行号", null=True)
    again_codes = ArrayField(models.TextField(), verbose_name="再次退回原因", null=True)
    why = models.CharField("不再报送的原因", max_length=12, choices=Why, blank=True, db_default="")
    note = models.CharField("说明", max_length=200, blank=True, db_default="")
    explained_by = models.ForeignKey(User, models.PROTECT, null=True, verbose_name="说明人", related_name="+")
    explained_at = models.DateTimeField("说明时间", null=True)
    confirmed_by = models.ForeignKey(User, models.PROTECT, null=True, verbose_name="确认人", related_name="+")
    confirmed_at = models.DateTimeField("确认时间", null=True)
    declined_note = models.CharField("不同意的理由", max_length=200, blank=True, db_default="")

    class Meta:
        verbose_name = verbose_name_plural = "退回行"
        db_table_comment = "kept: what became of each row handed back"
        ordering = ["batch", "row_no"]
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=[1, 2], why="", note="", explained_by__isnull=True, explained_at__isnull=True)
                | Q(state=8)
                | (Q(state__in=[3, 9], explained_by__isnull=False, explained_at__isnull=False) & ~Q(why="") & ~Q(note="")),
                name="returnedrow_explained_by_somebody_for_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(state=9, confirmed_by__isnull=False, confirmed_at__isnull=False)
                & ~Q(confirmed_by=F("explained_by"))
                | ~Q(state=9) & Q(confirmed_by__isnull=True, confirmed_at__isnull=True),
                name="returnedrow_explanation_confirmed_by_another",
                violation_error_message="说明须由本单位另一名工作人员确认。",
            ),
            models.CheckConstraint(
                condition=~Q(state=2) | Q(answer_batch__isnull=False, answer_row__isnull=False),
                name="returnedrow_again_by_a_batch",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.place

    @property
    def place(self) -> str:
        """Return where the row stands in the file, in the sender's words."""
        return place(self.row_no)

    @property
    def answer_place(self) -> str:
        """Return where it stands in the correction."""
        return place(self.answer_row) if self.answer_row else ""

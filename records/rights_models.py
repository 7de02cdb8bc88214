"""A person's request of right about one of their records (PIPL art 44, 46–48), and what the supplier answered."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import Organisation, Person, User
from catalogue.models import Deadline, Item
from creditfujian.lib.text import key_in
from records.life_models import RecordAct


class RightsRequestQuerySet(models.QuerySet["RightsRequest"]):
    def of(self, person: Person) -> "RightsRequestQuerySet":
        """Requests of the person, under any number of theirs."""
        return self.filter(person__in=person.family()).select_related("item", "organisation")

    def visible_to(self, user: User) -> "RightsRequestQuerySet":
        """Requests about records of the user's own organisation, to those who answer them."""
        if user.organisation_id and (user.has_perm("records.ask_act") or user.has_perm("records.decide_act")):
            return self.filter(organisation=user.organisation_id)
        return self.none()

    def to_answer_by(self, user: User) -> "RightsRequestQuerySet":
        """Those that nobody has answered."""
        return self.visible_to(user).filter(state=RightsRequest.State.OPEN)

    def to_confirm_by(self, user: User) -> "RightsRequestQuerySet":
        """Refusals that another official proposed."""
        if not user.has_perm("records.decide_act"):
            return self.none()
        proposed = self.visible_to(user).filter(state=RightsRequest.State.PROPOSED)
        last = RightsStep.objects.filter(request=models.OuterRef("pk")).order_by("-id")
        return proposed.exclude(pk__in=proposed.annotate(last=last.values("by")[:1]).filter(last=user.pk).values("pk"))

    def with_due_day(self) -> "RightsRequestQuerySet":
        """Add `due_on`, `due_provisional` and `is_overdue` of the first clock that nobody has met, in the same query."""
        return self.annotate(**Deadline.objects.days_of(RightsRequest))

    def overdue(self) -> "RightsRequestQuerySet":
        """Those whose time to answer is over."""
        return self.filter(models.Exists(Deadline.objects.of_outer(RightsRequest).overdue()))

    def numbered(self, number: str) -> "RightsRequest":
        """Return the one with that number. Raises RightsRequest.DoesNotExist."""
        found = self.get(pk=key_in(number))
        if found.number != number:
            raise RightsRequest.DoesNotExist(number)
        return found


class RightsRequest(models.Model):
    """One request about one record. It keeps the record's number, not the record: it outlives it."""

    class Kind(models.TextChoices):
        CORRECT = "correct", "更正、补充"
        DELETE = "delete", "删除"
        EXPLAIN = "explain", "解释说明"
        RESTRICT = "restrict", "限制、拒绝处理"

    class State(models.TextChoices):
        OPEN = "open", "待答复"
        PROPOSED = "proposed", "拟不同意，待复核"
        GRANTED = "granted", "已办理"
        REFUSED = "refused", "不同意"

    CLOCKS = {Kind.CORRECT: "D13"}  # the others: D72

    kind = models.CharField("权利", max_length=8, choices=Kind)
    person = models.ForeignKey(Person, models.PROTECT, editable=False, related_name="+")
    asked_by = models.ForeignKey(User, models.PROTECT, editable=False, related_name="+")
    record_no = models.CharField("记录编号", max_length=24)
    item = models.ForeignKey(Item, models.PROTECT, verbose_name="目录条目", related_name="+")
    organisation = models.ForeignKey(Organisation, models.PROTECT, verbose_name="提供单位", related_name="+")
    text = models.CharField("请求内容和理由", max_length=500)
    at = models.DateTimeField("提出时间", db_default=Now())
    state = models.CharField("状态", max_length=8, choices=State, default=State.OPEN)

    objects = RightsRequestQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "权利请求"
        db_table_comment = (
            "append-only to the application, moved by the database: a person's requests about their records"
        )
        ordering = ["-id"]
        default_permissions = ()
        indexes = [
            models.Index(fields=["person", "-id"], name="rightsrequest_by_person"),
            models.Index(fields=["organisation", "state"], name="rightsrequest_by_organisation"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["record_no", "kind"], condition=Q(state__in=["open", "proposed"]),
                name="rightsrequest_once_at_a_time",
            ),
            models.CheckConstraint(condition=~Q(text=""), name="rightsrequest_says_what"),
            models.CheckConstraint(
                condition=Q(kind__in=["correct", "delete", "explain", "restrict"]), name="rightsrequest_kind_is_known"
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.number

    @property
    def number(self) -> str:
        """Return the number that people quote: Q, day, sequence."""
        return f"Q{timezone.localdate(self.at):%Y%m%d}-{self.pk:06d}"

    @property
    def is_over(self) -> bool:
        return self.state in (self.State.GRANTED, self.State.REFUSED)


class RightsStep(models.Model):
    """What an official did about a request; the database moves the request by it."""

    class Deed(models.TextChoices):
        GRANTED = "granted", "已办理"
        REFUSAL = "refusal", "拟不同意"
        CONFIRMED = "confirmed", "复核：不同意"
        RETURNED = "returned", "退回重新办理"

    request = models.ForeignKey(RightsRequest, models.PROTECT, related_name="steps")
    deed = models.CharField("办理", max_length=9, choices=Deed)
    text = models.CharField("答复（本人可见）", max_length=500)
    act = models.ForeignKey(
        RecordAct, models.PROTECT, null=True, blank=True, verbose_name="办理单", related_name="rights_steps"
    )
    by = models.ForeignKey(User, models.PROTECT, verbose_name="办理人", related_name="+")
    at = models.DateTimeField("时间", db_default=Now())

    class Meta:
        verbose_name = verbose_name_plural = "权利请求的办理"
        db_table_comment = (
            "append-only: who granted, proposed to refuse, confirmed or returned a request, and the reasons"
        )
        ordering = ["id"]
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=~Q(text=""), name="rightsstep_says_why", violation_error_message="请写明答复的理由。"
            ),
            models.CheckConstraint(
                condition=Q(deed__in=["granted", "refusal", "confirmed", "returned"]), name="rightsstep_deed_is_known"
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.get_deed_display()

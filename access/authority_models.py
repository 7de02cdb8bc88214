"""Who reads for somebody else (Q3): an agent with a power of attorney, a near relative of the deceased (PIPL art. 49)."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import Organisation, Person, User


class AuthorityQuerySet(models.QuerySet["Authority"]):
    def about(self, person: Person) -> "AuthorityQuerySet":
        """Those in the person's name, under any number of theirs."""
        return self.filter(person__in=person.family())

    def visible_to(self, user: User) -> "AuthorityQuerySet":
        """Those of the clerk's own counter; whoever reviews sees all."""
        if user.has_perm("access.review_authority"):
            return self
        if user.has_perm("access.enter_authority") and user.organisation_id:
            return self.filter(organisation=user.organisation_id)
        return self.none()

    def in_force(self) -> "AuthorityQuerySet":
        """Those approved whose last day is not over; death and merger are asked when they are used."""
        return self.filter(state=Authority.State.APPROVED, valid_until__gte=timezone.localdate())

    def to_review_by(self, user: User) -> "AuthorityQuerySet":
        """Those that wait for this reviewer."""
        return self.filter(state=Authority.State.ENTERED).exclude(entered_by=user)


class Authority(models.Model):
    """What lets somebody read another's file at the counter: whose, who, which items, what for, until when."""

    class Basis(models.TextChoices):
        ATTORNEY = "attorney", "授权委托书"
        KIN = "kin", "近亲属（当事人已死亡）"

    class Relation(models.TextChoices):
        """Near relatives: Civil Code art. 1045."""

        SPOUSE = "spouse", "配偶"
        PARENT = "parent", "父母"
        CHILD = "child", "子女"
        SIBLING = "sibling", "兄弟姐妹"
        GRANDPARENT = "grandparent", "祖父母、外祖父母"
        GRANDCHILD = "grandchild", "孙子女、外孙子女"

    class State(models.TextChoices):
        ENTERED = "entered", "待复核"
        APPROVED = "approved", "有效"
        REFUSED = "refused", "未通过复核"
        REVOKED = "revoked", "本人已撤销"

    number = models.CharField("委托编号", max_length=24, unique=True, editable=False)
    basis = models.CharField("依据", max_length=8, choices=Basis)
    person = models.ForeignKey(Person, models.PROTECT, verbose_name="当事人", related_name="authorities")
    agent_name = models.CharField("代理人（近亲属）姓名", max_length=100)
    agent_cipher = models.BinaryField("代理人证件号码（密文）", editable=False)
    agent_index = models.BinaryField("代理人证件号码（索引）", editable=False)
    relation = models.CharField("与死者的关系", max_length=11, choices=Relation, blank=True)
    purpose = models.CharField("用途", max_length=200)
    items = ArrayField(models.BigIntegerField(), verbose_name="条目")
    valid_until = models.DateField("有效期至")
    organisation = models.ForeignKey(Organisation, models.PROTECT, verbose_name="窗口", related_name="+")
    entered_by = models.ForeignKey(User, models.PROTECT, verbose_name="录入人", related_name="+")
    entered_at = models.DateTimeField("录入时间", db_default=Now())
    state = models.CharField("状态", max_length=8, choices=State, default=State.ENTERED)
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, verbose_name="复核人", related_name="+")
    decided_at = models.DateTimeField("复核时间", null=True)
    note = models.CharField("未通过的理由", max_length=200, blank=True)
    revoked_by = models.ForeignKey(User, models.PROTECT, null=True, verbose_name="撤销人", related_name="+")
    revoked_at = models.DateTimeField("撤销时间", null=True)

    objects = AuthorityQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "代理人、近亲属查询"
        ordering = ["-id"]
        default_permissions = ()
        permissions = [
            ("enter_authority", "窗口录入、办理代理人和近亲属查询"),
            ("review_authority", "复核代理人和近亲属查询"),
        ]
        indexes = [
            models.Index(fields=["person", "-id"], name="authority_by_person"),
            models.Index(fields=["organisation", "-id"], name="authority_by_counter"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=~Q(agent_name="") & ~Q(purpose="") & Q(items__len__gte=1), name="authority_says_who_what_and_why"
            ),
            models.CheckConstraint(
                condition=Q(basis="attorney", relation="") | (Q(basis="kin") & ~Q(relation="")),
                name="authority_of_kin_says_how_related", violation_error_message="请选择与死者的关系。",
            ),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("entered_by")),
                name="authority_takes_two_hands", violation_error_message="录入人不能自己复核。",
            ),
            models.CheckConstraint(
                condition=Q(state="entered", decided_by__isnull=True)
                | Q(state__in=["approved", "refused"], decided_by__isnull=False)
                | Q(state="revoked", revoked_by__isnull=False),
                name="authority_is_decided_by_somebody",
            ),
            models.CheckConstraint(condition=~Q(state="refused") | ~Q(note=""), name="authority_refused_with_a_reason"),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.number

    @property
    def is_for_the_living(self) -> bool:
        return self.basis == self.Basis.ATTORNEY

    @property
    def is_in_force(self) -> bool:
        """Tell whether it opens anything today; death and merger are asked apart."""
        return self.state == self.State.APPROVED and timezone.localdate() <= self.valid_until

    @property
    def may_be_revoked(self) -> bool:
        return self.state in (self.State.ENTERED, self.State.APPROVED)

    @property
    def standing(self) -> str:
        """Say how it stands today: its last day ends it by itself."""
        if self.state == self.State.APPROVED and not self.is_in_force:
            return "已到期"
        return self.get_state_display()

    @property
    def tone(self) -> str:
        """Return the colour of the state's mark."""
        if self.is_in_force:
            return "success"
        return "warning" if self.state == self.State.ENTERED else "plain"

    def agent(self) -> Person:
        """Return the agent as a person that is not saved: the register knows agents by their authority only."""
        return Person(name=self.agent_name, id_cipher=self.agent_cipher, id_index=self.agent_index)


class KinWish(models.Model):
    """What a person arranges for after their death: whether near relatives may read. The last word counts."""

    person = models.ForeignKey(Person, models.PROTECT, verbose_name="当事人", related_name="+")
    allows = models.BooleanField("去世后允许近亲属查询")
    by = models.ForeignKey(User, models.PROTECT, verbose_name="办理人", related_name="+")
    at = models.DateTimeField("时间", db_default=Now())

    class Meta:
        verbose_name = verbose_name_plural = "身后安排"
        db_table_comment = "append-only: what persons arranged about near relatives after their death (PIPL art. 49)"
        ordering = ["-id"]
        default_permissions = ()
        indexes = [models.Index(fields=["person", "-id"], name="kinwish_by_person")]

    def __str__(self) -> str:
        return "允许" if self.allows else "不允许"

"""Consent of a person to an institution's reading (domain §7.2): asked, granted or declined, used, ended; messages."""

from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from access.institution_models import ConsentPurpose, Institution
from accounts import people
from accounts.models import Organisation, Person, User
from creditfujian.lib.text import normalise_name


class ConsentText(models.Model):
    """A version of the words that a person agrees to. What stands in braces is filled in from the request."""

    version = models.CharField("版本", max_length=12, primary_key=True)
    body = models.TextField("文本")
    since = models.DateField("启用日期")

    class Meta:
        verbose_name = verbose_name_plural = "授权文本"
        db_table_comment = "append-only, written by the database: every version of the words of consent"
        ordering = ["-since"]
        default_permissions = ()

    def __str__(self) -> str:
        return self.version


def subject_index(number: str) -> bytes:
    """Return what a request keeps of the number of somebody unknown to the register: its keyed hash."""
    return settings.FIELD_KEYRING.index(number.encode())


def name_index(name: str) -> bytes:
    """Return what a request keeps of the name that the institution gave."""
    return settings.FIELD_KEYRING.index(b"consent-name:" + normalise_name(name).encode())


def form_in_words(form: "Consent.Form", years: int | None) -> str:
    """Return the form of an answer as people read it."""
    return f"连续 {years} 年无失信记录（只答能否证明）" if form is Consent.Form.YEARS else form.label


class ConsentQuerySet(models.QuerySet["Consent"]):
    def about(self, person: Person) -> "ConsentQuerySet":
        """The person's own, under any number of theirs, with requests that came before the register knew them."""
        ring, number = settings.FIELD_KEYRING, person.id_number().encode()
        people.open_numbers(*ring.indexes(number))
        names = ring.indexes(b"consent-name:" + normalise_name(person.name).encode())
        unknown = Q(person=None, subject_index__in=ring.indexes(number), name_index__in=names, state="asked")
        return self.filter(Q(person__in=person.family()) | unknown)

    def of(self, user: User) -> "ConsentQuerySet":
        """Those of the operator's own institution."""
        if user.kind != User.Kind.INSTITUTION or not user.is_active or user.organisation_id is None:
            return self.none()
        return self.filter(organisation=user.organisation_id)


class Consent(models.Model):
    """A request of an institution and what the person made of it. Scope and text never change once granted."""

    class Form(models.TextChoices):
        YEARS = "years", "连续若干年无失信记录（只答能否证明）"
        ATTESTATION = "attest", "只答有无"
        SUMMARY = "summary", "条数摘要"
        FULL = "full", "记录内容"

    # From the least to the most. The answer over years is apart: asked for as such, it is given as such and opens no record.
    WIDTH = (Form.ATTESTATION, Form.SUMMARY, Form.FULL)

    class State(models.TextChoices):
        ASKED = "asked", "待本人答复"
        ENTERED = "entered", "纸质授权待复核"
        GRANTED = "granted", "有效"
        DECLINED = "declined", "本人不同意"
        RETURNED = "returned", "纸质授权已退回"
        LAPSED = "lapsed", "逾期未答复"
        USED = "used", "次数已用完"
        EXPIRED = "expired", "已到期"
        WITHDRAWN = "withdrawn", "本人已撤回"

    class Channel(models.TextChoices):
        PAGE = "page", "机构查询页面"
        API = "api", "接口"
        PAPER = "paper", "纸质授权书"

    OPEN = (State.ASKED, State.ENTERED)

    number = models.CharField("授权编号", max_length=24, unique=True, editable=False)
    person = models.ForeignKey(Person, models.PROTECT, null=True, verbose_name="授权人", related_name="consents")
    subject_index = models.BinaryField("证件号码（索引）", editable=False)
    name_index = models.BinaryField("姓名（索引）", editable=False)
    organisation = models.ForeignKey(Organisation, models.PROTECT, verbose_name="被授权机构", related_name="consents")
    institution = models.ForeignKey(Institution, models.PROTECT, verbose_name="机构登记", related_name="consents")
    asked_by = models.ForeignKey(User, models.PROTECT, verbose_name="提出人", related_name="+")
    asked_at = models.DateTimeField("提出时间", db_default=Now())
    channel = models.CharField("渠道", max_length=5, choices=Channel)
    purpose = models.ForeignKey(ConsentPurpose, models.PROTECT, verbose_name="用途", related_name="+")
    purpose_text = models.CharField("用途说明", max_length=200)
    reference = models.CharField("机构业务编号", max_length=60)
    asked_form = models.CharField("申请的方式", max_length=8, choices=Form)
    years = models.PositiveSmallIntegerField("连续几年", null=True)
    asked_items = ArrayField(models.BigIntegerField(), verbose_name="申请的条目")
    asked_days = models.PositiveSmallIntegerField("申请的有效天数")
    asked_uses = models.PositiveSmallIntegerField("申请的次数", default=1)
    answer_by = models.DateField("答复期限")
    state = models.CharField("状态", max_length=9, choices=State, default=State.ASKED)
    # what the person made of it
    form = models.CharField("方式", max_length=8, choices=Form, blank=True)
    items = ArrayField(models.BigIntegerField(), verbose_name="条目", default=list)
    valid_from = models.DateField("有效期自", null=True)
    valid_to = models.DateField("有效期至", null=True)
    max_uses = models.PositiveSmallIntegerField("可用次数", null=True)
    uses = models.PositiveSmallIntegerField("已用次数", default=0)
    onward = models.BooleanField("可否转给他人", default=False, editable=False)
    text_version = models.ForeignKey(ConsentText, models.PROTECT, null=True, verbose_name="文本版本", related_name="+")
    text = models.TextField("所见文本", blank=True)
    text_sha256 = models.CharField("文本 SHA-256", max_length=64, blank=True)
    signature = models.BinaryField("平台电子签章", null=True, editable=False)
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, verbose_name="答复人", related_name="+")
    decided_at = models.DateTimeField("答复时间", null=True)
    note = models.CharField("理由", max_length=200, blank=True)
    ended_by = models.ForeignKey(User, models.PROTECT, null=True, verbose_name="撤回人", related_name="+")
    ended_at = models.DateTimeField("终止时间", null=True)

    objects = ConsentQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "查询授权"
        ordering = ["-id"]
        default_permissions = ()
        permissions = [("enter_consent", "录入纸质授权书"), ("check_consent", "复核纸质授权书")]
        indexes = [
            models.Index(fields=["person", "-id"], name="consent_by_person"),
            models.Index(fields=["organisation", "-id"], name="consent_by_organisation"),
            models.Index(fields=["subject_index"], condition=Q(person__isnull=True), name="consent_of_the_unknown"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(onward=False), name="consent_is_never_passed_on"),
            models.CheckConstraint(
                condition=~Q(purpose_text="") & ~Q(reference="") & Q(asked_items__len__gte=1, asked_days__gte=1, asked_uses__gte=1),
                name="consent_asks_for_something",
            ),
            models.CheckConstraint(condition=Q(items__contained_by=F("asked_items")), name="consent_is_only_narrowed"),
            models.CheckConstraint(
                condition=Q(max_uses__isnull=True) | Q(max_uses__lte=F("asked_uses")), name="consent_uses_are_only_narrowed"
            ),
            models.CheckConstraint(
                condition=Q(uses=0) | Q(uses__lte=F("max_uses")), name="consent_is_not_used_more_often_than_allowed"
            ),
            models.CheckConstraint(
                condition=Q(form="") | Q(form="attest") | Q(asked_form="full") | Q(form=F("asked_form")),
                name="consent_form_is_only_narrowed",
            ),
            models.CheckConstraint(
                condition=Q(asked_form="years", years__gte=1) & ~Q(channel="paper") & Q(form__in=["", "years"])
                | ~Q(asked_form="years") & Q(years__isnull=True) & ~Q(form="years"),
                name="consent_over_years_is_asked_for_as_such",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["asked", "entered", "declined", "returned", "lapsed"])
                | (
                    Q(person__isnull=False, valid_from__isnull=False, valid_to__gte=F("valid_from"))
                    & Q(max_uses__gte=1, items__len__gte=1, text_version__isnull=False, text_sha256__regex="^[0-9a-f]{64}$")
                    & Q(signature__isnull=False, decided_at__isnull=False)
                    & ~Q(form="") & ~Q(text="")
                ),
                name="consent_granted_says_what_was_granted",
            ),
            models.CheckConstraint(
                condition=Q(channel="paper", state__in=["entered", "granted", "returned", "used", "expired", "withdrawn"])
                | (~Q(channel="paper") & ~Q(state__in=["entered", "returned"])),
                name="consent_state_fits_its_channel",
            ),
            models.CheckConstraint(
                condition=~Q(channel="paper") | Q(decided_by__isnull=True) | ~Q(decided_by=F("asked_by")),
                name="consent_on_paper_takes_two_hands", violation_error_message="须由另一名工作人员复核。",
            ),
            models.UniqueConstraint(
                fields=["organisation", "subject_index", "name_index", "purpose"], condition=Q(state="asked"),
                name="consent_asked_once_at_a_time",
                violation_error_message="对此人同一用途的申请还没有答复，请等待答复或到期。",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.number

    @property
    def is_over_years(self) -> bool:
        """Tell whether it asks for the answer over a number of years, which opens no record (sanctions.attestation)."""
        return self.asked_form == self.Form.YEARS

    @property
    def asked_in_words(self) -> str:
        """Return the form that was asked for, with its years."""
        return form_in_words(self.Form(self.asked_form), self.years)

    @property
    def granted_in_words(self) -> str:
        """Return the form that was granted, with its years; empty while nothing is."""
        return form_in_words(self.Form(self.form), self.years) if self.form else ""

    @property
    def is_in_force(self) -> bool:
        """Tell whether it opens anything today, by its own dates and count; the institution is asked apart."""
        return (
            self.state == self.State.GRANTED
            and self.valid_from is not None and self.valid_to is not None
            and self.valid_from <= timezone.localdate() <= self.valid_to
        )  # fmt: skip

    @property
    def waits(self) -> bool:
        """Tell whether the person can still answer."""
        return self.state == self.State.ASKED and timezone.localdate() <= self.answer_by

    @property
    def standing(self) -> str:
        """Say how it stands today: dates end it by themselves, before the night has come by."""
        if self.state == self.State.ASKED and not self.waits:
            return self.State.LAPSED.label
        if self.state == self.State.GRANTED and not self.is_in_force:
            return self.State.EXPIRED.label
        return self.get_state_display()

    @property
    def tone(self) -> str:
        """Return the colour of the state's mark."""
        if self.is_in_force:
            return "success"
        return "warning" if self.waits or self.state == self.State.ENTERED else "plain"

    @property
    def uses_left(self) -> int:
        return (self.max_uses or 0) - self.uses


class ConsentUse(models.Model):
    """One use of a consent: the line of the query log it answers. Never more of them than the person allowed."""

    consent = models.ForeignKey(Consent, models.PROTECT, verbose_name="授权", related_name="used")
    n = models.PositiveSmallIntegerField("第几次")
    purpose = models.ForeignKey(ConsentPurpose, models.PROTECT, verbose_name="用途", related_name="+")
    form = models.CharField("方式", max_length=8, choices=Consent.Form)
    items = ArrayField(models.BigIntegerField(), verbose_name="条目")
    query_seq = models.BigIntegerField("查询日志号", unique=True)
    at = models.DateTimeField("时间", db_default=Now())
    by = models.ForeignKey(User, models.PROTECT, verbose_name="查询人", related_name="+")

    class Meta:
        verbose_name = verbose_name_plural = "授权使用"
        db_table_comment = "append-only: every use of a consent, with the line of the query log that it opened"
        ordering = ["-id"]
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["consent", "n"], name="consentuse_counts_each_use"),
            models.CheckConstraint(condition=Q(n__gte=1), name="consentuse_counts_from_one"),
        ]

    def __str__(self) -> str:
        return f"第 {self.n} 次"


class MessageQuerySet(models.QuerySet["Message"]):
    def to(self, person: Person) -> "MessageQuerySet":
        """Messages to the person, under any number of theirs."""
        return self.filter(person__in=person.family())

    def unread(self) -> "MessageQuerySet":
        return self.filter(read_at=None)

    def tell(self, person: int, *, subject: str, text: str, **about: Any) -> "Message":
        """Write a message to the person with this key, who need not be open: whoever does a deed tells whom it is about."""
        with people.while_open(person):
            return self.create(person_id=person, subject=subject, text=text, **about)


class Message(models.Model):
    """A message of the portal to a person, written in the transaction of what it tells about."""

    person = models.ForeignKey(Person, models.PROTECT, verbose_name="收件人", related_name="messages")
    subject = models.CharField("标题", max_length=80)
    text = models.CharField("内容", max_length=500)
    about = models.CharField("相关编号", max_length=40, blank=True)
    consent = models.ForeignKey(Consent, models.PROTECT, null=True, verbose_name="授权", related_name="messages")
    use = models.OneToOneField(ConsentUse, models.PROTECT, null=True, verbose_name="授权使用", related_name="message")
    question = models.ForeignKey(
        "access.Question", models.PROTECT, null=True, verbose_name="疑问", related_name="messages"
    )
    at = models.DateTimeField("时间", db_default=Now())
    read_at = models.DateTimeField("阅读时间", null=True)

    objects = MessageQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "消息"
        ordering = ["-id"]
        default_permissions = ()
        indexes = [models.Index(fields=["person", "-id"], name="message_by_person")]
        constraints = [
            models.CheckConstraint(condition=~Q(subject="") & ~Q(text=""), name="message_says_something"),
        ]

    def __str__(self) -> str:
        return self.subject

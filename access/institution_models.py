"""Institutions that may ask persons for consent: registered with their licence by two officials (domain §7.1 Q4, §7.2)."""

from datetime import date, timedelta

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.expressions import RawSQL
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import Organisation, User

ENDING_DAYS = 60  # how long before its end a licence is shown as ending


class ConsentPurpose(models.Model):
    """What persons may be asked for their consent for, and which items that purpose may reach. Data with a source."""

    code = models.CharField("代码", max_length=8, primary_key=True)
    name = models.CharField("用途", max_length=20)
    consequence = models.CharField("同意的后果", max_length=200)
    adverse = ArrayField(models.CharField(max_length=10), verbose_name="可查的失信类条目（公开属性）")
    others = ArrayField(models.CharField(max_length=10), verbose_name="可查的其他条目（公开属性）")
    basis = models.CharField("依据", max_length=200)
    confidence = models.CharField("核实程度", max_length=3)
    position = models.PositiveSmallIntegerField("顺序")

    class Meta:
        verbose_name = verbose_name_plural = "授权用途"
        db_table_comment = "append-only, written by the database: purposes come with the software's migrations"
        ordering = ["position"]
        default_permissions = ()

    def __str__(self) -> str:
        return self.name


class InstitutionQuerySet(models.QuerySet["Institution"]):
    def in_force(self) -> "InstitutionQuerySet":
        """Registrations that hold today: the database's own rule, by dates, with no job in between."""
        return self.filter(pk__in=RawSQL("SELECT id FROM access_institutions_in_force()", []))

    def ending(self) -> "InstitutionQuerySet":
        """Registrations that stand and whose licence has ended or ends soon."""
        until = timezone.localdate() + timedelta(days=ENDING_DAYS)
        return self.filter(state=Institution.State.CONFIRMED, valid_to__lt=until)

    def visible_to(self, user: User) -> "InstitutionQuerySet":
        """All to those who register institutions."""
        if user.has_perm("access.propose_institution") or user.has_perm("access.confirm_institution"):
            return self
        return self.none()


class Institution(models.Model):
    """The registration of an institution with its licence. A renewal is a new registration that replaces the last."""

    class Kind(models.TextChoices):
        BANK = "bank", "银行业金融机构"
        BUREAU = "bureau", "征信机构"
        EMPLOYER = "employer", "用人单位"
        LANDLORD = "landlord", "住房租赁企业"
        TENDER = "tender", "采购、招标单位"
        OTHER = "other", "其他机构"

    class State(models.TextChoices):
        ASKED = "asked", "待审核"
        CONFIRMED = "confirmed", "已登记"
        REFUSED = "refused", "已退回"
        SUSPENDED = "suspended", "已暂停"
        REPLACED = "replaced", "已换新登记"

    organisation = models.ForeignKey(Organisation, models.PROTECT, verbose_name="机构", related_name="registrations")
    kind = models.CharField("机构类型", max_length=8, choices=Kind)
    licence = models.CharField("证照名称", max_length=60, help_text="如 金融许可证、个人征信业务经营许可证、营业执照")
    licence_no = models.CharField("证照编号", max_length=60)
    valid_from = models.DateField("证照有效期自")
    valid_to = models.DateField("证照有效期至", null=True, blank=True, help_text="证照写明“长期”的留空；当天仍有效")
    checked_on = models.DateField("证照核验日期", null=True, blank=True)
    checked_at_source = models.CharField("在哪里核验", max_length=120, blank=True)
    purposes = ArrayField(models.CharField(max_length=8), verbose_name="可以申请的用途")
    contact = models.CharField("联系方式", max_length=120, help_text="本人在授权页面看到，可以据此联系机构行使权利")
    state = models.CharField("状态", max_length=10, choices=State, default=State.ASKED)
    proposed_by = models.ForeignKey(User, models.PROTECT, verbose_name="登记人", related_name="+")
    proposed_at = models.DateTimeField("登记时间", db_default=Now())
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, verbose_name="审核人", related_name="+")
    decided_at = models.DateTimeField("审核时间", null=True)
    moved_by = models.ForeignKey(User, models.PROTECT, null=True, verbose_name="最近办理人", related_name="+")
    reason = models.CharField("最近办理理由", max_length=200, blank=True)

    objects = InstitutionQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "查询机构登记"
        ordering = ["-id"]
        default_permissions = ("view",)
        permissions = [
            ("propose_institution", "登记查询机构"),
            ("confirm_institution", "审核、暂停、恢复查询机构"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_to__isnull=True) | Q(valid_to__gte=F("valid_from")),
                name="institution_licence_ends_after_it_begins", violation_error_message="证照到期日不能早于起始日。",
            ),
            models.CheckConstraint(
                condition=~Q(kind="bureau")
                | (Q(valid_to__isnull=False, checked_on__isnull=False) & ~Q(checked_at_source="")),
                name="institution_bureau_has_a_checked_licence",
                violation_error_message="征信机构须核验许可证，写明核验日期、在哪里核验和有效期止。",
            ),
            models.CheckConstraint(
                condition=Q(purposes__len__gte=1), name="institution_has_a_purpose",
                violation_error_message="请至少选择一个用途。",
            ),
            models.CheckConstraint(
                condition=~Q(licence="") & ~Q(licence_no="") & ~Q(contact=""), name="institution_names_licence_and_contact",
            ),
            models.CheckConstraint(
                condition=Q(state="asked", decided_by__isnull=True, decided_at__isnull=True)
                | (~Q(state="asked") & Q(decided_by__isnull=False, decided_at__isnull=False)),
                name="institution_is_decided_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("proposed_by")),
                name="institution_takes_two_officials", violation_error_message="须由另一名工作人员审核。",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["refused", "suspended"]) | ~Q(reason=""), name="institution_stopped_with_a_reason",
                violation_error_message="请写明理由。",
            ),
            models.UniqueConstraint(
                fields=["organisation"], condition=Q(state="asked"), name="institution_one_asked_at_a_time",
                violation_error_message="这个机构已有待审核的登记。",
            ),
            models.UniqueConstraint(
                fields=["organisation"], condition=Q(state__in=["confirmed", "suspended"]), name="institution_one_stands",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.organisation}（{self.licence}）"

    def licence_holds(self, day: date | None = None) -> bool:
        """Tell whether the licence is good on a day; its last day counts."""
        day = day or timezone.localdate()
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)

    @property
    def is_in_force(self) -> bool:
        """Tell whether the institution may ask and read today."""
        return self.state == self.State.CONFIRMED and self.licence_holds()

    @property
    def standing(self) -> str:
        """Say how it stands today; a licence that ended stops it without anybody's deed."""
        if self.state == self.State.CONFIRMED and not self.licence_holds():
            return "证照已到期，自动暂停" if self.valid_to and self.valid_to < timezone.localdate() else "证照尚未生效"
        return self.get_state_display()


class InstitutionStep(models.Model):
    """A step of a registration, written by the database with the step itself."""

    institution = models.ForeignKey(Institution, models.PROTECT, related_name="steps")
    at = models.DateTimeField("时间", db_default=Now())
    from_state = models.CharField("从", max_length=10, blank=True)
    to_state = models.CharField("到", max_length=10, choices=Institution.State)
    by = models.ForeignKey(User, models.PROTECT, verbose_name="办理人", related_name="+")
    reason = models.CharField("理由", max_length=200, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "查询机构登记经过"
        db_table_comment = "append-only, written by the database: every step of a registration"
        ordering = ["id"]
        default_permissions = ()

    def __str__(self) -> str:
        return self.get_to_state_display()

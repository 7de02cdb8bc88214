"""Organisations, users, persons and the proof that somebody is who they say."""

import uuid
from datetime import date
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractUser, UserManager
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError
from django.db import connection, models
from django.db.models import Q
from django.utils import timezone

from accounts import people
from creditfujian.lib import identity, masking
from creditfujian.lib.uscc import is_valid as uscc_is_valid

ID_ABOUT = b"person.id_number"  # binds a sealed number to its use


def number_under(id_cipher: bytes | memoryview) -> str:
    """Open the seal of a person's number. Callers mask what they show: creditfujian.lib.masking."""
    return settings.FIELD_KEYRING.open(bytes(id_cipher), about=ID_ABOUT).decode()


class Region(models.Model):
    """An administrative division by GB/T 2260 code, with the time it was valid."""

    class Kind(models.TextChoices):
        PROVINCE = "province", "省"
        CITY = "city", "设区市"
        AREA = "area", "综合实验区"
        COUNTY = "county", "县（市、区）"

    code = models.CharField("代码", max_length=6, primary_key=True)
    name = models.CharField("名称", max_length=40)
    kind = models.CharField("级别", max_length=10, choices=Kind)
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, verbose_name="上级", related_name="+")
    valid_from = models.DateField("启用日期", null=True, blank=True)
    valid_to = models.DateField("停用日期", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "行政区划"
        db_table_comment = "append-only, written by the database: divisions come with a migration, from their source"
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(condition=Q(code__regex=r"^\d{6}$"), name="region_code_is_six_digits"),
        ]

    def __str__(self) -> str:
        return self.name


class RegionSuccession(models.Model):
    """A division that ended, and the one whose area its own is part of since. One that was split stands here more than once."""

    predecessor = models.ForeignKey(Region, models.PROTECT, verbose_name="原区划", related_name="successions")
    successor = models.ForeignKey(Region, models.PROTECT, verbose_name="现区划", related_name="absorbed")
    since = models.DateField("自")
    source = models.CharField("来源", max_length=200)

    class Meta:
        verbose_name = verbose_name_plural = "区划沿革"
        db_table_comment = "append-only, written by the database: which division went into which"
        ordering = ["since", "predecessor"]
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["predecessor", "successor"], name="regionsuccession_is_said_once"),
            models.CheckConstraint(
                condition=~Q(predecessor=models.F("successor")), name="regionsuccession_is_into_another"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.predecessor} → {self.successor}"


def validate_uscc(value: str) -> None:
    """Refuse a code that GB 32100-2015 does not allow."""
    if not uscc_is_valid(value):
        raise ValidationError("统一社会信用代码不对：应为 18 位，且校验位相符。请与登记证书核对。", code="uscc")


class Organisation(models.Model):
    """A department or an institution, known by its unified social credit code."""

    class Kind(models.TextChoices):
        DEPARTMENT = "department", "行政机关和公共管理机构"
        INSTITUTION = "institution", "查询机构"

    uscc = models.CharField("统一社会信用代码", max_length=18, unique=True, validators=[validate_uscc])
    name = models.CharField("名称", max_length=100)
    code = models.CharField("目录简称", max_length=4, blank=True, help_text="条目编码中的四位单位代码，如 MRKT")
    kind = models.CharField("类别", max_length=12, choices=Kind)
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, verbose_name="上级单位", related_name="children"
    )
    region = models.ForeignKey(Region, models.PROTECT, verbose_name="所在区域")
    valid_from = models.DateField("成立日期", null=True, blank=True)
    valid_to = models.DateField("撤销日期", null=True, blank=True)
    predecessors = models.ManyToManyField("self", symmetrical=False, blank=True, verbose_name="职能来源单位")
    group = models.OneToOneField(
        "auth.Group", models.PROTECT, null=True, editable=False, verbose_name="授权组", related_name="organisation"
    )

    class Meta:
        verbose_name = verbose_name_plural = "机构"
        ordering = ["region_id", "name"]
        permissions = [("manage_organisation", "管理本机构用户")]
        constraints = [
            models.CheckConstraint(
                condition=Q(uscc__regex=r"^[0-9A-HJ-NP-RTUWXY]{18}$"), name="organisation_uscc_is_well_formed"
            ),
            models.CheckConstraint(
                condition=Q(valid_to__isnull=True)
                | Q(valid_from__isnull=True)
                | Q(valid_to__gt=models.F("valid_from")),
                name="organisation_ends_after_it_begins",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """An organisation at work keeps its region, but for a change of divisions: what it reads is bounded by it."""
        before = Organisation.objects.filter(pk=self.pk).values_list("region_id", flat=True).first()
        if before is None or before == self.region_id or not self.users.exists():
            return
        if not RegionSuccession.objects.filter(predecessor=before, successor=self.region_id).exists():
            raise ValidationError({"region": "已有工作人员的机构不能改所在区域（区划调整除外）：所在区域决定它能查到哪些记录。"
                                             "登记错了的，请撤销本机构，另行登记。"})  # fmt: skip


class PersonQuerySet(models.QuerySet["Person"]):
    def numbered(self, id_number: str) -> "Person | None":
        """Return whose this normalised identity number is, under any key in use; their row is open from here on."""
        return self._by_number("SELECT * FROM accounts_person_numbered(%s)", id_number)

    def holder_of(self, id_number: str) -> "Person | None":
        """Return whom a normalised number stands for: where two numbers were found to be one human, the survivor."""
        return self._by_number("SELECT * FROM accounts_holder_of(%s)", id_number)

    def opened(self, key: int) -> "Person":
        """Return the person with that key, come by on a ground; their row is open from here on."""
        people.open_persons(key)
        return self.get(pk=key)

    def _by_number(self, sql: str, id_number: str) -> "Person | None":
        found = next(iter(self.raw(sql, [settings.FIELD_KEYRING.indexes(id_number.encode())])), None)
        if found is not None:
            people.open_persons(found.pk)
        return found


class Person(models.Model):
    """A natural person: identity only. Facts about them live in records, contacts with their account."""

    sid = models.UUIDField("主体标识", default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField("姓名", max_length=100)
    id_cipher = models.BinaryField("证件号码（密文）", editable=False)
    id_index = models.BinaryField("证件号码（索引）", unique=True, editable=False)
    deceased_on = models.DateField("死亡日期", null=True, blank=True)
    merged_into = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, db_index=False, verbose_name="已并入"
    )  # few are: the index below holds those
    created_at = models.DateTimeField("建立时间", db_default=models.functions.Now(), editable=False)

    objects = PersonQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "自然人"
        indexes = [
            models.Index(fields=["merged_into"], condition=Q(merged_into__isnull=False), name="person_merged_into")
        ]
        constraints = [
            models.CheckConstraint(condition=~Q(name=""), name="person_has_a_name"),
            models.CheckConstraint(
                condition=Q(merged_into__isnull=True) | ~Q(merged_into=models.F("id")),
                name="person_not_merged_into_self",
            ),
        ]

    def __str__(self) -> str:
        return f"自然人 {str(self.sid)[:8]}"

    @classmethod
    def seal(cls, id_number: str, name: str) -> "Person":
        """Build (not save) a person from a normalised, checked number."""
        ring = settings.FIELD_KEYRING
        raw = id_number.encode()
        return cls(name=name, id_cipher=ring.seal(raw, about=ID_ABOUT), id_index=ring.index(raw))

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save; whoever enters a person knows the number, so the new row is open to them."""
        if self._state.adding:
            people.open_numbers(bytes(self.id_index))
        super().save(*args, **kwargs)
        people.open_persons(self.pk)

    def id_number(self) -> str:
        """Open the seal. Callers mask what they show: creditfujian.lib.masking."""
        return number_under(self.id_cipher)

    def masked_id(self, profile: masking.Profile) -> str:
        """Return the number as that reader may see it."""
        return masking.id_number(self.id_number(), profile)

    def is_adult(self, on: date) -> bool:
        """Tell whether the person was eighteen on that day."""
        return identity.is_adult(self.id_number(), on)

    def survivor(self) -> "Person":
        """Return the person that this one was merged into, at the end of the chain; itself when it was not."""
        return self if self.merged_into_id is None else Person.objects.opened(people.survivor_of(self.pk))

    @property
    def may_act(self) -> bool:
        """Tell whether anybody can act as this person: not for the dead, nor under a number merged into another."""
        return self.deceased_on is None and self.merged_into_id is None

    def family(self) -> list[int]:
        """Return this person's key and those of all that were merged into it: whose lines are this human's."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT accounts_family(%s)", [self.pk])
            family = [key for (key,) in cursor.fetchall()]
        people.open_persons(*family)  # whoever has come by one of their numbers has come by the human
        return family

    def former_names(self) -> tuple[str, ...]:
        """Return the names that the person bore before, the latest first."""
        return tuple(self.names.filter(how=PersonName.How.RENAMED).values_list("name", flat=True))

    def bears(self, name: str) -> bool:
        """Tell whether a normalised name is the person's, was before they changed it, or a merged number's."""
        if self.name == name:
            return True
        with connection.cursor() as cursor:
            cursor.execute("SELECT accounts_bears(%s, %s)", [bytes(self.id_index), name])
            return bool(cursor.fetchone()[0])


class PersonName(models.Model):
    """A name that a person stood under until a case of two officials changed it. Written by the case, never changed."""

    class How(models.TextChoices):
        RENAMED = "renamed", "曾用名"
        WRONG = "wrong", "登记有误，已更正"

    person = models.ForeignKey(Person, models.PROTECT, verbose_name="自然人", related_name="names")
    name = models.CharField("原登记姓名", max_length=100)
    how = models.CharField("变更原因", max_length=8, choices=How)
    until = models.DateField("改名日期", help_text="证明文件的日期；此前作出的文书仍可使用原姓名")
    document = models.CharField("证明文件", max_length=120)
    case_no = models.CharField("核对单编号", max_length=20)
    asked_by = models.ForeignKey("User", models.PROTECT, verbose_name="核对人", related_name="+")
    decided_by = models.ForeignKey("User", models.PROTECT, verbose_name="审核人", related_name="+")
    at = models.DateTimeField("变更时间", db_default=models.functions.Now())

    class Meta:
        verbose_name = verbose_name_plural = "姓名变更"
        db_table_comment = "append-only, written by the database: names that persons stood under before"
        ordering = ["-id"]
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.get_how_display()} {self.case_no}"


class Role(models.TextChoices):
    """What a staff account may do; a group of the same name carries the permissions."""

    DATA_OFFICER = "data_officer", "信源单位数据员"
    DATA_REVIEWER = "data_reviewer", "信源单位数据审核员"
    DECIDER_OFFICER = "decider_officer", "认定单位经办人"
    DECIDER_REVIEWER = "decider_reviewer", "认定单位审核人"
    LEGAL_REVIEWER = "legal_reviewer", "法制审核员"
    DECIDER_HEAD = "decider_head", "认定单位负责人"
    CREDIT_OFFICE = "credit_office", "省信用办"
    OPERATOR = "operator", "平台运维"
    CLERK = "clerk", "窗口人员"
    AUDITOR = "auditor", "审计员"
    SECURITY_ADMIN = "security_admin", "安全管理员"
    SYSTEM_ADMIN = "system_admin", "系统管理员"


class Accounts(UserManager["User"]):
    def create_superuser(self, *args: object, **kwargs: object) -> "User":
        """There is none: three administrators are kept apart (GB/T 22239-2019 8.1.4.2)."""
        raise NotImplementedError("本系统没有超级用户：系统、安全、审计三员分立。")


class User(AbstractUser):
    """An account: staff of an organisation, an operator of an institution, a citizen, or a system with a token."""

    class Kind(models.TextChoices):
        STAFF = "staff", "工作人员"
        INSTITUTION = "institution", "机构查询员"
        CITIZEN = "citizen", "公民"
        SERVICE = "service", "接口账户"

    username = models.CharField(
        "用户名", max_length=60, unique=True, validators=[UnicodeUsernameValidator()],
        error_messages={"unique": "这个用户名已有人使用，请换一个。"},
    )  # fmt: skip
    first_name = None  # type: ignore[assignment]
    last_name = None  # type: ignore[assignment]
    name = models.CharField("姓名", max_length=60)
    kind = models.CharField("类别", max_length=12, choices=Kind, default=Kind.STAFF)
    organisation = models.ForeignKey(
        Organisation, models.PROTECT, null=True, blank=True, verbose_name="所属机构", related_name="users"
    )
    person = models.OneToOneField(
        Person, models.PROTECT, null=True, blank=True, editable=False, verbose_name="自然人", related_name="user"
    )

    must_change_password = models.BooleanField(
        "须修改密码", db_default=False, default=False, editable=False
    )  # somebody else knows it: the administrator who set it
    group_names: list[str] | None = None  # of the account of a session, which comes with them (accounts.backends)

    objects = Accounts()  # type: ignore[misc]
    REQUIRED_FIELDS = ["name"]

    class Meta:
        verbose_name = verbose_name_plural = "用户"
        permissions = [("assign_roles", "分配角色"), ("guard_sign_in", "管理登录安全")]
        constraints = [
            models.CheckConstraint(condition=Q(is_superuser=False), name="user_nobody_is_superuser"),
            models.CheckConstraint(
                condition=Q(kind="citizen", person__isnull=False, organisation__isnull=True, is_staff=False)
                | Q(kind="staff", person__isnull=True, organisation__isnull=False)
                | Q(
                    kind__in=["institution", "service"], person__isnull=True, organisation__isnull=False, is_staff=False
                ),
                name="user_kind_fits_organisation_and_person",
                violation_error_message="工作人员、机构查询员和接口账户须有所属机构；公民账户须对应本人。",
            ),
            models.CheckConstraint(
                condition=~Q(kind="service") | Q(password__startswith="!"),  # noqa: S106 – what is unusable begins so
                name="user_service_has_no_password",
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.username

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name

    @property
    def is_citizen(self) -> bool:
        return self.kind == self.Kind.CITIZEN and self.person_id is not None

    def is_closed(self) -> bool:
        """Tell whether the account is that of somebody dead, or of a number merged into another."""
        if self.person_id is None:
            return False
        kept = vars(self).get("person_may_act")  # asked together with the account (accounts.backends)
        return not (people.may_act(self.person_id) if kept is None else kept)

    def roles(self) -> list[Role]:
        """Return the account's roles, in the order of the list; asked for once, like its permissions."""
        held = self.group_names
        if held is None:
            models.prefetch_related_objects([self], "groups")
            held = [group.name for group in self.groups.all()]
        return [role for role in Role if role.value in held]

    def has_role(self, *roles: Role) -> bool:
        """Tell whether the account holds any of the roles."""
        return any(role in roles for role in self.roles())


class RoleConflict(models.Model):
    """Two roles that one account may never hold together. Held by a trigger on the memberships."""

    role_a = models.CharField("角色甲", max_length=20, choices=Role)
    role_b = models.CharField("角色乙", max_length=20, choices=Role)
    reason = models.CharField("理由", max_length=200)

    class Meta:
        verbose_name = verbose_name_plural = "角色互斥"
        constraints = [models.UniqueConstraint(fields=["role_a", "role_b"], name="roleconflict_pair_is_unique")]

    def __str__(self) -> str:
        return f"{self.get_role_a_display()}×{self.get_role_b_display()}"


class IdentityProof(models.Model):
    """Two officials saw the person and the document, one after the other; the code of the second opens an account once.

    It opens a first account, or sets a forgotten password anew: whoever holds it comes to a person's file, so one hand is
    not enough (the database says so too).
    """

    class Document(models.TextChoices):
        RESIDENT_CARD = "111", "居民身份证"

    class Use(models.TextChoices):
        OPENED = "opened", "开通账户"
        RESET = "reset", "重设密码"

    person = models.ForeignKey(Person, models.PROTECT, verbose_name="自然人", related_name="proofs")
    document = models.CharField("查验证件", max_length=3, choices=Document, default=Document.RESIDENT_CARD)
    clerk = models.ForeignKey(User, models.PROTECT, verbose_name="查验人", related_name="+")
    organisation = models.ForeignKey(Organisation, models.PROTECT, verbose_name="查验窗口", related_name="+")
    checked_at = models.DateTimeField("查验时间", default=timezone.now)
    lifts_factors = models.BooleanField("同时解除第二步验证", default=False, db_default=False)
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, verbose_name="复核人", related_name="+")
    decided_at = models.DateTimeField("复核时间", null=True)
    refusal = models.CharField("退回理由", max_length=200, blank=True, default="", db_default="")
    code_hash = models.BinaryField(null=True, editable=False)
    expires_at = models.DateTimeField("激活码有效期至")
    attempts = models.PositiveSmallIntegerField("错误次数", default=0)
    used_at = models.DateTimeField("激活时间", null=True, blank=True)
    used_for = models.CharField("用途", max_length=8, choices=Use, blank=True, default="", db_default="")

    class Meta:
        verbose_name = verbose_name_plural = "身份核验"
        ordering = ["-checked_at"]
        permissions = [("confirm_identityproof", "复核身份核验、发放激活码")]
        constraints = [
            models.CheckConstraint(
                condition=Q(expires_at__gt=models.F("checked_at")), name="identityproof_expires_after_check"
            ),
            models.UniqueConstraint(
                fields=["person"], condition=Q(used_at__isnull=True, refusal=""), name="identityproof_one_open_per_person"
            ),
            models.CheckConstraint(
                condition=~Q(clerk=models.F("decided_by")), name="identityproof_takes_two_hands",
                violation_error_message="须由另一名工作人员复核，查验人不能自己复核。",
            ),
            models.CheckConstraint(  # what was used before it took two hands stays as it was
                condition=Q(code_hash__isnull=True) | Q(decided_by__isnull=False, refusal="") | Q(used_at__isnull=False),
                name="identityproof_code_is_the_second_hand_s",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"核验 {self.checked_at:%Y-%m-%d %H:%M}"

    @property
    def standing(self) -> str:
        """Return in a word how far it has come."""
        if self.used_at is not None:
            return "已使用"
        if self.refusal:
            return "已退回"
        if self.expires_at <= timezone.now():
            return "已过期"
        return "待复核" if self.decided_by_id is None else "待本人使用"


from accounts.sign_in_models import (  # noqa: E402, F401 – further tables of the app
    BindingCode,
    IdentityLink,
    RecoveryCode,
    SecondFactor,
    Session,
    SignInLine,
    SignInRule,
)
from accounts.token_models import IdempotentCall, ServiceToken, TokenRule, TokenUse  # noqa: E402, F401 – further tables

"""Service tokens: what other systems call the API with, what each used, and the answers that are given again."""

from datetime import date

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import Organisation, User


class Scope(models.TextChoices):
    """What a token may do; each stands for the permissions that accounts.roles gives to its group."""

    READ_BATCHES = "batches:read", "查看批次、退回行、更正件和回执"
    WRITE_BATCHES = "batches:write", "报送和取消批次"
    COMMIT_BATCHES = "batches:commit", "提交入库（只限目录允许单人提交的条目）"
    WITHDRAW_BATCHES = "batches:withdraw", "撤回批次"

    @property
    def group_name(self) -> str:
        """Return the name of the group that carries the scope's permissions."""
        return f"接口 {self.value}"


class TokenRule(models.Model):
    """How long a token may be good for at most, and what it may use at most: a row per change, with its source."""

    valid_from = models.DateField("启用日期", unique=True)
    longest_days = models.PositiveSmallIntegerField("最长有效天数", validators=[MinValueValidator(1)])
    most_per_hour = models.PositiveIntegerField("每小时最多调用次数", validators=[MinValueValidator(1)])
    source = models.CharField("依据", max_length=200)

    class Meta:
        verbose_name = verbose_name_plural = "令牌规则"
        db_table_comment = "append-only: a change is a new row with its first day"
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=Q(longest_days__gte=1, most_per_hour__gte=1) & ~Q(source=""), name="tokenrule_says_something"
            )
        ]

    def __str__(self) -> str:
        return f"{self.valid_from} 起最长 {self.longest_days} 日，每小时最多 {self.most_per_hour} 次"

    @classmethod
    def on(cls, day: date) -> "TokenRule":
        """Return the rule of a day."""
        return cls.objects.filter(valid_from__lte=day).latest("valid_from")


class ServiceToken(models.Model):
    """A key of an organisation's system. The secret is shown once; kept is a keyed hash. Asked for by one
    administrator, confirmed by another, revoked by either at once; never prolonged."""

    user = models.OneToOneField(User, models.PROTECT, verbose_name="接口账户", related_name="token")
    organisation = models.ForeignKey(Organisation, models.PROTECT, verbose_name="单位", related_name="tokens")
    name = models.CharField("系统名称", max_length=40, help_text="如“行政处罚办案系统”；批次的上传人写作这个名称")
    reason = models.CharField("用途和理由", max_length=200)
    scopes = ArrayField(models.CharField(max_length=40, choices=Scope), verbose_name="权限")
    networks = ArrayField(models.CharField(max_length=43), verbose_name="允许的网段")
    quota = models.PositiveIntegerField("每小时调用次数")
    hint = models.CharField("令牌开头", max_length=8)
    key_hash = models.BinaryField(unique=True, editable=False)
    asked_by = models.ForeignKey(User, models.PROTECT, verbose_name="申请人", related_name="+")
    asked_at = models.DateTimeField("申请时间", default=timezone.now)
    expires_at = models.DateTimeField("有效期至")
    confirmed_by = models.ForeignKey(User, models.PROTECT, null=True, verbose_name="确认人", related_name="+")
    confirmed_at = models.DateTimeField("确认时间", null=True)
    revoked_by = models.ForeignKey(User, models.PROTECT, null=True, verbose_name="撤销人", related_name="+")
    revoked_at = models.DateTimeField("撤销时间", null=True)
    revoke_reason = models.CharField("撤销理由", max_length=200, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "接口令牌"
        db_table_comment = "kept: who let which system in, with what and until when"
        ordering = ["-id"]
        default_permissions = ("view", "add")
        permissions = [("confirm_servicetoken", "确认接口令牌"), ("revoke_servicetoken", "撤销接口令牌")]
        constraints = [
            models.CheckConstraint(
                condition=Q(expires_at__gt=models.F("asked_at")), name="servicetoken_ends_after_it_begins"
            ),
            models.CheckConstraint(
                condition=Q(quota__gte=1, scopes__len__gte=1, networks__len__gte=1) & ~Q(reason=""),
                name="servicetoken_says_what_for_from_where_how_often",
            ),
            models.CheckConstraint(
                condition=Q(confirmed_by__isnull=True, confirmed_at__isnull=True)
                | Q(confirmed_by__isnull=False, confirmed_at__isnull=False) & ~Q(confirmed_by=models.F("asked_by")),
                name="servicetoken_confirmed_by_another",
                violation_error_message="申请人不能确认自己的申请。",
            ),
            models.CheckConstraint(
                condition=Q(revoked_by__isnull=True, revoked_at__isnull=True, revoke_reason="")
                | Q(revoked_by__isnull=False, revoked_at__isnull=False) & ~Q(revoke_reason=""),
                name="servicetoken_revoked_with_a_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.organisation} {self.name}"

    @property
    def state(self) -> str:
        """Return what has become of it, in a word."""
        if self.revoked_at is not None:
            return "已撤销" if self.confirmed_at else "未同意"
        if self.expires_at <= timezone.now():
            return "已到期"
        return "有效" if self.confirmed_at else "待确认"

    @property
    def is_waiting(self) -> bool:
        """Tell whether it waits for the second administrator."""
        return self.state == "待确认"

    @property
    def is_over(self) -> bool:
        """Tell whether it opens nothing any more."""
        return self.revoked_at is not None or self.expires_at <= timezone.now()

    @property
    def scope_texts(self) -> list[str]:
        """Return what it may do, in words."""
        return [Scope(scope).label for scope in self.scopes]


class TokenUse(models.Model):
    """How many calls a token made in an hour. Counted up by one statement, so that no two calls count as one."""

    token = models.ForeignKey(ServiceToken, models.PROTECT, verbose_name="令牌", related_name="uses")
    hour = models.DateTimeField("小时")
    used = models.PositiveIntegerField("调用次数")

    class Meta:
        verbose_name = verbose_name_plural = "令牌使用量"
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["token", "hour"], name="tokenuse_once_per_hour"),
            models.CheckConstraint(condition=Q(used__gte=1), name="tokenuse_counts_calls"),
        ]

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H} 时 {self.used} 次"


class IdempotentCall(models.Model):
    """A write that was done for a key of the caller's, and the answer that the same call is given again."""

    organisation = models.ForeignKey(Organisation, models.PROTECT, verbose_name="单位", related_name="+")
    key = models.CharField("Idempotency-Key", max_length=200)
    token = models.ForeignKey(ServiceToken, models.PROTECT, verbose_name="令牌", related_name="+")
    digest = models.CharField("内容摘要", max_length=64)
    status = models.PositiveSmallIntegerField("答复代码")
    body = models.JSONField("答复")
    at = models.DateTimeField("时间", db_default=models.functions.Now())

    class Meta:
        verbose_name = verbose_name_plural = "接口写入"
        db_table_comment = "append-only: what each key of a caller did, so that a repeated call does nothing twice"
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["organisation", "key"], name="idempotentcall_once_per_key"),
            models.CheckConstraint(condition=Q(digest__regex=r"^[0-9a-f]{64}$"), name="idempotentcall_has_a_digest"),
        ]

    def __str__(self) -> str:
        return self.key

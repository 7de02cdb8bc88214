"""Signing in: its limits, second factors, codes handed over, sessions, and a line for whatever happens at the door."""

from django.conf import settings
from django.contrib.sessions.base_session import AbstractBaseSession, BaseSessionManager
from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import User


class SignInRule(models.Model):
    """A limit of signing in, or of what is done after a step-up, with its source.

    A change is a further row from a moment on; rows are never edited.
    """

    class Code(models.TextChoices):
        FAILURES = "S01", "同一账户连续失败几次后锁定"
        LOCK = "S02", "锁定多久"
        ADDRESS_FAILURES = "S03", "同一网络地址失败几次后锁定"
        IDLE = "S04", "没有操作多久自动退出"
        LONGEST = "S05", "一次登录最长多久"
        RECENT = "S06", "办理敏感事项前，第二步验证多久之内有效"
        PENDING = "S07", "输入密码后多久之内完成第二步"
        BINDING = "S08", "绑定码有效多久"
        KNOWN = "S09", "曾成功登录的浏览器记住多久"
        WHOLE_NUMBERS = "S10", "一名工作人员一小时内显示完整证件号码至多几次"
        URGENT = "S11", "紧急查询打开后多久关闭"

    class Unit(models.TextChoices):
        TIMES = "times", "次"
        MINUTES = "minutes", "分钟"
        DAYS = "days", "日"

    code = models.CharField("编号", max_length=3, choices=Code)
    value = models.PositiveIntegerField("限值")
    unit = models.CharField("单位", max_length=8, choices=Unit)
    least = models.PositiveIntegerField("最小")
    most = models.PositiveIntegerField("最大")
    source = models.CharField("依据", max_length=300)
    set_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, verbose_name="设定人", related_name="+"
    )
    reason = models.CharField("变更理由", max_length=200, blank=True)
    since = models.DateTimeField("生效时间", db_default=models.functions.Now())

    class Meta:
        verbose_name = verbose_name_plural = "登录和敏感操作限值"
        db_table_comment = "append-only: limits of signing in"
        ordering = ["code", "-id"]
        default_permissions = ("view", "add")
        constraints = [
            models.CheckConstraint(
                condition=Q(value__gte=models.F("least"), value__lte=models.F("most")),
                name="signinrule_within_its_bounds", violation_error_message="限值超出允许的范围。",
            ),
            models.CheckConstraint(condition=~Q(source=""), name="signinrule_has_a_source"),
            models.CheckConstraint(
                condition=Q(set_by__isnull=True) | ~Q(reason=""), name="signinrule_changed_with_a_reason"
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.get_code_display()}：{self.value} {self.get_unit_display()}"


class SecondFactor(models.Model):
    """What an account holds besides its password: the seed of one-time codes or a passkey's public key, sealed."""

    class Kind(models.TextChoices):
        TOTP = "totp", "手机验证码"
        PASSKEY = "passkey", "通行密钥"

    user = models.ForeignKey(User, models.PROTECT, verbose_name="账户", related_name="second_factors")
    kind = models.CharField("种类", max_length=8, choices=Kind)
    label = models.CharField("名称", max_length=40)
    sealed = models.BinaryField(editable=False)
    credential_id = models.BinaryField(null=True, unique=True, editable=False)
    counter = models.BigIntegerField(default=0, editable=False)  # last step used, or the key's own counter
    created_at = models.DateTimeField("绑定时间", default=timezone.now)
    last_used_at = models.DateTimeField("最近使用", null=True)

    class Meta:
        verbose_name = verbose_name_plural = "第二步验证方式"
        ordering = ["pk"]
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["user"], condition=Q(kind="totp"), name="secondfactor_one_seed"),
            models.CheckConstraint(
                condition=Q(kind="totp", credential_id__isnull=True)
                | Q(kind="passkey", credential_id__isnull=False),
                name="secondfactor_passkey_has_its_id",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.label or self.get_kind_display()


class RecoveryCode(models.Model):
    """A code on paper that stands for the second factor once. Kept only as a keyed hash."""

    user = models.ForeignKey(User, models.PROTECT, related_name="recovery_codes")
    code_hash = models.BinaryField(editable=False)
    used_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = verbose_name_plural = "恢复码"
        default_permissions = ()

    def __str__(self) -> str:
        return f"恢复码 {self.pk}"


class BindingCode(models.Model):
    """What a security administrator hands over so that an account may bind its (first) second factor.

    Whoever sets the first password cannot also bind the phone: it takes two administrators to get into an account.
    """

    user = models.ForeignKey(User, models.PROTECT, verbose_name="账户", related_name="binding_codes")
    issued_by = models.ForeignKey(User, models.PROTECT, verbose_name="发放人", related_name="+")
    issued_at = models.DateTimeField("发放时间", default=timezone.now)
    expires_at = models.DateTimeField("有效期至")
    code_hash = models.BinaryField(editable=False)
    attempts = models.PositiveSmallIntegerField("错误次数", default=0)
    used_at = models.DateTimeField("使用时间", null=True)

    class Meta:
        verbose_name = verbose_name_plural = "绑定码"
        default_permissions = ()
        constraints = [
            models.CheckConstraint(condition=~Q(issued_by=models.F("user")), name="bindingcode_not_for_oneself"),
            models.UniqueConstraint(
                fields=["user"], condition=Q(used_at__isnull=True), name="bindingcode_one_open_per_account"
            ),
        ]

    def __str__(self) -> str:
        return f"绑定码 {self.issued_at:%Y-%m-%d}"


class Session(AbstractBaseSession):
    """A browser's session; whose it is stands in columns, so that people see theirs and end them."""

    account = models.ForeignKey(User, models.CASCADE, null=True, verbose_name="账户", related_name="sessions")
    started_at = models.DateTimeField("登录时间", null=True)
    seen_at = models.DateTimeField("最近操作", null=True)
    network = models.CharField("网段", max_length=50, blank=True)
    agent = models.CharField("浏览器", max_length=60, blank=True)
    method = models.CharField("登录方式", max_length=40, blank=True)

    objects = BaseSessionManager()  # type: ignore[misc]

    class Meta(AbstractBaseSession.Meta):  # type: ignore[name-defined]
        verbose_name = verbose_name_plural = "会话"
        default_permissions = ()

    @classmethod
    def get_session_store_class(cls) -> type:
        from accounts.sessions import SessionStore

        return SessionStore


class IdentityLink(models.Model):
    """The subject of an identity service that is the person of an account. Made once, never pointed elsewhere."""

    user = models.ForeignKey(User, models.PROTECT, verbose_name="账户", related_name="identity_links")
    issuer = models.CharField("身份服务", max_length=200)
    subject = models.CharField("用户标识", max_length=255)
    linked_at = models.DateTimeField("绑定时间", db_default=models.functions.Now())

    class Meta:
        verbose_name = verbose_name_plural = "身份服务绑定"
        db_table_comment = "append-only: subjects of identity services and their accounts"
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["issuer", "subject"], name="identitylink_subject_is_one_account"),
            models.UniqueConstraint(fields=["issuer", "user"], name="identitylink_account_is_one_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.issuer} {self.linked_at:%Y-%m-%d}"


class Event(models.TextChoices):
    """What happened at the door or to what opens it."""

    SIGNED_IN = "signed_in", "登录成功"
    WRONG_PASSWORD = "wrong_password", "用户名或密码不符"
    WRONG_FACTOR = "wrong_factor", "第二步验证不符"
    LOCKED = "locked", "锁定期间的尝试"
    REFUSED = "refused", "身份服务登录被拒"
    CONFIRMED = "confirmed", "再次验证通过"
    SIGNED_OUT = "signed_out", "退出登录"
    TIMED_OUT = "timed_out", "超时自动退出"
    ENDED = "ended", "会话被结束"
    FACTOR_ADDED = "factor_added", "绑定第二步验证"
    FACTOR_REMOVED = "factor_removed", "解除第二步验证"
    CODES_MADE = "codes_made", "生成恢复码"
    PASSWORD_CHANGED = "password_changed", "修改密码"
    PASSWORD_RESET = "password_reset", "重设密码"
    RESET_ISSUED = "reset_issued", "窗口核验身份，发放激活码"
    BINDING_ISSUED = "binding_issued", "发放绑定码"
    UNLOCKED = "unlocked", "解除锁定"
    LINKED = "linked", "绑定身份服务"


FAILURES = (Event.WRONG_PASSWORD, Event.WRONG_FACTOR)


class Method(models.TextChoices):
    """What somebody showed."""

    PASSWORD = "password", "密码"
    TOTP = "totp", "手机验证码"
    PASSKEY = "passkey", "通行密钥"
    RECOVERY = "recovery", "恢复码"
    BINDING = "binding", "绑定码"
    OIDC = "oidc", "统一身份认证"


class SignInLine(models.Model):
    """What happened at the door: who, when, from which network, how. Append-only; lock-outs are counted from here.

    Names that belong to no account are kept as keyed hashes only: people type passwords and ID numbers there.
    """

    at = models.DateTimeField("时间", db_default=models.functions.Now(), editable=False)
    account = models.ForeignKey(User, models.PROTECT, null=True, verbose_name="账户", related_name="sign_in_lines")
    event = models.CharField("事项", max_length=20, choices=Event)
    method = models.CharField("方式", max_length=10, choices=Method, blank=True)
    network = models.CharField("网段", max_length=50, blank=True)
    by = models.ForeignKey(User, models.PROTECT, null=True, verbose_name="办理人", related_name="+")
    note = models.CharField("说明", max_length=200, blank=True)
    name_index = models.BinaryField(null=True, editable=False)
    address_index = models.BinaryField(null=True, editable=False)
    browser_index = models.BinaryField(null=True, editable=False)
    known_browser = models.BooleanField("常用浏览器", default=False)

    class Meta:
        verbose_name = verbose_name_plural = "登录日志"
        db_table_comment = "append-only: what happened when somebody signed in or tried to"
        ordering = ["-id"]
        default_permissions = ("view",)
        indexes = [
            models.Index(fields=["name_index", "id"], name="signinline_by_name"),
            models.Index(fields=["address_index", "id"], name="signinline_by_address"),
            models.Index(fields=["account", "id"], name="signinline_by_account"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=~Q(event__in=["signed_in", "confirmed", "factor_added", "password_changed", "unlocked"])
                | Q(account__isnull=False),
                name="signinline_success_is_somebody_s",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_event_display()} {self.at:%Y-%m-%d %H:%M}"

    @property
    def doer(self) -> str:
        """Return who did it, in a word; of an attempt that failed nobody knows."""
        if self.by is not None:
            return self.by.name
        return "不明" if self.event in (*FAILURES, Event.LOCKED) else "本人"

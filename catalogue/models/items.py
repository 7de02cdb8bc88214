"""Items, their versions and what a version says: periods, fields, whom it is shared with."""

from datetime import date
from typing import Any

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateRangeField, RangeOperators
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.expressions import RawSQL
from django.db.models.functions import Now, Substr

from accounts.models import Organisation, Region, User
from catalogue.models.codes import CodeSet
from catalogue.models.instruments import Article, Confidence


class ItemQuerySet(models.QuerySet["Item"]):
    def called(self, day: date) -> Any:
        """Add each item's name by its version in force on a day as `name`; empty when there is none."""
        named = Func(F("pk"), Value(day), function="access_item_name", output_field=models.TextField())
        return self.annotate(name=named)


class Item(models.Model):
    """A catalogue item (目录条目): what may be collected. Its rules live in versions."""

    class Polarity(models.TextChoices):
        POSITIVE = "P", "守信"
        NEGATIVE = "N", "失信"
        BASIC = "B", "基础"

    LISTS = "06"  # 严重失信主体名单信息: nobody is put on a list by a spreadsheet

    class Origin(models.TextChoices):
        NATIONAL = "N", "全国基础目录"
        LOCAL = "L", "地方补充目录"

    code = models.CharField("条目编码", max_length=20, unique=True)
    category = models.CharField("信息类别", max_length=2, help_text="代码集 CAT：公共信用信息基础目录的十三类")
    polarity = models.CharField("信息性质", max_length=1, choices=Polarity)
    origin = models.CharField("目录来源", max_length=1, choices=Origin, default=Origin.NATIONAL)
    subject_type = models.CharField("主体类型", max_length=1, default="1", editable=False)
    provider = models.ForeignKey(Organisation, models.PROTECT, verbose_name="提供单位", related_name="items")
    one_hand_by_command = models.BooleanField(
        "命令行、接口可单人提交", default=False, help_text="页面提交始终须另一名工作人员办理"
    )

    objects = ItemQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "目录条目"
        ordering = ["code"]
        permissions = [
            ("supply_item", "报送本条目"),
            ("query_item", "依职责查询本条目"),
            ("propose_item", "提出条目和修订"),
            ("review_item", "法制审核条目"),
            ("assess_item", "影响评估和征求意见"),
            ("approve_item", "批准、暂停、恢复条目"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(code__regex=r"^FJ1-\d{2}-[A-Z]{4}-\d{4}$"), name="item_code_has_the_shape_of_the_catalogue"
            ),
            models.CheckConstraint(
                condition=Q(category__in=["02", "03", "04", "06", "08", "10", "11", "13"]),
                name="item_category_is_one_used_for_persons",
                violation_error_message="该信息类别不用于自然人（只用 02、03、04、06、08、10、11、13 类）。",
            ),
            models.CheckConstraint(condition=Q(subject_type="1"), name="item_is_about_natural_persons"),
            models.CheckConstraint(
                condition=Q(category=Substr("code", 5, 2)),
                name="item_code_names_its_category",
                violation_error_message="条目编码第 5、6 位应与信息类别一致。",
            ),
        ]

    def __str__(self) -> str:
        return self.code

    def version_on(self, day: date) -> "ItemVersion | None":
        """Return the version in force on a day."""
        return self.versions.in_force(day).first()


class ItemVersionQuerySet(models.QuerySet["ItemVersion"]):
    def in_force(self, day: date) -> "ItemVersionQuerySet":
        """Versions in force on a day: published, within their dates, on a basis that is valid, assessed.

        The rule itself is the database's function of the same name, which intake and the nightly job use too.
        """
        return self.filter(pk__in=RawSQL("SELECT catalogue_in_force(%s)", [day]))

    def by_delivery(self) -> "ItemVersionQuerySet":
        """Versions whose records departments deliver: not lists (their procedure writes them), not the court's feed."""
        return self.filter(source_channel__in=ItemVersion.DELIVERED).exclude(item__category=Item.LISTS)

    def visible_to(self, user: User) -> "ItemVersionQuerySet":
        """Versions that a member of staff sees: what is published, drafts of the own department, all to reviewers."""
        if any(user.has_perm(f"catalogue.{deed}") for deed in ("assess_item", "approve_item")):
            return self
        return self.exclude(state__in=ItemVersion.UNDER_WAY) | self.filter(item__provider=user.organisation_id)


class ItemVersion(models.Model):
    """The rules of an item for a time: the columns of domain §3.2 (their numbers stand beside them).

    Written while it is a draft; after that only its state moves, along declared arrows (triggers of migration
    0006). Columns without choices hold codes of the code set named.
    """

    class State(models.TextChoices):
        DRAFT = "draft", "草案"
        SUBMITTED = "submitted", "已提交"
        LEGAL_REVIEW = "legal_review", "法制审核"
        PIA = "pia", "影响评估"
        CONSULTATION = "consultation", "征求意见"
        APPROVED = "approved", "已批准"
        PUBLISHED = "published", "已发布"
        IN_FORCE = "in_force", "现行"
        SUSPENDED = "suspended", "暂停"
        RETIRED = "retired", "停用"

    DELIVERED = ("FILE", "FORM", "API")  # of code set SRC
    UNDER_WAY = (State.DRAFT, State.SUBMITTED, State.LEGAL_REVIEW, State.PIA, State.CONSULTATION, State.APPROVED)

    class Disclosure(models.TextChoices):
        PUBLIC = "PUBLIC", "公开公示"
        SHARE = "SHARE", "政务共享"
        QUERY_AUTH = "QUERY_AUTH", "依授权查询"
        SELF = "SELF", "仅本人"
        NONE = "NONE", "不予披露"

    WITH_CONSENT = (Disclosure.PUBLIC, Disclosure.QUERY_AUTH)  # institutions see it if the person allows them
    ONLY_THE_PERSON = (Disclosure.SELF, Disclosure.NONE)

    class Sharing(models.TextChoices):
        UNCONDITIONAL = "UNCOND", "无条件共享"
        CONDITIONAL = "COND", "有条件共享"
        NO = "NO", "不予共享"

    class Notice(models.TextChoices):
        BEFORE = "PRE", "报送前告知"
        WITH_DOCUMENT = "WITH", "与文书同达"
        BY_LAW = "PUBLIC_BY_LAW", "依法公开免告知"

    class SeverityRule(models.TextChoices):
        NONE = "0", "不适用"
        MINOR = "1", "轻微"
        GENERAL = "2", "一般"
        SERIOUS = "3", "严重"
        BY_CASE = "C", "由认定单位逐件确定"

    item = models.ForeignKey(Item, models.PROTECT, verbose_name="条目", related_name="versions")
    version = models.PositiveSmallIntegerField("版本")  # 35
    name = models.CharField("条目名称", max_length=100)  # 2
    behaviour = models.CharField("对应的具体行为", max_length=500)  # 6
    legal_bases = models.ManyToManyField(Article, verbose_name="法律政策依据", related_name="items")  # 7
    ministry_rule_reason = models.CharField(
        "以部门规章为依据的理由", max_length=200, blank=True, help_text="仅限严重失信主体名单且该领域没有更高层级依据"
    )
    disclosure_basis = models.ForeignKey(
        Article, models.PROTECT, null=True, blank=True, verbose_name="公开依据", related_name="+"
    )  # 9
    source_channel = models.CharField("归集来源和渠道", max_length=6, default="FILE", help_text="代码集 SRC")  # 11
    source_level = models.CharField("来源层级", max_length=1, default="省", help_text="代码集 LVL")  # 12
    territory = models.ForeignKey(Region, models.PROTECT, verbose_name="适用区域")  # 13
    disclosure = models.CharField("公开属性", max_length=10, choices=Disclosure, default=Disclosure.QUERY_AUTH)  # 14
    public_by_consent = models.BooleanField("经本人单独同意后公开", default=False)
    public_name_in_full = models.BooleanField("公示时列明全名", default=False, help_text="仅限公开依据点名全名的条目")
    sharing = models.CharField("政务共享属性", max_length=6, choices=Sharing, default=Sharing.CONDITIONAL)  # 15
    update_freq = models.CharField("更新频次", max_length=2, default="EV", help_text="代码集 FRQ")  # 17
    supply_days = models.PositiveSmallIntegerField("报送时限", default=7)  # 18
    supply_unit = models.CharField(
        "报送时限单位", max_length=2, choices=[("WD", "个工作日"), ("ND", "日")], default="WD"
    )
    document_type = models.CharField("认定文书类型", max_length=1, blank=True, help_text="代码集 DOC")  # 19
    severity_rule = models.CharField(
        "失信程度", max_length=1, choices=SeverityRule, default=SeverityRule.NONE
    )  # 20; 21 and 22 are PublicationPeriod
    query_retention_months = models.PositiveSmallIntegerField("查询披露期限（月）")  # 23
    storage_rule = models.CharField("保存期限及到期处理", max_length=4, default="DEL", help_text="代码集 RET")  # 24
    period_start = models.CharField("期限起算点", max_length=1, default="D", help_text="代码集 PST")  # 25
    repairable = models.BooleanField("可否修复", default=True)  # 26
    no_repair_basis = models.ForeignKey(
        Article, models.PROTECT, null=True, blank=True, verbose_name="不可修复依据", related_name="+"
    )
    repair_conditions = ArrayField(
        models.CharField(max_length=10), verbose_name="修复条件", default=list, blank=True, help_text="代码集 RPC"
    )  # 27
    sensitive = models.BooleanField("是否敏感个人信息", default=True)  # 28
    assessment = models.ForeignKey(
        "ImpactAssessment", models.PROTECT, null=True, blank=True, verbose_name="影响评估", related_name="versions"
    )  # 29; 30 is Field
    masking_profile = models.CharField("脱敏规则", max_length=2, default="M1", help_text="代码集 MSK")  # 31
    linked_measures = ArrayField(
        models.CharField(max_length=20), verbose_name="关联惩戒、激励措施", default=list, blank=True
    )  # 32
    notice_mode = models.CharField("主体告知方式", max_length=13, choices=Notice, default=Notice.WITH_DOCUMENT)  # 33
    opt_out = models.BooleanField("可否本人申请不记入", default=False)  # 34
    effective = DateRangeField("有效期间")  # 35
    consultation_note = models.TextField("征求意见情况", max_length=2000, blank=True)  # 36
    state = models.CharField("状态", max_length=12, choices=State, default=State.DRAFT)  # 37
    national_ref = models.CharField("国家目录对应条目", max_length=60, blank=True)  # 38
    change_note = models.CharField("修订说明", max_length=300, blank=True)  # 39
    created_by = models.ForeignKey(
        User, models.PROTECT, null=True, editable=False, verbose_name="起草人", related_name="+"
    )
    created_at = models.DateTimeField("起草时间", db_default=Now(), editable=False)
    moved_by = models.ForeignKey(
        User, models.PROTECT, null=True, editable=False, verbose_name="最近办理人", related_name="+"
    )
    move_note = models.CharField("最近办理意见", max_length=500, blank=True, editable=False)

    objects = ItemVersionQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "条目版本"
        ordering = ["item", "-version"]
        constraints = [
            models.UniqueConstraint(fields=["item", "version"], name="itemversion_number_once_per_item"),
            models.UniqueConstraint(
                fields=["item"],
                condition=Q(state__in=["draft", "submitted", "legal_review", "pia", "consultation", "approved"]),
                name="itemversion_one_under_way_per_item",
                violation_error_message="该条目已有一个办理中的版本，请先办完或退回。",
            ),
            ExclusionConstraint(
                name="itemversion_in_force_do_not_overlap",
                expressions=[("item", RangeOperators.EQUAL), ("effective", RangeOperators.OVERLAPS)],
                condition=Q(state__in=["published", "in_force", "suspended"]),
                violation_error_message="同一条目的已发布版本有效期间不能重叠。",
            ),
            models.CheckConstraint(
                condition=~Q(disclosure="PUBLIC") | Q(disclosure_basis__isnull=False) | Q(public_by_consent=True),
                name="itemversion_public_needs_a_basis_of_its_own",
                violation_error_message="公开公示须另有公开依据，或者经本人单独同意（个人信息保护法第二十五条）。",
            ),
            models.CheckConstraint(
                condition=Q(public_name_in_full=False) | Q(disclosure="PUBLIC"),
                name="itemversion_full_name_only_if_public",
                violation_error_message="只有公开公示的条目才能列明全名。",
            ),
            models.CheckConstraint(
                condition=Q(public_by_consent=False) | Q(disclosure="PUBLIC"),
                name="itemversion_consent_to_publish_only_if_public",
                violation_error_message="只有公开公示的条目才能选“经本人单独同意后公开”。",
            ),
            models.CheckConstraint(
                condition=Q(repairable=True) | Q(no_repair_basis__isnull=False),
                name="itemversion_no_repair_needs_a_basis",
                violation_error_message="不可修复须注明法律、法规或党中央、国务院政策文件依据（令第36号第二条）。",
            ),
            models.CheckConstraint(
                condition=Q(query_retention_months__gt=0, query_retention_months__lte=60),
                name="itemversion_query_period_is_at_most_five_years",
                violation_error_message="查询披露期限为 1 至 60 个月（征信业管理条例第十六条）。",
            ),
            models.CheckConstraint(
                condition=Q(effective__startswith__isnull=False), name="itemversion_begins_on_a_day",
                violation_error_message="请填写生效日期。",
            ),
            models.CheckConstraint(
                condition=Q(version=1) | ~Q(change_note=""), name="itemversion_change_is_explained",
                violation_error_message="修订版本须写明修订说明。",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.name}（{self.item.code} 第{self.version}版）"

    @property
    def comes_by_delivery(self) -> bool:
        """Tell whether departments deliver its records: see `by_delivery`."""
        return self.source_channel in self.DELIVERED and self.item.category != Item.LISTS

    @property
    def is_shared(self) -> bool:
        """Tell whether departments may read it for a duty at all."""
        return self.disclosure not in self.ONLY_THE_PERSON and self.sharing != self.Sharing.NO

    @property
    def lets_in(self) -> frozenset[str]:
        """Return the kinds of reader that the item lets in at all; a field can only let in fewer.

        The database's `access_closed_items` says the same of the version in force.
        """
        asked = {
            Field.Reader.DEPARTMENT: self.is_shared, Field.Reader.THIRD_PARTY: self.disclosure in self.WITH_CONSENT,
            Field.Reader.PUBLIC: self.disclosure == self.Disclosure.PUBLIC,
        }  # fmt: skip
        always = (Field.Reader.SUBJECT, Field.Reader.PROVIDER)
        return frozenset([*always, *(reader for reader, let_in in asked.items() if let_in)])

    @property
    def is_local(self) -> bool:
        """Tell whether the item belongs to a local supplement, which needs consultation."""
        return self.item.origin == Item.Origin.LOCAL

    @property
    def needs_assessment(self) -> bool:
        """Tell whether an impact assessment is due: others may see it, or it is sensitive (PIPL art 55)."""
        return self.sensitive or self.disclosure not in (self.Disclosure.SELF, self.Disclosure.NONE)


class SharingScope(models.Model):
    """A department and the duty for which the item is shared with it (column 16)."""

    item_version = models.ForeignKey(ItemVersion, models.CASCADE, verbose_name="条目版本", related_name="scopes")
    organisation = models.ForeignKey(Organisation, models.PROTECT, verbose_name="共享给", related_name="+")
    duty_code = models.CharField("事项编码", max_length=40)
    duty_name = models.CharField("事项名称", max_length=100)

    class Meta:
        verbose_name = verbose_name_plural = "共享范围"
        ordering = ["item_version", "organisation", "duty_code"]
        constraints = [
            models.UniqueConstraint(
                fields=["item_version", "organisation", "duty_code"], name="sharingscope_duty_once_per_organisation"
            )
        ]

    def __str__(self) -> str:
        return f"{self.organisation}：{self.duty_name}"


class VersionStep(models.Model):
    """A step of a version through its states. Written by the database with the step itself; append-only."""

    item_version = models.ForeignKey(ItemVersion, models.PROTECT, verbose_name="条目版本", related_name="steps")
    from_state = models.CharField("原状态", max_length=12, choices=ItemVersion.State)
    to_state = models.CharField("新状态", max_length=12, choices=ItemVersion.State)
    by = models.ForeignKey(User, models.PROTECT, null=True, verbose_name="办理人", related_name="+")
    by_name = models.CharField("办理人姓名", max_length=60)
    note = models.CharField("意见", max_length=500)
    at = models.DateTimeField("时间", db_default=Now())

    class Meta:
        verbose_name = verbose_name_plural = "条目办理记录"
        db_table_comment = "append-only, written by the database: every step of every item version, with its doer"
        ordering = ["item_version", "id"]
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.get_from_state_display()} → {self.get_to_state_display()}"


class PublicationPeriod(models.Model):
    """How long a record of that severity may be public: data with a source, never a constant."""

    class Severity(models.IntegerChoices):
        NONE = 0, "不适用"
        MINOR = 1, "轻微"
        GENERAL = 2, "一般"
        SERIOUS = 3, "严重"

    item_version = models.ForeignKey(ItemVersion, models.CASCADE, verbose_name="条目版本", related_name="periods")
    severity = models.PositiveSmallIntegerField("失信程度", choices=Severity)
    min_months = models.PositiveSmallIntegerField("最短公示期（月）")
    max_months = models.PositiveSmallIntegerField("最长公示期（月）", help_text="0 表示不公示")
    basis = models.ForeignKey(Article, models.PROTECT, verbose_name="依据", related_name="+")
    confidence = models.CharField("核实程度", max_length=1, choices=Confidence, default=Confidence.MEDIUM)

    class Meta:
        verbose_name = verbose_name_plural = "公示期"
        ordering = ["item_version", "severity"]
        constraints = [
            models.UniqueConstraint(fields=["item_version", "severity"], name="publicationperiod_once_per_severity"),
            models.CheckConstraint(
                condition=Q(min_months__lte=F("max_months")), name="publicationperiod_min_is_not_above_max"
            ),
            models.CheckConstraint(condition=Q(max_months__lte=36), name="publicationperiod_at_most_three_years"),
        ]

    def __str__(self) -> str:
        return f"{self.get_severity_display()}：{self.min_months}—{self.max_months} 个月"


class Field(models.Model):
    """A data field (数据项) of an item version: the closed list of what is taken."""

    class Type(models.TextChoices):
        TEXT = "text", "文本"
        CODE = "code", "编号"
        NAME = "name", "姓名"
        ID_NUMBER = "id_number", "公民身份号码"
        DATE = "date", "日期"
        AMOUNT = "amount", "金额（万元）"
        CHOICE = "choice", "单选代码"
        CHOICES = "choices", "多选代码"

    class Binding(models.TextChoices):
        """Which column of the record the field feeds; empty for fields that stay in the content."""

        PERSON_NAME = "person_name", "姓名"
        ID_NUMBER = "id_number", "证件号码"
        DOC_NO = "doc_no", "文书号"
        DOC_DATE = "doc_date", "认定日期"
        SERVICE_DATE = "service_date", "送达日期"
        ACT_END = "act_end", "行为终止日期"
        SEVERITY = "severity", "失信程度"
        KIND = "kind", "类别（推定失信程度）"
        PUBLIC_MARK = "public_mark", "公开标记"
        PUBLIC_UNTIL = "public_until", "公示截止期"
        DECIDER = "decider", "认定单位"
        DECIDER_USCC = "decider_uscc", "认定单位代码"

    class Reader(models.TextChoices):
        SUBJECT = "SUBJECT", "本人"
        PROVIDER = "PROVIDER", "提供单位"
        DEPARTMENT = "DEPT", "有权部门"
        THIRD_PARTY = "THIRD_PARTY", "经授权的机构"
        PUBLIC = "PUBLIC", "公众"

    item_version = models.ForeignKey(ItemVersion, models.CASCADE, verbose_name="条目版本", related_name="fields")
    position = models.PositiveSmallIntegerField("顺序")
    code = models.CharField("字段名", max_length=30)
    label = models.CharField("名称", max_length=60)
    aliases = ArrayField(models.CharField(max_length=60), verbose_name="别名", default=list, blank=True)
    datatype = models.CharField("类型", max_length=10, choices=Type)
    length = models.PositiveIntegerField("长度上限", default=200)
    required = models.BooleanField("必填", default=False)
    code_set = models.ForeignKey(CodeSet, models.PROTECT, null=True, blank=True, verbose_name="代码集")
    binds = models.CharField("对应记录项", max_length=12, choices=Binding, blank=True)
    free_text = models.BooleanField("自由文本（需检查禁止内容）", default=False)
    must_be_empty = models.BooleanField("自然人应为空", default=False)
    visible_to = ArrayField(
        models.CharField(max_length=12, choices=Reader), verbose_name="可见范围", default=list, blank=True
    )
    pii_class = models.CharField("个人信息类别", max_length=20, blank=True, help_text="禁止归集类别的代码一律不收")
    gb_element = models.CharField("GB/T 39445 数据元", max_length=40, blank=True)
    sensitive = models.BooleanField("敏感个人信息", default=False)
    mask = models.CharField(
        "脱敏", max_length=4, blank=True, default="", choices=[("", "随条目"), ("HIDE", "除本人外不显示内容")]
    )

    class Meta:
        verbose_name = verbose_name_plural = "数据项"
        ordering = ["item_version", "position"]
        constraints = [
            models.UniqueConstraint(fields=["item_version", "code"], name="field_code_once_per_version"),
            models.UniqueConstraint(
                fields=["item_version", "binds"], condition=~Q(binds=""), name="field_binding_once_per_version"
            ),
            models.CheckConstraint(
                condition=~Q(datatype__in=["choice", "choices"]) | Q(code_set__isnull=False),
                name="field_of_codes_has_a_code_set",
            ),
            models.CheckConstraint(
                condition=~Q(binds="id_number") | ~Q(visible_to__contains=["PUBLIC"]),
                name="field_id_number_is_never_public",
                violation_error_message="证件号码不能作为公众可见的数据项。",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.label}（{self.code}）"

    @property
    def readers(self) -> str:
        """Return who sees the field, in words."""
        return "、".join(self.Reader(reader).label for reader in self.visible_to) or "不显示"

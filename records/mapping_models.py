"""Saved mappings: which heading of a supplier's sheet feeds which field of an item."""

from collections.abc import Sequence

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from accounts.models import Organisation, User
from catalogue.models import Field, Item, ItemVersion

# What of a field must be as it was when somebody said that a column feeds it.
_SAME = ("label", "datatype", "binds", "code_set_id", "must_be_empty")


class ColumnMappingQuerySet(models.QuerySet["ColumnMapping"]):
    def visible_to(self, user: User) -> "ColumnMappingQuerySet":
        """Mappings of the user's own organisation, to those who see its batches."""
        if user.has_perm("records.view_batch") and user.organisation_id:
            return self.filter(supplier=user.organisation_id)
        return self.none()

    def active(self) -> "ColumnMappingQuerySet":
        """Mappings that nobody has retired."""
        return self.filter(retired_at__isnull=True)


class ColumnMapping(models.Model):
    """Headings of a supplier's sheet and the fields they feed (列对应). Never changed: another one takes its place.

    `labels` are the normalised headings in order, `codes` the fields in the same order, empty where a column is not
    read. It applies to files with exactly these headings, as long as the fields it uses are what they were.
    """

    supplier = models.ForeignKey(Organisation, models.PROTECT, verbose_name="报送单位", related_name="column_mappings")
    item = models.ForeignKey(Item, models.PROTECT, verbose_name="目录条目", related_name="column_mappings")
    item_version = models.ForeignKey(ItemVersion, models.PROTECT, verbose_name="对应时的条目版本", related_name="+")
    name = models.CharField("名称", max_length=60)
    fingerprint = models.CharField("表头指纹", max_length=64)
    labels = ArrayField(models.CharField(max_length=100, blank=True), verbose_name="列名")
    codes = ArrayField(models.CharField(max_length=30, blank=True), verbose_name="数据项")
    saved_by = models.ForeignKey(User, models.PROTECT, verbose_name="保存人", related_name="+")
    saved_at = models.DateTimeField("保存时间", db_default=Now())
    retired_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, verbose_name="停用人", related_name="+")
    retired_at = models.DateTimeField("停用时间", null=True, blank=True)

    objects = ColumnMappingQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "列对应"
        db_table_comment = "kept: how the columns of a supplier's sheets were read"
        ordering = ["-id"]
        default_permissions = ()
        indexes = [models.Index(fields=["supplier", "item"], name="mapping_by_supplier_and_item")]
        constraints = [
            models.UniqueConstraint(
                fields=["supplier", "item", "fingerprint"], condition=Q(retired_at__isnull=True),
                name="mapping_once_per_header", violation_error_message="这个表头已有保存的列对应。",
            ),
            models.CheckConstraint(
                condition=Q(retired_at__isnull=True, retired_by__isnull=True)
                | Q(retired_at__isnull=False, retired_by__isnull=False),
                name="mapping_retired_by_somebody",
            ),
            models.CheckConstraint(
                condition=~Q(name="") & ~Q(name__regex=r"[0-9]{9}"), name="mapping_has_a_name_without_numbers",
                violation_error_message="名称不能为空，也不能含有长号码。",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.name

    @property
    def columns(self) -> list[tuple[str, str]]:
        """Return each heading with the label of the field it feeds, empty where it is not read."""
        labels = {f.code: f.label for f in self.item_version.fields.all()}
        return [(label, labels.get(code, "")) for label, code in zip(self.labels, self.codes, strict=True) if label]

    def changed_since(self, fields: Sequence[Field]) -> list[str]:
        """Return the labels of what is no longer as it was when the mapping was saved, given an item's fields today.

        Empty when it can be applied. Needs the fields of `item_version`.
        """
        then, now = {f.code: f for f in self.item_version.fields.all()}, {f.code: f for f in fields}
        used = [code for code in self.codes if code]
        changed = [
            then[code].label
            for code in used
            if code not in now or any(getattr(then[code], name) != getattr(now[code], name) for name in _SAME)
        ]
        return changed + [f.label for f in fields if f.required and f.code not in used]

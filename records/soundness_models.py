"""What the nightly check of sealed numbers found."""

from django.db import models

from accounts.models import Person


class Unsound(models.Model):
    """A record whose person's sealed number is not what it must be. Kept; hides all of that person's records."""

    class Fault(models.TextChoices):
        SEAL = "seal", "证件号码密文无法打开"
        INDEX = "index", "证件号码与索引不符"
        NUMBER = "number", "证件号码不合规则"
        MINOR = "minor", "行为时未满 18 周岁"

    person = models.ForeignKey(Person, models.PROTECT, verbose_name="自然人", related_name="+")
    record = models.ForeignKey(
        "records.Record", models.PROTECT, db_constraint=False, verbose_name="记录", related_name="+"
    )
    fault = models.CharField("问题", max_length=8, choices=Fault)
    found_at = models.DateTimeField("发现时间", db_default=models.functions.Now())

    class Meta:
        verbose_name = verbose_name_plural = "封存核验发现"
        db_table_comment = "append-only: what the nightly check of sealed numbers found"
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["record", "fault"], name="unsound_once_per_record_and_fault")]

    def __str__(self) -> str:
        return f"{self.get_fault_display()}（记录 {self.record_id}）"

"""The table of who may see what, as the database's policy on records reads it."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from creditfujian.lib.masking import Profile


class Visibility(models.Model):
    """One kind of query: as which reader, masked how, in which situations of a record. Changed by migration only."""

    class Situation(models.TextChoices):
        IN_USE = "in_use", "在用（含有异议标记的）"
        NOTICED = "noticed", "告知期内"
        HELD = "held", "异议核查中停用"
        CANCELLED = "cancelled", "所依据的决定已撤销"
        REPAIRED = "repaired", "已修复"
        WITHHELD = "withheld", "条目暂停或失去依据"

    kind = models.CharField("查询方式", max_length=3, primary_key=True)
    who = models.CharField("谁", max_length=40)
    reader = models.CharField("按哪类读者看数据项", max_length=12)
    profile = models.CharField("脱敏规则", max_length=2, choices=[(p.value, p.value) for p in Profile])
    situations = ArrayField(models.CharField(max_length=10, choices=Situation), verbose_name="看得到哪些状态的记录")
    narrowed = models.CharField("按用途限于", max_length=100)
    basis = models.CharField("依据", max_length=100)

    class Meta:
        verbose_name = verbose_name_plural = "谁能看到什么"
        db_table_comment = "append-only, written by the database: who may see records in which situation"
        ordering = ["kind"]
        default_permissions = ("view",)

    def __str__(self) -> str:
        return self.who

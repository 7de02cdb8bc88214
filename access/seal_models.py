"""What seals the query log: a leaf per line, the tree's kept nodes, signed checkpoints, and what verifications found."""

from django.db import models
from django.utils import timezone

from creditfujian.lib.signed_note import Head


class Leaf(models.Model):
    """One line under the tree: its place, its salt, its hash. Only the database's own function writes them."""

    number = models.BigIntegerField(primary_key=True)
    query_id = models.BigIntegerField(unique=True)
    at = models.DateTimeField()
    salt = models.UUIDField()
    hash = models.BinaryField()

    class Meta:
        verbose_name = verbose_name_plural = "查询日志封存叶"
        managed = False  # written out in migration 0006
        db_table_comment = "append-only, written by the database: each line's place in the tree"
        default_permissions = ()

    def __str__(self) -> str:
        return f"叶 {self.number}"


class Node(models.Model):
    """A complete subtree of every eighth level (creditfujian.lib.merkle)."""

    pk = models.CompositePrimaryKey("level", "number")
    level = models.SmallIntegerField()
    number = models.BigIntegerField()
    hash = models.BinaryField()

    class Meta:
        verbose_name = verbose_name_plural = "查询日志封存节点"
        managed = False  # written out in migration 0006
        db_table_comment = "append-only: kept nodes of the tree"
        default_permissions = ()

    def __str__(self) -> str:
        return f"节点 {self.level}/{self.number}"


class Checkpoint(models.Model):
    """A signed statement of the tree's size and root at a time, chained to the one before."""

    number = models.BigIntegerField("编号", primary_key=True)
    size = models.BigIntegerField("已封存条数")
    root = models.BinaryField("树根")
    at = models.DateTimeField("时间")
    previous = models.BinaryField("上一检查点摘要")
    key_id = models.CharField("密钥编号", max_length=8)
    signature = models.BinaryField("签名")

    class Meta:
        verbose_name = verbose_name_plural = "查询日志检查点"
        managed = False  # written out in migration 0005
        db_table_comment = "append-only: signed checkpoints of the query log"
        ordering = ["-number"]
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"检查点 {self.number}"

    @property
    def root_hex(self) -> str:
        """Return the root as people compare it."""
        return bytes(self.root).hex()

    @property
    def head(self) -> Head:
        """Return what it says."""
        return Head(self.number, self.size, bytes(self.root), self.at, bytes(self.previous))

    @property
    def note(self) -> bytes:
        """Return the whole signed text, as it is published."""
        return self.head.note(self.key_id, bytes(self.signature))


class Verification(models.Model):
    """What one verification of the log looked at and found."""

    class Scope(models.TextChoices):
        DAY = "day", "最近一天"
        WHOLE = "whole", "全部"

    at = models.DateTimeField("时间", default=timezone.now)
    scope = models.CharField("范围", max_length=5, choices=Scope)
    lines = models.BigIntegerField("核验条数")
    checkpoints = models.BigIntegerField("核验检查点")
    first_bad = models.BigIntegerField("第一条有问题的序号", null=True)
    found = models.TextField("发现", blank=True)
    seconds = models.FloatField("用时（秒）")

    class Meta:
        verbose_name = verbose_name_plural = "查询日志核验"
        db_table_comment = "append-only: what verifications of the query log found"
        ordering = ["-at", "-pk"]
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.get_scope_display()}"

    @property
    def is_whole(self) -> bool:
        """Tell whether nothing was wrong."""
        return not self.found

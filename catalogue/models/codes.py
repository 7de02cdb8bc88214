"""Closed lists of values: code sets as tables."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from catalogue.models.instruments import Confidence


class CodeSet(models.Model):
    """A closed list of values."""

    code = models.CharField("代码", max_length=20, unique=True)
    title = models.CharField("名称", max_length=60)
    source = models.CharField("来源", max_length=120)
    confidence = models.CharField("核实程度", max_length=1, choices=Confidence, default=Confidence.MEDIUM)

    class Meta:
        verbose_name = verbose_name_plural = "代码集"

    def __str__(self) -> str:
        return self.title


class CodeValue(models.Model):
    """One value; a value with a refusal is known and never taken."""

    code_set = models.ForeignKey(CodeSet, models.CASCADE, verbose_name="代码集", related_name="values")
    code = models.CharField("代码", max_length=20)
    label = models.CharField("名称", max_length=60)
    aliases = ArrayField(models.CharField(max_length=60), verbose_name="别名", default=list, blank=True)
    severity = models.PositiveSmallIntegerField(
        "缺省失信程度", null=True, blank=True, help_text="处罚类别对应的信息类别：1 轻微 2 一般 3 严重"
    )
    refusal = models.CharField("不予归集的理由", max_length=200, blank=True)
    position = models.PositiveSmallIntegerField("顺序", default=0)

    class Meta:
        verbose_name = verbose_name_plural = "代码值"
        ordering = ["code_set", "position"]
        constraints = [
            models.UniqueConstraint(fields=["code_set", "code"], name="codevalue_code_once_per_set"),
            models.UniqueConstraint(fields=["code_set", "label"], name="codevalue_label_once_per_set"),
        ]

    def __str__(self) -> str:
        return self.label

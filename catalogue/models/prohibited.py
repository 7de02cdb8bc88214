"""What is never collected (domain §9)."""

from django.contrib.postgres.fields import ArrayField
from django.db import models


class ProhibitedCategory(models.Model):
    """What is never collected (domain §9): words that refuse a cell or a column."""

    code = models.CharField("代码", max_length=3, unique=True)
    title = models.CharField("类别", max_length=100)
    basis = models.CharField("依据", max_length=120)
    keywords = ArrayField(models.CharField(max_length=20), verbose_name="正文关键词", default=list, blank=True)
    exceptions = ArrayField(
        models.CharField(max_length=20), verbose_name="不算命中的词", default=list, blank=True,
        help_text="含关键词但与个人无关，如“病死”“转基因”",
    )  # fmt: skip
    header_keywords = ArrayField(models.CharField(max_length=20), verbose_name="列名关键词", default=list, blank=True)
    advice = models.CharField("处理办法", max_length=200)

    class Meta:
        verbose_name = verbose_name_plural = "禁止归集类别"
        ordering = ["code"]

    def __str__(self) -> str:
        return f"{self.code} {self.title}"

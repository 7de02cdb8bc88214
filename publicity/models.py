"""What the public site keeps for itself: how often an address asked or said something. Nothing of the register."""

from django.db import models


class LookupCount(models.Model):
    """Look-ups, or comments, of one address in one hour; the deed and the address are kept as a keyed hash."""

    pk = models.CompositePrimaryKey("address_hash", "hour")
    address_hash = models.BinaryField()
    hour = models.DateTimeField()
    count = models.IntegerField()

    class Meta:
        verbose_name = verbose_name_plural = "查询次数"
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H} 时 {self.count} 次"

"""What the public site keeps for itself: how often an address looked up. Nothing of the register."""

from django.db import models


class LookupCount(models.Model):
    """Look-ups of one address in one hour; the address is kept as a keyed hash."""

    pk = models.CompositePrimaryKey("address_hash", "hour")
    address_hash = models.BinaryField()
    hour = models.DateTimeField()
    count = models.IntegerField()

    class Meta:
        verbose_name = verbose_name_plural = "查询次数"
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H} 时 {self.count} 次"

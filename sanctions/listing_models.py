"""Listings (列入): that a person stands on a roster, from when to when. They end by themselves on their day."""

from datetime import date

from django.contrib.postgres.fields import DateRangeField
from django.db import connection, models
from django.db.models import F, Func, Q
from django.db.models.expressions import RawSQL
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import Organisation, Person
from records.models import Record
from sanctions.case_models import CasePaper, ListingCase
from sanctions.measure_models import Measure
from sanctions.roster_models import Roster, RosterVersion


class ListingQuerySet(models.QuerySet["Listing"]):
    def in_force(self, day: date | None = None) -> "ListingQuerySet":
        """Listings that stand on a day: begun, not over, not stayed.

        The rule is the database's `sanctions_listings_in_force`, which every question about rosters asks.
        """
        return self.filter(
            pk__in=RawSQL("SELECT id FROM sanctions_listings_in_force(%s)", [day or timezone.localdate()])
        )

    def public_on(self, day: date | None = None) -> "ListingQuerySet":
        """Listings in force that the public may see on a day."""
        day = day or timezone.localdate()
        return self.in_force(day).filter(publication__contains=day)

    def of(self, person: Person) -> "ListingQuerySet":
        """Listings of one human, those of numbers merged into theirs included."""
        return self.filter(person__in=person.family())


class Listing(models.Model):
    """A person on a roster. Comes from a case whose decision was served, or from the court's feed; nothing else writes one."""

    class Origin(models.TextChoices):
        CASE = "case", "列入程序"
        COURT = "court", "法院数据"

    class End(models.TextChoices):
        EXPIRED = "expired", "期满"
        EARLY = "early", "提前移出"
        ANNULLED = "annulled", "撤销"
        COURT = "court", "法院删除"

    roster = models.ForeignKey(Roster, models.PROTECT, verbose_name="名单", related_name="listings")
    roster_version = models.ForeignKey(
        RosterVersion, models.PROTECT, verbose_name="决定时的名单制度版本", related_name="listings"
    )
    person = models.ForeignKey(Person, models.PROTECT, verbose_name="自然人", related_name="listings")
    organisation = models.ForeignKey(Organisation, models.PROTECT, verbose_name="认定单位", related_name="listings")
    origin = models.CharField("来源", max_length=5, choices=Origin, default=Origin.CASE)
    case = models.OneToOneField(
        ListingCase, models.PROTECT, null=True, blank=True, verbose_name="案件", related_name="listing"
    )
    record = models.OneToOneField(
        Record, models.PROTECT, null=True, blank=True, db_constraint=False, verbose_name="信用记录",
        related_name="listing",
    )  # fmt: skip
    document_no = models.CharField("决定书文号", max_length=100)
    decided_on = models.DateField("决定日期")
    period = DateRangeField("列入期间", help_text="止日当天起不再列入")
    publication = DateRangeField("公示期", null=True, blank=True, help_text="止日当天起不再公示；空为不公示")
    ended_on = models.DateField("移出日期", null=True, blank=True, help_text="自这一天起不再列入")
    end = models.CharField("移出原因", max_length=8, choices=End, blank=True)
    tidied_at = models.DateTimeField("到期整理时间", null=True, editable=False)
    created_at = models.DateTimeField("列入登记时间", db_default=Now(), editable=False)

    objects = ListingQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "列入名单"
        ordering = ["-pk"]
        default_permissions = ()
        db_table_comment = "kept, written by the database: who stood on which roster, from when to when"
        indexes = [
            models.Index(fields=["person", "roster"], name="listing_person_and_roster"),
            models.Index(fields=["roster"], condition=Q(ended_on__isnull=True), name="listing_open_by_roster"),
            models.Index(
                Func(F("period"), function="upper"), name="listing_to_tidy", condition=Q(tidied_at__isnull=True)
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(origin="case", case__isnull=False) | Q(origin="court", case__isnull=True),
                name="listing_comes_by_a_case_or_the_court",
            ),
            models.CheckConstraint(
                condition=Q(period__startswith__isnull=False) & (Q(period__endswith__isnull=False) | Q(origin="court")),
                name="listing_has_an_end",
            ),
            models.CheckConstraint(
                condition=Q(publication__isnull=True) | Q(publication__contained_by=F("period")),
                name="listing_public_only_while_it_lasts",
            ),
            models.CheckConstraint(
                condition=Q(ended_on__isnull=True, end="") | (Q(ended_on__isnull=False) & ~Q(end="")),
                name="listing_ended_for_a_reason",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.number

    @property
    def number(self) -> str:
        """Return the number of the entry: M, day of listing, sequence."""
        return f"M{self.period.lower:%Y%m%d}-{self.pk:06d}"

    @property
    def early_from(self) -> date | None:
        """Return from which day the roster lets it end early, or None where the roster names no early removal (domain §5.5)."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT sanctions_early_from(%s)", [self.case_id])
            return cursor.fetchone()[0]


class ListingStay(models.Model):
    """A time during which a listing is stayed by a court or a reconsideration authority: nothing of it has effect."""

    listing = models.ForeignKey(Listing, models.PROTECT, verbose_name="列入", related_name="stays")
    period = DateRangeField("停止执行期间")
    order = models.ForeignKey(CasePaper, models.PROTECT, verbose_name="停止执行的文书", related_name="+")

    class Meta:
        verbose_name = verbose_name_plural = "停止执行"
        db_table_comment = "append-only, written by the database: when a listing was stayed"
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.listing} 停止执行"


class ListingMeasure(models.Model):
    """A measure bound to a listing. It ends with the listing: `ends_on` is never after the listing's own end."""

    listing = models.ForeignKey(Listing, models.PROTECT, verbose_name="列入", related_name="measures")
    measure = models.ForeignKey(Measure, models.PROTECT, verbose_name="措施", related_name="bound")
    begins_on = models.DateField("起始日期")
    ends_on = models.DateField("终止日期", help_text="自这一天起解除，随列入结束")

    class Meta:
        verbose_name = verbose_name_plural = "列入所附措施"
        default_permissions = ()
        db_table_comment = "append-only, written by the database: which measures followed from a listing"
        constraints = [
            models.UniqueConstraint(fields=["listing", "measure"], name="listingmeasure_once_per_listing"),
            models.CheckConstraint(condition=Q(ends_on__gte=F("begins_on")), name="listingmeasure_ends"),
        ]

    def __str__(self) -> str:
        return str(self.measure)

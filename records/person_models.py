"""Cases on who somebody is: a name that differs, a death, two numbers of one human. Two officials each."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import Person, User
from records.models import Batch, Record


class PersonCaseQuerySet(models.QuerySet["PersonCase"]):
    def visible_to(self, user: User) -> "PersonCaseQuerySet":
        """All of them to the credit office; to a supplier's officers the name conflicts that its deliveries met."""
        if user.has_perm("records.ask_personcase") or user.has_perm("records.decide_personcase"):
            return self
        if user.has_perm("records.attest_name") and user.organisation_id:
            return self.filter(kind=PersonCase.Kind.NAME, sources__batch__supplier=user.organisation_id).distinct()
        return self.none()

    def open(self) -> "PersonCaseQuerySet":
        """Cases that wait for somebody to look into them."""
        return self.filter(state=PersonCase.State.OPEN)

    def to_decide_by(self, user: User) -> "PersonCaseQuerySet":
        """Cases that this user, a second official, may decide."""
        if not user.has_perm("records.decide_personcase"):
            return self.none()
        return self.filter(state=PersonCase.State.ASKED).exclude(asked_by=user)

    def to_attest_by(self, user: User) -> "PersonCaseQuerySet":
        """Open conflicts on which the user's organisation has not said yet what its document shows."""
        if not user.has_perm("records.attest_name"):
            return self.none()
        silent = CaseSource.objects.filter(says="", batch__supplier=user.organisation_id)
        return self.visible_to(user).open().filter(pk__in=silent.values("case"))


class PersonCase(models.Model):
    """A case on a person's identity (人员核对单): asked for by one official, decided by another, then carried out."""

    class Kind(models.TextChoices):
        NAME = "name", "姓名不一致"
        DEATH = "death", "登记死亡"
        ALIVE = "alive", "撤销死亡登记"
        MERGE = "merge", "合并（同一人的两个号码）"
        SPLIT = "split", "撤销合并"
        MOVE = "move", "移转记录（误记在他人名下）"

    class State(models.TextChoices):
        OPEN = "open", "待核对"
        ASKED = "asked", "待审核"
        DECIDED = "decided", "已同意"
        REFUSED = "refused", "未同意"
        DROPPED = "dropped", "已撤销申请"
        DONE = "done", "已办结"

    class Answer(models.TextChoices):
        """What became of a name that differs (domain §4.2 L6)."""

        RENAMED = "renamed", "当事人已改名"
        WRONG = "wrong", "登记的姓名有误，应更正"
        SUPPLIER = "supplier", "报送有误，登记的姓名正确"

    class Document(models.TextChoices):
        CARD = "card", "居民身份证"
        BOOK = "book", "居民户口簿"
        POLICE = "police", "公安机关证明"
        DEATH = "death", "居民死亡医学证明（推断）书"
        CANCEL = "cancel", "户口注销证明"
        COURT = "court", "人民法院判决书"

    BOTH = (Kind.MERGE, Kind.SPLIT, Kind.MOVE)  # about two persons
    UNDO = {Kind.DEATH: Kind.ALIVE, Kind.MERGE: Kind.SPLIT}

    kind = models.CharField("事项", max_length=6, choices=Kind)
    state = models.CharField("状态", max_length=8, choices=State)
    person = models.ForeignKey(Person, models.PROTECT, verbose_name="自然人", related_name="cases")
    other = models.ForeignKey(
        Person, models.PROTECT, null=True, verbose_name="另一人", related_name="+", help_text="合并后保留的，或移入的人"
    )
    undoes = models.ForeignKey(
        "self", models.PROTECT, null=True, verbose_name="所撤销的核对单", related_name="undone_by"
    )
    day = models.DateField("死亡日期", null=True)
    account = models.ForeignKey(User, models.PROTECT, null=True, verbose_name="随人员移转的账户", related_name="+")
    answer = models.CharField("核对结果", max_length=8, choices=Answer, blank=True)
    reason = models.CharField("说明", max_length=300, blank=True)
    document = models.CharField("证明文件", max_length=8, choices=Document, blank=True)
    document_no = models.CharField("文件编号", max_length=100, blank=True)
    document_date = models.DateField("文件日期", null=True, blank=True)
    opened_at = models.DateTimeField("建立时间", db_default=Now())
    asked_by = models.ForeignKey(User, models.PROTECT, null=True, verbose_name="核对人", related_name="+")
    asked_at = models.DateTimeField("提出时间", null=True)
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, verbose_name="审核人", related_name="+")
    decided_at = models.DateTimeField("审核时间", null=True)
    decision_note = models.CharField("审核意见", max_length=300, blank=True)
    done_at = models.DateTimeField("办结时间", null=True)

    objects = PersonCaseQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "人员核对单"
        db_table_comment = "kept: what was asked, decided and done about who somebody is"
        ordering = ["-id"]
        default_permissions = ()
        permissions = [
            ("ask_personcase", "核对人员身份事项"),
            ("decide_personcase", "审核人员身份事项"),
            ("attest_name", "说明本单位报送的姓名"),
        ]
        indexes = [models.Index(fields=["person"], name="personcase_by_person")]
        constraints = [
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | (Q(asked_by__isnull=False) & ~Q(decided_by=F("asked_by"))),
                name="personcase_decided_by_another",
                violation_error_message="核对人不能审核自己提出的事项，须由另一名工作人员办理。",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["asked", "decided", "refused", "dropped", "done"])
                | Q(asked_by__isnull=False, asked_at__isnull=False),
                name="personcase_asked_by_somebody",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["decided", "refused", "done"])
                | Q(decided_by__isnull=False, decided_at__isnull=False),
                name="personcase_decided_by_somebody",
            ),
            models.CheckConstraint(
                condition=~Q(state="refused") | ~Q(decision_note=""), name="personcase_refused_with_a_reason"
            ),
            models.CheckConstraint(
                condition=Q(state="done", done_at__isnull=False) | (~Q(state="done") & Q(done_at__isnull=True)),
                name="personcase_done_at_a_time",
            ),
            models.CheckConstraint(
                condition=Q(kind="death", day__isnull=False) | (~Q(kind="death") & Q(day__isnull=True)),
                name="personcase_death_has_a_day",
            ),
            models.CheckConstraint(
                condition=(Q(kind__in=["merge", "split", "move"], other__isnull=False) & ~Q(other=F("person")))
                | Q(kind="move", other__isnull=True, state__in=["asked", "decided", "refused", "dropped"])
                | (~Q(kind__in=["merge", "split", "move"]) & Q(other__isnull=True)),
                name="personcase_about_two_persons",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["alive", "split"], undoes__isnull=False)
                | (~Q(kind__in=["alive", "split"]) & Q(undoes__isnull=True)),
                name="personcase_undoes_one",
            ),
            models.UniqueConstraint(
                fields=["undoes"], condition=~Q(state__in=["refused", "dropped"]), name="personcase_undone_once"
            ),
            models.UniqueConstraint(
                fields=["person", "kind"],
                condition=Q(state="asked") & ~Q(kind__in=["name", "move"]),
                name="personcase_asked_once_at_a_time",
            ),
            models.CheckConstraint(
                condition=Q(kind="name") | (Q(answer="") & ~Q(state="open")), name="personcase_answers_a_name"
            ),
            models.CheckConstraint(
                condition=~Q(kind="name") | Q(state="open") | ~Q(answer=""), name="personcase_name_has_an_answer"
            ),
            models.CheckConstraint(
                condition=Q(state="open")
                | Q(answer="supplier")
                | (~Q(document="") & ~Q(document_no="") & Q(document_date__isnull=False)),
                name="personcase_rests_on_a_document",
                violation_error_message="须写明证明文件的种类、编号和日期。",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.get_kind_display()}"

    @property
    def number(self) -> str:
        """Return the number that people quote and the query log holds as the case; the database's `records_case_no`."""
        return f"H{timezone.localtime(self.opened_at):%Y%m%d}-{self.pk:06d}"

    @property
    def is_standing(self) -> bool:
        """Tell whether it is still being looked into."""
        return self.state in (self.State.OPEN, self.State.ASKED)


class CasePaper(models.Model):
    """What a case says in names. Read only under a query line for its person; one standing conflict per name."""

    case = models.OneToOneField(PersonCase, models.PROTECT, primary_key=True, related_name="paper")
    person = models.ForeignKey(Person, models.PROTECT, db_index=False, related_name="+")
    registered = models.CharField("登记的姓名", max_length=100)
    delivered = models.TextField("报送的姓名")
    new_name = models.CharField("应登记的姓名", max_length=100, blank=True)
    standing = models.BooleanField(default=True)

    class Meta:
        verbose_name = verbose_name_plural = "核对内容"
        db_table_comment = "append-only, written by the database: the names in a conflict"
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["person", "delivered"], condition=Q(standing=True), name="casepaper_one_stands_per_name"
            )
        ]

    def __str__(self) -> str:
        return f"核对内容 {self.case_id}"


class CaseNewcomer(models.Model):
    """Whom records would go to and nobody has the number of yet: sealed in the case until it is carried out or ends."""

    case = models.OneToOneField(PersonCase, models.PROTECT, primary_key=True, related_name="newcomer")
    name = models.CharField("姓名", max_length=100)
    id_cipher = models.BinaryField("证件号码（密文）", editable=False)
    id_index = models.BinaryField("证件号码（索引）", editable=False)

    class Meta:
        verbose_name = verbose_name_plural = "拟登记的人员"
        db_table_comment = (
            "append-only: entered by the database when the case is carried out, gone when it ends otherwise"
        )
        default_permissions = ()

    def __str__(self) -> str:
        return f"拟登记的人员 {self.case_id}"

    def as_person(self) -> Person:
        """Return the person that would be entered, not saved."""
        return Person(name=self.name, id_cipher=self.id_cipher, id_index=self.id_index)


class CaseSource(models.Model):
    """A delivery that met a name conflict, and what its supplier says after looking at the document."""

    class Says(models.TextChoices):
        RIGHT = "right", "已核对证件，报送的姓名无误"
        WRONG = "wrong", "报送有误，将更正"

    case = models.ForeignKey(PersonCase, models.PROTECT, verbose_name="核对单", related_name="sources")
    batch = models.ForeignKey(Batch, models.PROTECT, verbose_name="报送批次", related_name="name_conflicts")
    rows = models.PositiveIntegerField("行数")
    says = models.CharField("报送单位的说明", max_length=5, choices=Says, blank=True)
    said_by = models.ForeignKey(User, models.PROTECT, null=True, verbose_name="说明人", related_name="+")
    said_at = models.DateTimeField("说明时间", null=True)
    at = models.DateTimeField("发现时间", db_default=Now())

    class Meta:
        verbose_name = verbose_name_plural = "来源批次"
        db_table_comment = "written by the database: which deliveries met a name conflict"
        ordering = ["id"]
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["case", "batch"], name="casesource_once_per_batch"),
            models.CheckConstraint(
                condition=Q(says="", said_by__isnull=True, said_at__isnull=True)
                | (~Q(says="") & Q(said_by__isnull=False, said_at__isnull=False)),
                name="casesource_said_by_somebody",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.case_id} ← {self.batch_id}"


class CaseRecord(models.Model):
    """A record that a case moves from one person to another; of a merge also what came in under the merged number since."""

    case = models.ForeignKey(PersonCase, models.PROTECT, verbose_name="核对单", related_name="about")
    record = models.ForeignKey(
        Record, models.DO_NOTHING, db_constraint=False, verbose_name="记录", related_name="person_cases"
    )
    record_no = models.CharField("记录编号", max_length=24)

    class Meta:
        verbose_name = verbose_name_plural = "移转的记录"
        db_table_comment = "append-only, written by the database: numbers only, outlives the record"
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["case", "record"], name="caserecord_once_per_case")]

    def __str__(self) -> str:
        return self.record_no


class CaseStep(models.Model):
    """A step of a case: who, when, what for. Written by the database with the step itself."""

    case = models.ForeignKey(PersonCase, models.PROTECT, verbose_name="核对单", related_name="steps")
    from_state = models.CharField("原状态", max_length=8, choices=PersonCase.State, blank=True)
    to_state = models.CharField("新状态", max_length=8, choices=PersonCase.State)
    answer = models.CharField("核对结果", max_length=8, choices=PersonCase.Answer, blank=True)
    note = models.CharField("意见", max_length=300, blank=True)
    by = models.ForeignKey(User, models.PROTECT, null=True, verbose_name="办理人", related_name="+")
    at = models.DateTimeField("时间", db_default=Now())

    class Meta:
        verbose_name = verbose_name_plural = "核对经过"
        db_table_comment = "append-only, written by the database: every step of a case on a person"
        ordering = ["id"]
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.get_from_state_display()} → {self.get_to_state_display()}"

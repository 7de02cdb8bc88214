"""The demo's cases on persons: a name conflict that waits, one sent for decision, a decided change of name, a death, a merge."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from django.utils import timezone

from access.actions import Asker
from accounts.models import User
from creditfujian.demo_people import Somebody
from records import persons
from records.models import Batch
from records.person_models import CaseSource, PersonCase
from records.person_reading import names_of, subjects_of

Answer = PersonCase.Answer


def load(crowd: list[Somebody], twice: tuple[Somebody, Somebody], deliver: Callable[[list[Somebody]], Batch]) -> None:
    """Enter them through the deeds that people use; `deliver` sends a penalty about each of the given people.

    `twice` is somebody who got another number, with the one that stays first.
    """
    office, second, officer = (
        User.objects.get(username=name) for name in ("credit_office", "credit_office2", "data_officer")
    )
    others = [replace(somebody, name=somebody.name[0] + "念" + somebody.name[-1]) for somebody in crowd[:4]]
    kept, earlier = twice
    batch = deliver([*others, *crowd[4:6], earlier])
    open_case, asked, renamed, wrong = PersonCase.objects.filter(sources__batch=batch).order_by("pk")
    for case in (open_case, asked):
        persons.attest(case.sources.get().pk, by=officer, says=CaseSource.Says.RIGHT)
    _answer(asked, others, by=office)
    _answer(renamed, others, by=office)
    _decide(renamed, by=second, note="与户口簿变更页一致")
    names_of(wrong, by=Asker(office, "工作平台"))
    persons.answer_name(wrong.pk, by=office, answer=Answer.SUPPLIER, reason="身份证上的姓名与登记一致，报送时写错一字")
    _decide(wrong, by=second)

    death = persons.ask_death(
        id_number=crowd[4].id_number, name=crowd[4].name, day=timezone.localdate() - timedelta(days=3), document="death",
        document_no="闽死证2026-0031", document_date=timezone.localdate() - timedelta(days=2),
        reason="家属持居民死亡医学证明书办理", by=Asker(office, "工作平台"),
    )  # fmt: skip
    _decide(death, by=second, note="与证明书一致")
    merge = persons.ask_merge(
        id_number=earlier.id_number, name=earlier.name, other_number=kept.id_number, other_name=kept.name, document="police",
        document_no="闽公户〔2026〕58号", document_date=timezone.localdate() - timedelta(days=3),
        reason="公安机关证明更正公民身份号码，两个号码为同一人", by=Asker(office, "工作平台"),
    )  # fmt: skip
    _decide(merge, by=second, note="与证明一致")


def _decide(case: PersonCase, *, by: User, note: str = "") -> None:
    (names_of if case.kind == PersonCase.Kind.NAME else subjects_of)(case, by=Asker(by, "工作平台"))
    persons.decide(case.pk, by=by, agree=True, note=note)


def _answer(case: PersonCase, others: list[Somebody], *, by: User) -> None:
    number = case.person.id_number()
    names_of(case, by=Asker(by, "工作平台"))
    name = next(one.name for one in others if one.id_number == number)
    persons.answer_name(
        case.pk, by=by, answer=Answer.RENAMED, reason="户口簿变更页载明姓名变更", new_name=name, document="book",
        document_no="第0731号第3页", document_date=timezone.localdate() - timedelta(days=400),
    )  # fmt: skip

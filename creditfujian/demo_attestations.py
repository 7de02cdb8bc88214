"""Demo of attestations: one that the person had issued and that was checked, one answered to a bank, a request that waits."""

from access import consents
from access.actions import Asker
from access.consent_rules import adverse_items_for
from access.models import Consent, ConsentPurpose
from accounts.models import User
from records.reading import ByConsent
from records.report_pdf import is_possible
from sanctions import attestation

YEARS = Consent.Form.YEARS


def load() -> str:
    """Ask, agree, use and issue as people would; say what was done."""
    citizen, second, third = (User.objects.get(username=name) for name in ("citizen", "citizen2", "citizen3"))
    answered = _agreed(_ask(second, "贷〔2026〕0401号"), second)
    told = attestation.by_consent(
        ByConsent(answered.number, _number(second), answered.purpose, YEARS), by=Asker(_bank(), "机构查询页面")
    )
    assert isinstance(told, attestation.Told)
    _ask(citizen, "贷〔2026〕0402号")
    said = f"无失信记录证明：经授权回答 {told.attestation.number}，待答复的申请 1 份"
    if not is_possible():
        return f"{said}；没有字库，未向本人出具"
    assert third.person is not None
    made = attestation.issue(third.person, 3, by=Asker(third, "公示网站"))
    assert isinstance(made, attestation.Issued)
    return f"{said}，本人办理 {made.attestation.number}"


def _bank() -> User:
    return User.objects.get(username="institution")


def _number(user: User) -> str:
    assert user.person is not None
    return user.person.id_number()


def _ask(user: User, reference: str) -> Consent:
    assert user.person is not None
    loan = ConsentPurpose.objects.get(pk="loan")
    wanted = consents.Wanted(
        name=user.person.name, id_number=_number(user), purpose=loan, purpose_text="信用贷款审批", reference=reference, form=YEARS,
        items=list(adverse_items_for(loan)), days=consents.usual_days(), years=3,
    )  # fmt: skip
    return consents.ask(wanted, by=Asker(_bank(), "机构查询页面"))


def _agreed(consent: Consent, user: User) -> Consent:
    scope = consents.Scope(YEARS, consent.asked_items, consent.asked_days, consent.asked_uses)
    shown = consents.digest_of(consents.text_of(consent, scope))
    return consents.agree(consent.number, scope, shown=shown, by=Asker(user, "公示网站"))

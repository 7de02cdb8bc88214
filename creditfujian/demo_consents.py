"""Demo of consent: a bank and an employer, registered; requests in the states that people meet; papers at the counter."""

import io
from datetime import timedelta

from django.utils import timezone

from access import consents, institutions
from access.actions import Asker
from access.models import Consent, ConsentPurpose, Institution
from accounts.models import Organisation, User
from catalogue.models import Item
from records import paper_consents
from records.reading import ByConsent, file_by_consent

Form = Consent.Form
CERTIFICATES = "FJ1-03-HRSS-0001"
SCAN = (  # an empty page
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
)


def load(bank: Organisation, employer: Organisation, *, others: list[tuple[str, str]], item_code: str) -> str:
    """Register and ask as people would; `others` are two persons (name, number) without an account. Says what was done."""
    _register(bank, employer)
    items = [Item.objects.get(code=code) for code in (CERTIFICATES, item_code)]
    clerk, personnel, citizen = (User.objects.get(username=name) for name in ("institution", "institution2", "citizen"))
    _answered(clerk, citizen, items)
    second = User.objects.get(username="citizen2")
    _agree(_ask(clerk, second, items, reference="贷〔2026〕0219号", form=Form.FULL, uses=2), second)
    for user in (citizen, second):
        _ask(
            personnel,
            user,
            items,
            purpose="hire",
            purpose_text="质检岗位录用前核实职业资格",
            reference=f"招〔2026〕{user.pk}号",
        )
    _ask_person(clerk, others[0], items, reference="贷〔2026〕0305号")
    _papers(bank, others, items)
    count = Consent.objects.count()
    return f"查询机构 2 家、待审核 1 家；授权 {count} 份：待答复、有效、已用完、不同意、已撤回、纸质待复核和已退回"


def _register(bank: Organisation, employer: Organisation) -> None:
    office, second = User.objects.get(username="credit_office"), User.objects.get(username="credit_office2")
    today = timezone.localdate()
    one = institutions.register(
        bank, by=office, kind=Institution.Kind.BANK, licence="金融许可证", licence_no="B9999H235010001",
        valid_from=today - timedelta(days=700), valid_to=today + timedelta(days=330), checked_on=today - timedelta(days=3),
        checked_at_source="国家金融监督管理总局许可证信息查询（演示）", purposes=["loan"],
        contact="个人信息保护负责人，电话 0591-00000000（演示）",
    )  # fmt: skip
    other = institutions.register(
        employer, by=office, kind=Institution.Kind.EMPLOYER, licence="营业执照", licence_no="演示 3502000001",
        valid_from=today - timedelta(days=900), purposes=["hire"], contact="人力资源部，电话 0592-00000000（演示）",
    )  # fmt: skip
    for institution in (one, other):
        institutions.confirm(institution.pk, by=second)
    institutions.register(
        employer, by=second, kind=Institution.Kind.EMPLOYER, licence="营业执照", licence_no="演示 3502000001-2",
        valid_from=today, purposes=["hire", "tender"], contact="人力资源部，电话 0592-00000000（演示）",
    )  # fmt: skip


def _answered(clerk: User, citizen: User, items: list[Item]) -> None:
    """Leave the citizen a consent in force that was used, one used up, one declined, one withdrawn."""
    in_force = _agree(_ask(clerk, citizen, items, reference="贷〔2026〕0101号", uses=3, form=Form.SUMMARY), citizen)
    used_up = _agree(_ask(clerk, citizen, items, reference="贷〔2026〕0087号"), citizen)
    for consent in (in_force, used_up, used_up):  # the third is refused: used up
        _read(consent, clerk)
    declined = _ask(clerk, citizen, items, reference="贷〔2026〕0102号", form=Form.FULL)
    consents.decline(declined.number, by=_from_home(citizen))
    withdrawn = _agree(_ask(clerk, citizen, items, reference="贷〔2026〕0103号", uses=2), citizen)
    consents.withdraw(withdrawn.number, by=_from_home(citizen))
    _read(withdrawn, clerk)


def _ask(operator: User, user: User, items: list[Item], **more: object) -> Consent:
    assert user.person is not None
    return _ask_person(operator, (user.person.name, user.person.id_number()), items, **more)


def _ask_person(operator: User, who: tuple[str, str], items: list[Item], **more: object) -> Consent:
    values: dict[str, object] = {
        "purpose": "loan", "purpose_text": "个人经营贷款审批", "form": Form.ATTESTATION, "days": consents.usual_days(), "uses": 1,
        **more,
    }  # fmt: skip
    purpose = ConsentPurpose.objects.get(pk=values.pop("purpose"))
    wanted = consents.Wanted(name=who[0], id_number=who[1], purpose=purpose, items=items, **values)  # type: ignore[arg-type]
    return consents.ask(wanted, by=Asker(operator, "机构查询页面"))


def _agree(consent: Consent, user: User) -> Consent:
    scope = consents.Scope(Form(consent.asked_form), consent.asked_items, consent.asked_days, consent.asked_uses)
    shown = consents.digest_of(consents.text_of(consent, scope))
    return consents.agree(consent.number, scope, shown=shown, by=_from_home(user))


def _from_home(user: User) -> Asker:
    return Asker(user, "公示网站")


def _read(consent: Consent, operator: User) -> None:
    assert consent.person is not None
    asked = ByConsent(consent.number, consent.person.id_number(), consent.purpose, Form(consent.form))
    file_by_consent(asked, by=Asker(operator, "机构查询页面"))


def _papers(bank: Organisation, others: list[tuple[str, str]], items: list[Item]) -> None:
    """Enter two papers; a colleague has sent one back."""
    clerk, colleague = User.objects.get(username="clerk"), User.objects.get(username="clerk2")
    institution, loan = Institution.objects.in_force().get(organisation=bank), ConsentPurpose.objects.get(pk="loan")
    entered = []
    for number, (name, id_number) in enumerate(others, start=1):
        wanted = consents.Wanted(
            name=name, id_number=id_number, purpose=loan, purpose_text="农户小额贷款", reference=f"农贷〔2026〕{number}号",
            form=Form.ATTESTATION, items=items, days=60,
        )  # fmt: skip
        paper = paper_consents.Signed(
            institution, wanted, timezone.localdate(), io.BytesIO(SCAN + b"%" * number), "授权书.pdf"
        )
        consent = paper_consents.enter(paper, by=Asker(clerk, "工作平台"))
        assert consent is not None
        entered.append(consent)
    paper_consents.scan_of(entered[1].paper, by=Asker(colleague, "工作平台"))
    paper_consents.send_back(entered[1].pk, by=colleague, reason="没有写明查询用途")

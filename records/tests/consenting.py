"""Institutions and consents in every state, for tests: made by the people who make them."""

import io
from datetime import timedelta
from typing import Any

from django.utils import timezone

from access import consents, institutions
from access.actions import Asker
from access.models import Consent, ConsentPurpose, Institution
from accounts.actions import register_organisation
from accounts.models import Organisation, Region, User
from catalogue.models import Item
from creditfujian.tests.cast import CITIZEN_NUMBER, Cast, credit_code, institution_user
from records import paper_consents
from records.consent_models import ConsentPaper
from records.reading import ByConsent, File, Refused, file_by_consent

CERTIFICATES = "FJ1-03-HRSS-0001"
Form = Consent.Form


def as_(user: User, channel: str = "机构查询") -> Asker:
    return Asker(user, channel, "198.51.100.0/24")


def registered(cast: Cast, organisation: Organisation | None = None, **values: Any) -> Institution:
    """A registration in force, by two officials; the bank's unless told otherwise."""
    today = timezone.localdate()
    proposed = institutions.register(
        organisation or cast.bank, by=cast.credit_office,
        **{
            "kind": Institution.Kind.BANK, "licence": "金融许可证", "licence_no": "B0001H235010001",
            "valid_from": today - timedelta(days=400), "valid_to": today + timedelta(days=400),
            "purposes": ["loan"], "contact": "个人信息保护专员 0591-0000000", **values,
        },
    )  # fmt: skip
    return institutions.confirm(proposed.pk, by=cast.credit_office_2)


def employer(cast: Cast, *purposes: str) -> User:
    """An employer, registered, and its operator."""
    region = Region.objects.get(pk="350000")
    organisation = register_organisation(
        uscc=credit_code(31, "91350000"), name="乌龙江虚拟造船厂", kind="institution", region=region
    )
    registered(
        cast, organisation, kind=Institution.Kind.EMPLOYER, licence="营业执照", licence_no="350000000000031", valid_to=None,
        purposes=list(purposes or ["hire"]),
    )  # fmt: skip
    return institution_user("employer", "人事辰", organisation)


def wanted(cast: Cast, **changes: Any) -> consents.Wanted:
    """What the bank asks the citizen for: penalties and certificates, everything in them, once, for thirty days."""
    values: dict[str, Any] = {
        "id_number": CITIZEN_NUMBER, "name": "陈小满", "purpose": ConsentPurpose.objects.get(pk="loan"),
        "purpose_text": "个人经营贷款审批", "reference": "贷〔2026〕17号", "form": Form.FULL, "days": 30, "uses": 1,
        "items": [cast.item, Item.objects.get(code=CERTIFICATES)],
    }  # fmt: skip
    return consents.Wanted(**{**values, **changes})


def asked(cast: Cast, by: User | None = None, **changes: Any) -> Consent:
    """A request of the bank that waits for the citizen."""
    if not Institution.objects.in_force().filter(organisation=cast.bank).exists():
        registered(cast)
    return consents.ask(wanted(cast, **changes), by=as_(by or cast.bank_clerk))


def scope_of(consent: Consent, **changes: Any) -> consents.Scope:
    """Everything that was asked for, or less."""
    values = {
        "form": Form(consent.asked_form), "items": consent.asked_items, "days": consent.asked_days, "uses": consent.asked_uses,
    }  # fmt: skip
    return consents.Scope(**{**values, **changes})


def agreed(consent: Consent, by: User, **changes: Any) -> Consent:
    """What the person made of a request, after looking at the words."""
    scope = scope_of(consent, **changes)
    shown = consents.digest_of(consents.text_of(consent, scope))
    return consents.agree(consent.number, scope, shown=shown, by=as_(by, "公示网站"))


def granted(cast: Cast, by: User | None = None, **changes: Any) -> Consent:
    """A consent of the citizen to the bank, as asked."""
    return agreed(asked(cast, by, **changes), cast.citizen)


def read(consent: Consent | str, by: User, **changes: Any) -> File | Refused | None:
    """Use a consent once."""
    number = consent if isinstance(consent, str) else consent.number
    stated = consent if isinstance(consent, Consent) else None
    values: dict[str, Any] = {
        "number": number, "id_number": CITIZEN_NUMBER,
        "purpose": stated.purpose if stated else ConsentPurpose.objects.get(pk="loan"),
        "form": Form(stated.form) if stated and stated.form else Form.FULL, "items": None,
    }  # fmt: skip
    return file_by_consent(ByConsent(**{**values, **changes}), by=as_(by))


SCAN = b"%PDF-1.7 signed by hand"


def paper_of(cast: Cast, **changes: Any) -> paper_consents.Signed:
    """A paper that the citizen signed yesterday for the bank."""
    institution = Institution.objects.in_force().filter(organisation=cast.bank).first() or registered(cast)
    values: dict[str, Any] = {
        "signed_on": timezone.localdate() - timedelta(days=1),
        "scan": io.BytesIO(SCAN),
        "name": "授权书.pdf",
    }
    mine = {name: changes.pop(name) for name in list(changes) if name in values}
    return paper_consents.Signed(institution=institution, wanted=wanted(cast, **changes), **{**values, **mine})


def entered(cast: Cast, **changes: Any) -> ConsentPaper:
    """The paper as the clerk entered it: it waits for a colleague."""
    consent = paper_consents.enter(paper_of(cast, **changes), by=as_(cast.clerk, "工作平台"))
    assert consent is not None
    return consent.paper

"""What of a person's identity each reader may see. One home, used by every way out of the system.

Profiles M1 public, M2 third party with consent, M3 department, M4 the person: domain §5.7.
"""

from enum import StrEnum

COMPOUND_SURNAMES = frozenset(
    [
        "欧阳",
        "司马",
        "上官",
        "诸葛",
        "东方",
        "皇甫",
        "尉迟",
        "公孙",
        "令狐",
        "慕容",
        "司徒",
        "夏侯",
        "长孙",
        "宇文",
        "端木",
        "百里",
        "南宫",
        "西门",
        "独孤",
        "轩辕",
        "公冶",
        "澹台",
        "申屠",
        "太叔",
        "钟离",
        "闾丘",
        "濮阳",
        "淳于",
        "单于",
        "呼延",
        "鲜于",
        "赫连",
        "万俟",
        "闻人",
        "张简",
        "范姜",
    ]
)


class Profile(StrEnum):
    """Masking profiles of domain §5.7."""

    PUBLIC = "M1"
    THIRD_PARTY = "M2"
    DEPARTMENT = "M3"
    SELF = "M4"


def id_number(value: str, profile: Profile) -> str:
    """Mask an 18-character identity number. M4 is masked as M2 too: full only after a step-up."""
    if profile is Profile.PUBLIC:
        return f"{value[:4]}{'*' * 12}{value[-2:]}"
    return f"{value[:6]}{'*' * 8}{value[-4:]}"


def surname(name: str) -> str:
    """Return the surname to keep: two characters for compound surnames, the first part before a middle dot."""
    if "·" in name:
        return name.split("·", 1)[0][:1]
    return name[:2] if len(name) > 2 and name[:2] in COMPOUND_SURNAMES else name[:1]


def name(value: str, profile: Profile, *, full_if_public: bool = False) -> str:
    """Mask a name for the public (`张*`, `欧阳*`) unless the instrument names it in full; full otherwise."""
    if profile is not Profile.PUBLIC or full_if_public:
        return value
    return surname(value) + "*"

"""Which role may do what, and which roles exclude each other (domain §13, GB/T 22239-2019 8.1.4.2)."""

from django.contrib.auth.models import Group, Permission

from accounts.models import Role, RoleConflict
from accounts.token_models import Scope

# Reading the catalogue: it is public anyway; whoever works on it sees it in the admin.
_CATALOGUE = tuple(
    f"catalogue.view_{model}"
    for model in (
        "instrument", "article", "item", "itemversion", "field", "codeset", "codevalue", "prohibitedcategory",
        "publicationperiod", "sharingscope", "impactassessment", "consultation", "comment", "edition",
    )
)  # fmt: skip

_SEALS = ("access.view_checkpoint", "access.view_verification")
_EXPORT = ("records.view_export", "records.add_export")
_SIGHT = "records.view_visibility"
_READ = ("access.view_request", "access.add_request", "access.list_by_duty", "access.view_dutyitem",
         "access.break_glass", "access.view_urgentreading", "catalogue.view_itemgrant", _SIGHT)  # fmt: skip
_ANSWER = ("access.view_anomaly", "access.answer_anomaly", "access.view_reviewrule")
_WATCH = ("access.view_urgentreading", "access.view_all_urgentreadings")
_LETTERS = ("access.view_officialletter", "access.enter_officialletter", "access.decide_officialletter")
_GRANTS = ("catalogue.view_itemgrant", "catalogue.view_all_itemgrants")
_PROGRAMMES = "sanctions.view_rewardprogramme"
_NOMINATE = (_PROGRAMMES, "sanctions.propose_rewardprogramme", "sanctions.nominate_reward")
_REWARD = (_PROGRAMMES, "sanctions.decide_reward")
_LIST_SUPPLIED = ("access.view_request", "access.list_supplied")

_ROSTERS = (
    "sanctions.view_roster",
    "sanctions.view_rosterversion",
    "sanctions.view_measure",
    "sanctions.view_rostergrant",
)

PERMISSIONS: dict[Role, tuple[str, ...]] = {
    Role.DATA_OFFICER: (
        "records.view_batch", "records.add_batch", "records.withdraw_batch", *_LIST_SUPPLIED, *_CATALOGUE, _SIGHT,
        "catalogue.propose_item", "catalogue.view_supplyassignment", "records.view_supplyduty", "records.ask_act",
        "catalogue.view_itemgrant",
        "records.attest_name", "records.view_volumerule", *_EXPORT,
    ),
    Role.DATA_REVIEWER: (
        "records.view_batch", "records.commit_batch", "records.withdraw_batch", "records.decide_act", *_LIST_SUPPLIED,
        "catalogue.view_itemgrant", *_EXPORT, "records.review_export", "records.view_volumerule", *_ANSWER,
    ),
    Role.DECIDER_OFFICER: (*_READ, *_EXPORT, *_NOMINATE, *_ROSTERS, "sanctions.propose_listing"),
    Role.DECIDER_REVIEWER: (*_READ, *_EXPORT, "records.review_export", *_REWARD, *_ROSTERS, "sanctions.review_listing"),
    Role.LEGAL_REVIEWER: (*_READ, *_CATALOGUE, "catalogue.review_item", *_ROSTERS, "sanctions.legal_check_listing"),
    Role.DECIDER_HEAD: (
        *_READ, *_EXPORT, "records.review_export", *_ANSWER, "access.answer_urgentreading", *_REWARD, *_ROSTERS,
        "sanctions.decide_listing", "sanctions.consent_listing",
    ),
    Role.CREDIT_OFFICE: (
        *_CATALOGUE, "catalogue.review_item", "catalogue.approve_item", "catalogue.assess_item", "catalogue.publish_edition", _SIGHT,
        "catalogue.add_instrument", "catalogue.change_instrument", "catalogue.add_article", "catalogue.change_article",
        "catalogue.verify_instrument", "catalogue.add_prohibitedcategory", "catalogue.change_prohibitedcategory",
        "accounts.view_organisation", "records.view_batch_counts",
        "catalogue.view_calendaredition", "catalogue.propose_calendar", "catalogue.confirm_calendar",
        "catalogue.view_deadlinerule", "catalogue.propose_deadlinerule", "catalogue.confirm_deadlinerule",
        "catalogue.view_deadline", "catalogue.view_supplyassignment", "catalogue.assign_supplier",
        "records.view_supplyduty", "records.view_all_duties", "records.ask_personcase", "records.decide_personcase",
        "access.view_institution", "access.propose_institution", "access.confirm_institution",
        "records.hold_statement", "records.view_volumerule", "records.propose_volumerule", "records.confirm_volumerule",
        *_WATCH, "access.answer_urgentreading", *_ANSWER, "access.oversee_anomaly",
        "access.propose_reviewrule", "access.confirm_reviewrule", "access.view_logreading",
        "access.view_dutyitem", "access.propose_dutyitem", "access.confirm_dutyitem", "access.review_authority", *_LETTERS,
        *_GRANTS, "catalogue.propose_itemgrant", "catalogue.confirm_itemgrant", "catalogue.end_itemgrant",
        "accounts.view_region", "accounts.view_regionsuccession", _PROGRAMMES, "sanctions.confirm_rewardprogramme",
        "sanctions.view_attestationrule", "sanctions.propose_attestationrule", "sanctions.confirm_attestationrule",
        *_ROSTERS, "sanctions.propose_roster", "sanctions.confirm_roster", "sanctions.propose_rostergrant",
        "sanctions.confirm_rostergrant", "sanctions.end_rostergrant", "sanctions.watch_listings",
    ),
    Role.OPERATOR: (*_SEALS, *_GRANTS, "records.view_batch_counts", "accounts.view_organisation", "accounts.view_region",
                    "accounts.view_regionsuccession"),
    Role.CLERK: ("accounts.view_identityproof", "accounts.add_identityproof", "accounts.confirm_identityproof",
                 "records.view_counterrequest", "records.add_counterrequest", "records.print_report", "access.enter_consent",
                 "access.check_consent", "access.enter_authority"),
    Role.AUDITOR: ("access.view_query", *_SEALS, *_GRANTS, "auditlog.view_logentry", "records.view_disposal", "access.view_anomaly",
                   "access.close_anomaly", "access.view_reviewrule", "access.view_logreading", "access.view_dutyitem",
                   "access.view_officialletter", "accounts.view_signinline", "accounts.view_signinrule", *_WATCH),
    Role.SECURITY_ADMIN: (
        "accounts.view_user", "accounts.change_user", "accounts.assign_roles", "accounts.view_roleconflict",
        "accounts.guard_sign_in", "accounts.view_signinline", "accounts.view_signinrule", "accounts.add_signinrule",
        "accounts.view_servicetoken", "accounts.confirm_servicetoken", "accounts.revoke_servicetoken", *_WATCH,
        *_GRANTS, "catalogue.end_itemgrant", *_ROSTERS, "sanctions.end_rostergrant",
    ),
    Role.SYSTEM_ADMIN: (
        "accounts.view_user", "accounts.add_user", "accounts.change_user", "accounts.view_organisation",
        "accounts.add_organisation", "accounts.change_organisation", "accounts.view_region", "accounts.view_regionsuccession",
        "catalogue.view_calendaredition", "accounts.view_servicetoken", "accounts.add_servicetoken",
        "accounts.revoke_servicetoken",
    ),
}  # fmt: skip

# What the account of a service token may do by each of its scopes.
SCOPE_PERMISSIONS: dict[Scope, tuple[str, ...]] = {
    Scope.READ_BATCHES: ("records.view_batch",),
    Scope.WRITE_BATCHES: ("records.view_batch", "records.add_batch"),
    Scope.COMMIT_BATCHES: ("records.view_batch", "records.commit_batch"),
    Scope.WITHDRAW_BATCHES: ("records.view_batch", "records.withdraw_batch"),
}

_SUPERVISION = (Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDITOR)
CONFLICTS: list[tuple[Role, Role, str]] = [
    *(
        (watcher, other, "三员分立：系统、安全、审计管理员不得兼任其他角色")
        for watcher in _SUPERVISION
        for other in Role
        if other is not watcher
    ),
    (Role.DATA_OFFICER, Role.DATA_REVIEWER, "报送与审核须由两人办理"),
    (Role.DECIDER_OFFICER, Role.DECIDER_REVIEWER, "经办与审核须由两人办理"),
    (Role.DECIDER_OFFICER, Role.LEGAL_REVIEWER, "经办与法制审核须由两人办理"),
    (Role.DECIDER_OFFICER, Role.DECIDER_HEAD, "经办与决定须由两人办理"),
    (Role.DECIDER_REVIEWER, Role.LEGAL_REVIEWER, "审核与法制审核须由两人办理"),
    (Role.DECIDER_REVIEWER, Role.DECIDER_HEAD, "审核与决定须由两人办理"),
    (Role.LEGAL_REVIEWER, Role.DECIDER_HEAD, "法制审核与决定须由两人办理"),
]


def sync_roles(using: str) -> None:
    """Make the groups of roles and scopes, their permissions and the list of conflicts what this file says."""
    known = {
        f"{p.content_type.app_label}.{p.codename}": p
        for p in Permission.objects.using(using).select_related("content_type")
    }
    named = {role.value: PERMISSIONS[role] for role in Role}
    named |= {scope.group_name: SCOPE_PERMISSIONS[scope] for scope in Scope}
    for name, permissions in named.items():
        group, _ = Group.objects.using(using).get_or_create(name=name)
        group.permissions.set([known[permission] for permission in permissions])
    pairs = {tuple(sorted((a.value, b.value))): reason for a, b, reason in CONFLICTS}
    stored = set(RoleConflict.objects.using(using).values_list("role_a", "role_b"))
    RoleConflict.objects.using(using).bulk_create(
        RoleConflict(role_a=a, role_b=b, reason=reason) for (a, b), reason in pairs.items() if (a, b) not in stored
    )

"""Roles exclude each other, nobody is a superuser, and the three administrators stay apart."""

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import DatabaseError, IntegrityError, connection, transaction

from accounts.backends import StaffAndCitizens
from accounts.models import Role, User
from creditfujian.tests.cast import Cast


def test_an_administrator_takes_no_second_role_not_even_by_sql(cast: Cast) -> None:
    for role in Role:
        if role is Role.SYSTEM_ADMIN:
            continue
        group = Group.objects.get(name=role)
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO accounts_user_groups (user_id, group_id) VALUES (%s, %s)", [cast.system_admin.pk, group.pk]
            )
    assert cast.system_admin.roles() == [Role.SYSTEM_ADMIN]


def test_the_one_who_uploads_does_not_also_review(cast: Cast) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        cast.data_officer.groups.add(Group.objects.get(name=Role.DATA_REVIEWER))


def test_nobody_can_be_made_superuser(cast: Cast) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.filter(pk=cast.operator.pk).update(is_superuser=True)
    with pytest.raises(NotImplementedError):
        User.objects.create_superuser("root", "x@example.org", "password")


def test_a_citizen_is_never_staff(cast: Cast) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.filter(pk=cast.citizen.pk).update(is_staff=True)


@pytest.mark.parametrize("who", ["officer_here", "auditor", "citizen", "security_admin"])
def test_the_account_of_a_session_comes_with_its_own_roles_and_permissions_and_no_others(cast: Cast, who: str) -> None:
    account = User.objects.get(pk=getattr(cast, who).pk)
    account.user_permissions.add(Permission.objects.get(codename="view_item"))
    fetched = StaffAndCitizens().get_user(account.pk)
    assert fetched is not None
    assert fetched.roles() == account.roles()
    assert fetched.get_all_permissions() == account.get_all_permissions() >= {"catalogue.view_item"}


def test_an_account_that_is_closed_is_not_fetched_with_anything(cast: Cast) -> None:
    User.objects.filter(pk=cast.auditor.pk).update(is_active=False)
    assert StaffAndCitizens().get_user(cast.auditor.pk) is None


# Counts, and proofs of deletion: nothing about anybody.
WITHOUT_PERSONS = ("records.view_batch_counts", "records.view_disposal")


def test_administrators_hold_no_permission_on_records_or_requests(cast: Cast) -> None:
    for user in (cast.system_admin, cast.security_admin, cast.auditor, cast.operator):
        assert not {p for p in user.get_all_permissions() if p.startswith("records.") and p not in WITHOUT_PERSONS}
        assert not user.has_perm("access.add_request")


def test_the_auditor_can_change_nothing(cast: Cast) -> None:
    """All but one: the auditor has the last word on a review of readings, as a line of their own (domain §7.6)."""
    deeds = {permission for permission in cast.auditor.get_all_permissions() if ".view_" not in permission}
    assert deeds == {"access.close_anomaly"}


def test_the_application_owns_nothing_and_bypasses_nothing(cast: Cast) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = current_user"
        )
        assert cursor.fetchone() == (False, False, False, False)
        cursor.execute(
            "SELECT count(*) FROM pg_class WHERE relowner = (SELECT oid FROM pg_roles WHERE rolname = current_user)"
        )
        assert cursor.fetchone() == (0,)


def test_the_application_puts_no_table_of_its_own_before_ours(cast: Cast) -> None:
    """A temporary table is found before ours: guards and policies that look names up would believe it."""
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE access_queryperson AS SELECT * FROM public.access_queryperson")


def test_psycopg2_is_the_driver() -> None:
    assert connection.Database.__name__ == "psycopg2"

"""What the day alone brings: items begin, lose their basis, are retired."""

from django.db import connection, transaction


def suspend_without_basis() -> list[int]:
    """Suspend what is in force on paper but has lost its basis or its assessment today; return the versions."""
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE catalogue_itemversion v SET state = 'suspended', moved_by_id = NULL,
                      move_note = '依据已失效或影响评估已到期，自动暂停'
                 FROM catalogue_standing s
                WHERE s.id = v.id AND v.state IN ('published', 'in_force') AND v.effective @> cf_today()
                  AND NOT catalogue_stands(s, cf_today()) RETURNING v.id"""
        )
        return [pk for (pk,) in cursor.fetchall()]


def begin_due() -> list[int]:
    """Move published versions whose day has come into force; return them."""
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE catalogue_itemversion v SET state = 'in_force', moved_by_id = NULL, move_note = '到期生效'
                WHERE v.state = 'published' AND v.id IN (SELECT catalogue_in_force(cf_today())) RETURNING v.id"""
        )
        return [pk for (pk,) in cursor.fetchall()]


def retire_due() -> list[int]:
    """Retire the versions of items whose last day has come; return them."""
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE catalogue_itemversion v SET state = 'retired', moved_by_id = NULL, move_note = '条目停用',
                      effective = CASE WHEN lower(v.effective) < r.effective_on
                          THEN v.effective * daterange(NULL, r.effective_on) ELSE v.effective END
                 FROM catalogue_retirement r
                WHERE r.item_id = v.item_id AND r.effective_on <= cf_today()
                  AND v.state IN ('published', 'in_force', 'suspended') RETURNING v.id"""
        )
        return [pk for (pk,) in cursor.fetchall()]


@transaction.atomic
def nightly() -> dict[str, int]:
    """Everything in the catalogue that begins, ends or falls due today. Safe to run twice."""
    return {
        "retired": len(retire_due()), "suspended": len(suspend_without_basis()), "begun": len(begin_due()),
    }  # fmt: skip

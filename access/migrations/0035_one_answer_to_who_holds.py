"""Whether an account holds a permission is answered by one function, which asks it of every app."""

from django.db import migrations

ONE = """
CREATE OR REPLACE FUNCTION access_holds(who bigint, permission text) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$ SELECT catalogue_holds(who, 'access', permission) $$;
"""
OWN = """
CREATE OR REPLACE FUNCTION access_holds(who bigint, permission text) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (
        SELECT 1 FROM accounts_user u
          JOIN accounts_user_groups m ON m.user_id = u.id
          JOIN auth_group_permissions g ON g.group_id = m.group_id
          JOIN auth_permission p ON p.id = g.permission_id AND p.codename = permission
          JOIN django_content_type t ON t.id = p.content_type_id AND t.app_label = 'access'
         WHERE u.id = who AND u.is_active)
$$;
"""


class Migration(migrations.Migration):
    dependencies = [("access", "0034_revoking_leaves_a_line"), ("catalogue", "0011_grants")]
    operations = [migrations.RunSQL(ONE, OWN)]

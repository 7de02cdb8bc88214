"""What django-auditlog writes down when somebody makes or changes rosters, measures and grants. Cases have events of their own."""

from auditlog.registry import auditlog

from sanctions.models import Measure, Roster, RosterGrant, RosterVersion

for model in (Roster, RosterVersion, Measure, RosterGrant):
    auditlog.register(model)

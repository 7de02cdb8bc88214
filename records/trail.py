"""What django-auditlog writes down when somebody changes it by hand."""

from auditlog.registry import auditlog

from records.models import ColumnMapping

auditlog.register(ColumnMapping)

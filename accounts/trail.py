"""What django-auditlog writes down when somebody changes it by hand."""

from auditlog.registry import auditlog

from accounts.models import IdentityProof, Organisation, Person, ServiceToken, User

auditlog.register(Organisation)
auditlog.register(User, exclude_fields=["password", "last_login"], m2m_fields={"groups"})
auditlog.register(Person, include_fields=["deceased_on", "merged_into"])
auditlog.register(IdentityProof, exclude_fields=["code_hash", "attempts"])
auditlog.register(ServiceToken, exclude_fields=["key_hash"])

"""Institutions: what anybody may read about their queries, and the desk of a signed-in operator."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.models import SignInLine, User
from accounts.sign_in_models import Event


@require_safe
def institutions(request: HttpRequest) -> HttpResponse:
    """Say what institutions may ask; an operator also sees their institution and who of it signed in."""
    user = request.user
    if not (isinstance(user, User) and user.kind == User.Kind.INSTITUTION and user.organisation):
        return render(request, "publicity/institutions.html")
    organisation, today = user.organisation, timezone.localdate()
    colleagues = SignInLine.objects.filter(account__organisation=organisation, event=Event.SIGNED_IN)
    context = {
        "organisation": organisation,
        "in_force": organisation.valid_to is None or organisation.valid_to > today,
        "colleagues": organisation.users.filter(kind=User.Kind.INSTITUTION).order_by("username"),
        "lines": colleagues.select_related("account")[:10],
    }
    return render(request, "publicity/institution_desk.html", context)

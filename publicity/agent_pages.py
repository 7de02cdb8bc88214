"""Who may read in the person's name: their authorities, ended here at once, and what they arrange for after their death."""

from collections.abc import Callable

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from access import authorities
from access.consent_rules import choices_of
from access.models import Authority
from access.web import PUBLIC_SITE, asker
from accounts.models import Person
from accounts.web import do_and_say
from publicity.pages import citizens_only

SHOWN = 100  # the latest of one's own that are over


@require_http_methods(["GET", "HEAD", "POST"])
@citizens_only
def me_agents(request: HttpRequest, person: Person) -> HttpResponse:
    """Show whoever reads in the person's name; end one, or arrange for near relatives."""
    if request.method == "POST":
        deed, said = _deed(request, person)
        do_and_say(request, deed, said)
        return redirect("me_agents")
    mine = list(Authority.objects.about(person).select_related("organisation")[:SHOWN])
    open_ones = [one for one in mine if one.is_in_force or one.state == Authority.State.ENTERED]
    for one in open_ones:
        one.item_names = "、".join(choice.name for choice in choices_of(one.items))  # type: ignore[attr-defined]
    context = {
        "open": open_ones, "over": [one for one in mine if one not in open_ones],
        "refused": authorities.kin_are_refused(person),
    }  # fmt: skip
    return render(request, "publicity/me/agents.html", context)


def _deed(request: HttpRequest, person: Person) -> tuple[Callable[[], object], str]:
    by, number = asker(request, PUBLIC_SITE), request.POST.get("number", "")
    match request.POST.get("deed", ""):
        case "revoke" if Authority.objects.about(person).filter(number=number).exists():
            return lambda: authorities.revoke(number, by=by), "已撤销，立即生效。"
        case "forbid":
            return lambda: authorities.arrange(allows=False, by=by), "已记下：您去世以后，近亲属不能查询您的信息。"
        case "allow":
            return lambda: authorities.arrange(allows=True, by=by), "已记下：您去世以后，近亲属可以依法查询您的信息。"
    raise Http404

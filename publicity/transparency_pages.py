"""What anybody may see of the query log: its signed checkpoints, its keys, the verifier. Nothing here is about a person."""

import json
from collections.abc import Iterator
from typing import cast

from django.conf import settings
from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from access.models import Checkpoint, Verification
from access.proofs import NotSealedYet, consistency, proof_of
from access.readiness import readiness
from accounts.models import Person
from publicity.pages import citizens_only

PAGE_SIZE = 50
AT_ONCE = 10_000  # checkpoints in one download: a week's


def _number(request: HttpRequest, name: str) -> int:
    """Return a number of the address; 0 when it is none."""
    text = request.GET.get(name, "")
    return int(text) if text.isdecimal() and len(text) < 18 else 0


@require_safe
def transparency(request: HttpRequest) -> HttpResponse:
    before = _number(request, "before")
    checkpoints = Checkpoint.objects.filter(number__lt=before) if before else Checkpoint.objects.all()
    shown = list(checkpoints[: PAGE_SIZE + 1])
    context = {
        "checkpoints": shown[:PAGE_SIZE], "more": len(shown) > PAGE_SIZE, "newest": Checkpoint.objects.first(),
        "state": readiness()["query_log"], "verified": Verification.objects.first(), "at_once": AT_ONCE,
        "oldest": shown[:PAGE_SIZE][-1].number if shown else None, "keys": settings.LOG_KEYS.published(),
    }  # fmt: skip
    return render(request, "publicity/transparency.html", context)


@require_safe
def checkpoints(request: HttpRequest) -> HttpResponse:
    """Give the checkpoints after a number, oldest first, in the form of the shipped file."""
    found = Checkpoint.objects.filter(number__gt=_number(request, "after")).order_by("number")[:AT_ONCE]

    def lines() -> Iterator[str]:
        for one in found.iterator():
            told = {"number": one.number, "size": one.size, "note": one.note.decode()}
            yield json.dumps(told, ensure_ascii=False) + "\n"

    return download(
        StreamingHttpResponse(lines(), content_type="application/jsonl; charset=utf-8"), "checkpoints.jsonl"
    )


@require_safe
def keys(request: HttpRequest) -> HttpResponse:
    text = "".join(f"{key}\n" for key in settings.LOG_KEYS.published())
    return download(HttpResponse(text, content_type="text/plain; charset=utf-8"), "keys.txt")


@require_safe
def consistency_proof(request: HttpRequest) -> HttpResponse:
    """Give the proof that an earlier checkpoint, of so many lines, is the beginning of the newest."""
    proof = consistency(_number(request, "before"))
    if proof is None:
        raise Http404
    return download(JsonResponse(proof, json_dumps_params={"ensure_ascii": False, "indent": 1}), "consistency.json")


@require_safe
def verifier(request: HttpRequest) -> HttpResponse:
    file = (settings.BASE_DIR / "tools" / "verify_log.py").open("rb")
    return download(FileResponse(file, content_type="text/x-python; charset=utf-8"), "verify_log.py")


@require_safe
@citizens_only
def my_proof(request: HttpRequest, person: Person, pk: int) -> HttpResponse:
    """Give the person the proof of one line of their own access history."""
    proof = proof_of(person, pk)
    if proof is None:
        raise Http404
    if isinstance(proof, NotSealedYet):
        messages.info(request, "这条查询一分钟内封存，封存后就能下载凭证。")
        return redirect("me_access")
    answer = JsonResponse(proof, json_dumps_params={"ensure_ascii": False, "indent": 1})
    return download(answer, f"query-log-proof-{pk}.json")


def download(answer: HttpResponseBase, name: str) -> HttpResponse:
    """Make an answer a file to be kept under that name."""
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return cast(HttpResponse, answer)

"""Error pages in the site's own dress, and the two questions that a load balancer asks."""

from django.apps import apps
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from creditfujian.lib.parts import parts


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "400.html", status=400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "403.html", {"reason": str(exception)}, status=403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "404.html", status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    return render(request, "500.html", status=500)


def too_many(request: HttpRequest, minutes: int) -> HttpResponse:
    """Say that the limit is reached and when to come back."""
    response = render(request, "429.html", {"minutes": minutes}, status=429)
    response["Retry-After"] = str(minutes * 60)
    return response


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Say what to do when a form is too old: nothing was changed."""
    message = "页面停留过久或浏览器未保存 Cookie，本次提交没有生效。请返回上一页刷新后重新提交。"
    return render(request, "403.html", {"reason": message}, status=403)


def healthz(request: HttpRequest) -> HttpResponse:
    """Answer while the process lives."""
    return JsonResponse({"status": "ok"})


def readyz(request: HttpRequest) -> HttpResponse:
    """Answer 200 once the database answers too, with what each app's `readiness` module has to say.

    What an app says is for those who watch: a log sealed late is no reason to send readers elsewhere.
    """
    told = {"status": "ok"}
    try:
        for part in parts((config.name for config in apps.get_app_configs()), "readiness"):
            told |= part.readiness()
    except DatabaseError:
        return JsonResponse({"status": "database"}, status=503)
    return JsonResponse(told)

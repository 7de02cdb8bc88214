"""Error pages in the site's own dress, and the two questions that a load balancer asks."""

from collections.abc import Callable
from functools import wraps

from django.apps import apps
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from creditfujian.lib.correlation import request_id
from creditfujian.lib.parts import parts
from creditfujian.lib.problems import problem

API = "/api/"
Page = Callable[..., HttpResponse]


def _to_systems(status: int, code: str, sentence: str) -> Callable[[Page], Page]:
    """Answer systems in their own form where people get a page."""

    def wrap(page: Page) -> Page:
        @wraps(page)
        def answer(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
            if not request.path.startswith(API):
                return page(request, *args, **kwargs)
            body = problem(status, code, sentence, request_id=request_id())
            return JsonResponse(body, status=status, content_type="application/problem+json")

        return answer

    return wrap


@_to_systems(400, "A11", "请求无法解析，请对照接口说明核对。")
def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "400.html", status=400)


@_to_systems(403, "A18", "没有办理的职责。")
def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "403.html", {"reason": str(exception)}, status=403)


@_to_systems(404, "A12", "没有这个资源，请核对地址。")
def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "404.html", status=404)


@_to_systems(500, "A99", "系统出错，什么也没有改变。请稍后重试。")
def server_error(request: HttpRequest) -> HttpResponse:
    return render(request, "500.html", status=500)


def cut_off(request: HttpRequest) -> HttpResponse:
    """Say that what was sent did not arrive whole: nothing of it was taken."""
    message = "上传没有传完（网络中断或浏览器中途停止），没有收下任何内容，原有数据也没有变化。请返回上一页，重新选择文件再上传。"
    return render(request, "400.html", {"reason": message}, status=400)


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

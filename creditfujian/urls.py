"""Every address of the site."""

from django.contrib import admin
from django.urls import include, path

from creditfujian import errors

handler400 = errors.bad_request
handler403 = errors.forbidden
handler404 = errors.not_found
handler500 = errors.server_error

urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/v1/", include("creditfujian.api_urls")),
    path("healthz", errors.healthz, name="healthz"),
    path("readyz", errors.readyz, name="readyz"),
    path("", include("accounts.urls")),
    path("", include("publicity.urls")),
]

"""Addresses of the public site."""

from django.contrib.auth.views import LogoutView
from django.urls import path

from publicity import pages

urlpatterns = [
    path("", pages.home, name="home"),
    path("lookup/", pages.lookup, name="lookup"),
    path("me/", pages.me, name="me"),
    path("me/file/", pages.me_file, name="me_file"),
    path("me/access/", pages.me_access, name="me_access"),
    path("sign-in/", pages.SignIn.as_view(), name="sign_in"),
    path("sign-in/activate/", pages.activate_account, name="activate"),
    path("sign-out/", LogoutView.as_view(), name="sign_out"),
    path("display/", pages.display_mode, name="display_mode"),
    path("about/what-we-do-not-do/", pages.what_we_do_not_do, name="what_we_do_not_do"),
    path("accessibility/", pages.accessibility, name="accessibility"),
]

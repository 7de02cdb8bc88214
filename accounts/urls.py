"""Addresses of the door and of one's own account."""

from django.urls import path

from accounts import account_pages, oidc_pages, sign_in_pages

urlpatterns = [
    path("sign-in/", sign_in_pages.sign_in, name="sign_in"),
    path("sign-in/second/", sign_in_pages.second, name="sign_in_second"),
    path("sign-in/bind/", sign_in_pages.bind, name="sign_in_bind"),
    path("sign-in/confirm/", sign_in_pages.confirm_again, name="sign_in_confirm"),
    path("sign-in/identity/", oidc_pages.start, name="sign_in_oidc"),
    path("sign-in/identity/back/", oidc_pages.back, name="sign_in_oidc_back"),
    path("sign-out/", sign_in_pages.sign_out, name="sign_out"),
    path("account/", account_pages.account, name="account"),
    path("account/password/", account_pages.password, name="account_password"),
    path("account/totp/", account_pages.bind_totp, name="account_totp"),
    path("account/passkey/", account_pages.bind_passkey, name="account_passkey"),
    path("account/codes/", account_pages.new_codes, name="account_codes"),
    path("account/factors/<int:pk>/remove/", account_pages.remove_factor, name="account_factor_remove"),
    path("account/sessions/end/", account_pages.end_own, name="account_session_end"),
]

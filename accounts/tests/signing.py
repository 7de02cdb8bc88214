"""Signing in the way people do, for tests: the pages' own fields, posted."""

import time
from typing import Any

from django.contrib.auth.hashers import MD5PasswordHasher
from django.http import HttpResponse
from django.test import Client

from accounts.models import SignInLine, User
from accounts.second_factors import bind_totp
from accounts.sign_in_log import Door
from creditfujian.lib import totp
from creditfujian.tests.cast import PASSWORD


class Phone:
    """An authenticator app bound to an account; it never shows a code twice."""

    def __init__(self, user: User) -> None:
        self.secret = totp.new_secret()
        self.last = totp.step_at(time.time()) - 1
        bind_totp(user, self.secret, totp.code(self.secret, self.last), door=Door())

    def code(self) -> str:
        """The next code; within one step of the clock, as the server allows."""
        self.last = max(self.last + 1, totp.step_at(time.time()) - 1)
        return totp.code(self.secret, self.last)


def password_step(client: Client, username: str, password: str = PASSWORD, **more: Any) -> HttpResponse:
    return client.post("/sign-in/", {"username": username, "password": password}, **more)


def code_step(client: Client, code: str, **more: Any) -> HttpResponse:
    return client.post("/sign-in/second/", {"code": code}, **more)


def sign_in(user: User, phone: Phone, **more: Any) -> Client:
    """A browser that has gone through both pages."""
    client = Client(**more)
    password_step(client, user.username)
    answer = code_step(client, phone.code())
    assert answer.status_code == 302, answer.content.decode()[:500]
    return client


def is_in(client: Client) -> bool:
    """Whether somebody is signed in there."""
    return client.get("/account/").status_code == 200


def events(user: User | None = None) -> list[str]:
    """What the log says of an account, oldest first."""
    return list(SignInLine.objects.filter(account=user).order_by("id").values_list("event", flat=True))


class CountingHasher(MD5PasswordHasher):
    """A hasher that counts: how long an answer takes is how often this runs."""

    algorithm = "counting"
    runs = 0

    def encode(self, password: str, salt: str) -> str:
        CountingHasher.runs += 1
        return super().encode(password, salt)

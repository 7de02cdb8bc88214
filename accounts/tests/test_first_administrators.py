"""An empty site gets its first two administrators once, and they sign in like everybody."""

import io
import re

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.models import User
from accounts.tests.signing import Phone, code_step, is_in, password_step
from creditfujian.lib import totp
from creditfujian.tests.cast import Cast


def opened(cast: Cast, system: str = "sys1", security: str = "sec1") -> str:
    out = io.StringIO()
    call_command("first_administrators", organisation=cast.platform.uscc, system=system, security=security, stdout=out)
    return out.getvalue()


def test_the_first_two_sign_in_and_change_their_passwords_and_there_is_no_second_time(cast: Cast) -> None:
    said = opened(cast)
    for username in ("sys1", "sec1"):
        password, secret = re.search(rf"{username}  初始密码 (\S+)  密钥 (\S+)", said).groups()  # type: ignore[union-attr]
        client = Client()
        assert password_step(client, username, password).status_code == 302
        assert code_step(client, totp.code(totp.from_text(secret), User.objects.get(username=username)
                                           .second_factors.get().counter + 1)).status_code == 302  # fmt: skip
        assert client.get("/admin/")["Location"] == "/account/password/"
        assert not is_in(client)
    with pytest.raises(CommandError, match="已有安全管理员"):
        opened(cast, "sys2", "sec2")


def test_it_takes_two_people_and_accounts_that_fit(cast: Cast) -> None:
    with pytest.raises(CommandError, match="两个人"):
        opened(cast, "one", "one")
    with pytest.raises(CommandError, match="不是系统管理员"):
        opened(cast, "clerk", "sec1")
    assert not User.objects.filter(username="sec1").exists()
    Phone(cast.security_admin)
    with pytest.raises(CommandError, match="已有安全管理员"):
        opened(cast)

"""Open the first system and the first security administrator of an empty site; from then on it takes the two of them."""

import secrets
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from accounts.actions import register_staff
from accounts.models import Organisation, Role, User
from accounts.second_factors import bind_totp
from accounts.sign_in_log import Door
from creditfujian.lib import totp


class Command(BaseCommand):
    help = "开通第一名系统管理员和第一名安全管理员，显示一次初始密码和手机验证码密钥。已有可用的安全管理员时拒绝。"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--organisation", required=True, help="所属机构的统一社会信用代码")
        parser.add_argument("--system", required=True, metavar="USERNAME", help="系统管理员的用户名")
        parser.add_argument("--security", required=True, metavar="USERNAME", help="安全管理员的用户名")

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        if User.objects.filter(groups__name=Role.SECURITY_ADMIN, second_factors__isnull=False, is_active=True).exists():
            raise CommandError("已有安全管理员。请由系统管理员开通账户，由安全管理员发放绑定码。")
        organisation = Organisation.objects.filter(uscc=options["organisation"]).first()
        if organisation is None:
            raise CommandError("没有这个机构。请先用 load_organisations 录入。")
        if options["system"] == options["security"]:
            raise CommandError("系统管理员和安全管理员必须是两个人。")
        for role, username in ((Role.SYSTEM_ADMIN, options["system"]), (Role.SECURITY_ADMIN, options["security"])):
            self._open(role, username, organisation)
        self.stdout.write("请分别当面交给两个人，并清除屏幕。首次登录时须修改密码。")

    def _open(self, role: Role, username: str, organisation: Organisation) -> None:
        password, secret = secrets.token_urlsafe(12), totp.new_secret()
        user = User.objects.filter(username=username).first()
        if user is None:
            user = register_staff(
                username=username, name=role.label, organisation=organisation, roles=[role], password=password
            )
        elif user.roles() != [role] or user.second_factors.exists():
            raise CommandError(f"账户 {username} 不是{role.label}，或者已经绑定了手机。")
        user.set_password(password)
        user.must_change_password = True
        user.save(update_fields=["password", "must_change_password"])
        bind_totp(user, secret, totp.code(secret, totp.step_at(time.time()) - 1), door=Door())
        address = totp.address(secret, account=username, issuer="信用福建")
        self.stdout.write(f"{role.label}  {username}  初始密码 {password}  密钥 {totp.as_text(secret)}\n  {address}")

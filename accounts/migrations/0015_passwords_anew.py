"""What the log at the door says of a forgotten password: a code from the counter, and who set it anew."""

from django.db import migrations, models

EVENTS = [
    ("signed_in", "登录成功"), ("wrong_password", "用户名或密码不符"), ("wrong_factor", "第二步验证不符"), ("locked", "锁定期间的尝试"),
    ("refused", "身份服务登录被拒"), ("confirmed", "再次验证通过"), ("signed_out", "退出登录"), ("timed_out", "超时自动退出"),
    ("ended", "会话被结束"), ("factor_added", "绑定第二步验证"), ("factor_removed", "解除第二步验证"), ("codes_made", "生成恢复码"),
    ("password_changed", "修改密码"), ("password_reset", "重设密码"), ("reset_issued", "窗口核验身份，发放激活码"),
    ("binding_issued", "发放绑定码"), ("unlocked", "解除锁定"), ("linked", "绑定身份服务"),
]  # fmt: skip


class Migration(migrations.Migration):
    dependencies = [("accounts", "0014_offices_in_context")]
    operations = [
        migrations.AlterField(
            "signinline", "event", models.CharField(choices=EVENTS, max_length=20, verbose_name="事项")
        )
    ]

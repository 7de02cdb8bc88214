"""Signing in as people do: two steps, a first phone, a passkey in the browser, sessions, locks; readable at both widths."""

import time
from collections.abc import Callable

from creditfujian.lib import totp
from e2e.conftest import Site, Visitor
from e2e.test_pages import reached_by_tab

Come = Callable[[], Visitor]
PASSWORD = "松竹梅-岁寒三友-2026"


def now_of(secret: str) -> str:
    return totp.code(totp.from_text(secret), totp.step_at(time.time()))


def test_staff_sign_in_by_two_steps(visitor: Come) -> None:
    clerk = visitor()
    clerk.go("/admin/")
    clerk.look("工作人员登录")
    reached_by_tab(clerk)
    clerk.page.get_by_label("用户名").fill("clerk2")
    clerk.page.get_by_label("密码").fill("错误的密码")
    clerk.page.get_by_role("button", name="登录", exact=True).click()
    assert "与密码不符" in clerk.text
    clerk.look("工作人员登录-失败")
    clerk.page.get_by_label("密码").fill(clerk.site.accounts["clerk2"]["password"])
    clerk.page.get_by_role("button", name="登录", exact=True).click()
    clerk.look("第二步验证")
    reached_by_tab(clerk)
    clerk.go("/admin/")
    assert "工作人员登录" in clerk.text, "the password alone opens nothing"
    clerk.go("/sign-in/second/")
    clerk.page.get_by_label("验证码").fill("000000")
    clerk.page.get_by_role("button", name="验证", exact=True).click()
    clerk.look("第二步验证-失败")
    clerk.page.get_by_label("验证码").fill(clerk.site.code("clerk2"))
    clerk.page.get_by_role("button", name="验证", exact=True).click()
    assert "工作台" in clerk.text
    clerk.page.get_by_role("link", name="我的账户").click()
    clerk.look("我的账户-工作人员")
    reached_by_tab(clerk)


def test_two_administrators_open_an_account_and_its_holder_binds_a_phone(visitor: Come, site: Site) -> None:
    system, security, new = visitor(), visitor(), visitor()
    system.sign_in("system_admin")
    system.go("/admin/accounts/user/add/")
    system.page.get_by_label("用户名").fill("newcomer")
    system.page.get_by_label("姓名").fill("江新来")
    system.page.get_by_label("所属机构").select_option(index=3)
    system.page.get_by_label("初始密码").fill(PASSWORD)
    system.page.get_by_role("button", name="保存", exact=True).click()
    security.sign_in("security_admin")
    security.go("/admin/accounts/user/?q=newcomer")
    security.page.locator("#result_list tbody th a").first.click()
    security.look("安全管理员-用户")
    security.page.get_by_role("link", name="登录安全").click()
    security.look("安全管理员-登录安全")
    reached_by_tab(security)
    security.page.get_by_role("button", name="发放绑定码").click()
    code = security.page.get_by_label("绑定码").inner_text()
    security.look("安全管理员-绑定码")
    new.go("/admin/")
    new.page.get_by_label("用户名").fill("newcomer")
    new.page.get_by_label("密码").fill(PASSWORD)
    new.page.get_by_role("button", name="登录", exact=True).click()
    new.look("绑定手机")
    reached_by_tab(new)
    secret = new.page.locator(".secret").inner_text()
    whole = new.page.evaluate("""() => {
      const svg = document.querySelector(".qr-box svg"), box = svg.getBoundingClientRect();
      const dark = svg.querySelector("path:last-of-type").getBoundingClientRect();
      return dark.left > box.left && dark.right < box.right && dark.bottom < box.bottom && dark.width > 150;
    }""")
    assert whole, "no phone reads a QR code that is cut off"
    new.page.get_by_label("绑定码").fill(code)
    new.page.get_by_label("应用里显示的 6 位数字").fill("000000")
    new.page.get_by_role("button", name="绑定并登录").click()
    assert new.page.locator(".secret").inner_text() == secret, "the phone that scanned the code stays right"
    new.look("绑定手机-失败")
    new.page.get_by_label("绑定码").fill(code)
    new.page.get_by_label("应用里显示的 6 位数字").fill(now_of(secret))
    new.page.get_by_role("button", name="绑定并登录").click()
    assert new.page.locator(".codes code").count() == 10
    new.look("恢复码")
    new.page.get_by_role("link", name="已经收好，继续").click()
    assert "现在的密码是管理员设定的" in new.text
    new.look("首次登录修改密码")
    new.page.get_by_label("现在的密码").fill(PASSWORD)
    new.page.get_by_label("新密码", exact=False).first.fill("青山不老-绿水长流-二零二六")
    new.page.get_by_label("再输一次新密码").fill("青山不老-绿水长流-二零二六")
    new.page.get_by_role("button", name="修改密码").click()
    assert "密码已修改" in new.text


def test_a_passkey_in_the_browser(visitor: Come, site: Site) -> None:
    owner = visitor()
    devtools = owner.context.new_cdp_session(owner.page)
    devtools.send("WebAuthn.enable")
    key = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
           "isUserVerified": True, "automaticPresenceSimulation": True}  # fmt: skip
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": key})
    site_by_name = site.base.replace("127.0.0.1", "localhost")
    owner.go(f"{site_by_name}/sign-in/")
    owner.page.get_by_label("用户名").fill("citizen3")
    owner.page.get_by_label("密码").fill(site.accounts["citizen3"]["password"])
    owner.page.get_by_role("button", name="登录", exact=True).click()
    owner.go(f"{site_by_name}/account/passkey/")
    owner.look("再次验证")
    owner.page.get_by_label("密码").fill(site.accounts["citizen3"]["password"])
    owner.page.get_by_role("button", name="验证", exact=True).click()
    owner.look("绑定通行密钥")
    owner.page.get_by_label("名称").fill("我的电脑")
    owner.page.get_by_role("button", name="生成并绑定").click()
    owner.page.get_by_role("link", name="已经收好，继续").click()
    assert "我的电脑" in owner.text
    owner.look("我的账户-公民")
    owner.page.get_by_role("button", name="退出登录").click()
    owner.go(f"{site_by_name}/sign-in/")
    owner.page.get_by_label("用户名").fill("citizen3")
    owner.page.get_by_label("密码").fill(site.accounts["citizen3"]["password"])
    owner.page.get_by_role("button", name="登录", exact=True).click()
    owner.look("第二步验证-通行密钥")
    owner.page.get_by_role("button", name="使用通行密钥").click()
    owner.page.wait_for_url("**/me/")
    owner.go(f"{site_by_name}/account/")
    owner.page.get_by_role("button", name="解除 我的电脑").click()
    assert "已解除" in owner.text


def test_the_desk_of_an_institution(visitor: Come) -> None:
    clerk = visitor()
    clerk.sign_in_by_hand("institution")
    clerk.page.wait_for_url("**/institutions/")
    assert "闽江虚拟银行" in clerk.text
    clerk.look("机构工作页")
    reached_by_tab(clerk)


def test_who_guesses_is_locked_out(visitor: Come) -> None:
    guesser = visitor()
    for _ in range(6):
        guesser.go("/sign-in/")
        guesser.page.get_by_label("用户名").fill("nobody-at-all")
        guesser.page.get_by_label("密码").fill("guess")
        guesser.page.get_by_role("button", name="登录", exact=True).click()
    assert "暂时不能登录" in guesser.text
    guesser.look("暂时不能登录")

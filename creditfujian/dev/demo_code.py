"""`make code USER=name`: what the phone of a demo account would show now."""

import json
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from creditfujian.dev.setup import DATA, python
from creditfujian.lib import totp

CREDENTIALS = DATA / "credentials.json"
_SHOW_QR = "import segno, sys; segno.make(sys.argv[1], error='l').terminal(compact=True)"


def main(username: str, *, qr: bool) -> int:
    """Print password and code; with `qr` the code to scan. Return 1 when there is no such demo account."""
    if not CREDENTIALS.exists():
        print("还没有演示账户：先运行 make run。", file=sys.stderr)
        return 1
    accounts = {account["username"]: account for account in json.loads(CREDENTIALS.read_text())}
    account = accounts.get(username)
    if account is None:
        print(f"没有演示账户“{username}”。可用：{'、'.join(accounts)}", file=sys.stderr)
        return 1
    if not account["totp_secret"]:
        print(f"{username} 是公民账户，只用密码：{account['password']}")
        return 0
    secret = totp.from_text(account["totp_secret"])
    if qr:
        address = totp.address(secret, account=username, issuer="信用福建（演示）")
        return subprocess.run([python(), "-c", _SHOW_QR, address], check=False).returncode
    left = totp.STEP - int(time.time()) % totp.STEP
    print(
        f"{username}  密码 {account['password']}  验证码 {totp.code(secret, totp.step_at(time.time()))}（还有 {left} 秒）"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "", qr="--qr" in sys.argv))

"""`make clean-data`: stop the server and start afresh next time."""

import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from creditfujian.dev.postgres import Server, find_binaries
from creditfujian.dev.setup import CHECKOUT, DATA, say


def main() -> None:
    """Remove both clusters, the sealed files and the credentials; keep the virtual environment."""
    binaries = find_binaries() or next((p.parent for p in DATA.rglob("initdb")), None)
    for purpose in ("run", "test"):
        if binaries is not None:
            server = Server(CHECKOUT, purpose, binaries)
            server.stop()
            shutil.rmtree(server.home.parent, ignore_errors=True)
            shutil.rmtree(server.sockets, ignore_errors=True)
    shutil.rmtree(DATA, ignore_errors=True)
    say("the demo's data are gone; the next `make run` starts afresh")


if __name__ == "__main__":
    main()

"""A small identity service that speaks OpenID Connect over HTTP, for tests: discovery, keys, codes, signed tokens.

It checks what a real one checks: client, redirect address, PKCE, and that a code is exchanged once. `spoil` makes it lie.
"""

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT, SECRET = "credit-fujian", "a secret with : and %"


class IdentityService:
    """The service: who sits before the browser (`claims`), and what is wrong with its tokens (`spoil`)."""

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(65537, 2048)
        self.claims: dict[str, Any] = {}
        self.spoil: dict[str, Any] = {}
        self.sign_with: Any = self.key
        self.algorithm = "RS256"
        self.codes: dict[str, dict[str, str]] = {}
        self.asked: list[str] = []
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(*service.get(urlsplit(self.path)))

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                self._answer(*service.token(body, self.headers.get("Authorization", "")))

            def _answer(self, status: int, body: dict[str, Any], location: str = "") -> None:
                self.send_response(status)
                if location:
                    self.send_header("Location", location)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(json.dumps(body).encode())

            def log_message(self, *args: Any) -> None:
                """Keep quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self.server.server_port}"

    def get(self, parts: Any) -> tuple[Any, ...]:
        self.asked.append(parts.path)
        if parts.path == "/.well-known/openid-configuration":
            return 200, {
                "issuer": self.spoil.get("metadata_issuer", self.issuer), "jwks_uri": f"{self.issuer}/keys",
                "authorization_endpoint": f"{self.issuer}/authorize", "token_endpoint": f"{self.issuer}/token",
            }  # fmt: skip
        if parts.path == "/keys":
            public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key()))
            return 200, {"keys": [{**public, "kid": "one", "use": "sig", "alg": "RS256"}]}
        if parts.path == "/authorize":
            return self.authorize({name: values[0] for name, values in parse_qs(parts.query).items()})
        return 404, {}

    def authorize(self, asked: dict[str, str]) -> tuple[Any, ...]:
        """The person has signed in here: send the browser back with a code."""
        if asked.get("client_id") != CLIENT or asked.get("code_challenge_method") != "S256" or "nonce" not in asked:
            return 400, {"error": "invalid_request"}
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        back = urlencode({"code": code, "state": self.spoil.get("state", asked["state"]), "iss": self.issuer})
        return 302, {}, f"{asked['redirect_uri']}?{back}"

    def token(self, body: str, authorization: str) -> tuple[Any, ...]:
        sent = {name: values[0] for name, values in parse_qs(body).items()}
        pair = ":".join(urlencode({"": part})[1:] for part in (CLIENT, SECRET))
        asked = self.codes.pop(sent.get("code", ""), None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(sent.get("code_verifier", "").encode()).digest())
        fits = (
            asked is not None
            and authorization == f"Basic {base64.b64encode(pair.encode()).decode()}"
            and asked["code_challenge"] == challenge.rstrip(b"=").decode()
            and asked["redirect_uri"] == sent.get("redirect_uri")
        )
        if asked is None or not fits:
            return 400, {"error": "invalid_grant"}
        now = int(time.time())
        told = {
            "iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": asked["nonce"], "acr": "urn:cn:aal2",
            "auth_time": now, **self.claims, **self.spoil.get("token", {}),
        }  # fmt: skip
        told = {name: value for name, value in told.items() if value is not None}
        header = {"kid": self.spoil.get("kid", "one")}
        return 200, {"id_token": jwt.encode(told, self.sign_with, algorithm=self.algorithm, headers=header)}


@contextmanager
def running() -> Iterator[IdentityService]:
    """The service, serving from a thread of its own."""
    service = IdentityService()
    thread = threading.Thread(target=service.server.serve_forever, daemon=True)
    thread.start()
    try:
        yield service
    finally:
        service.server.shutdown()
        service.server.server_close()
        thread.join()

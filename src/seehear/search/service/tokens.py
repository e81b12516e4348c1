"""Who may ask: a token in the header Authorization, or the cookie that the page got for it.

The cookie holds a value of its own, drawn at the start of the service: it ends with the service, scripts cannot read
it, and other sites cannot send it.
"""

import hmac
import secrets
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie

from seehear.search.service.rates import Rate
from seehear.search.service.refused import RefusedError, too_many

COOKIE = "seehear"


class Doorkeeper:
    """Knows the token.

    Args:
        token: None lets everyone in.
        wrong_per_minute: wrong tokens that one address may send.

    Attributes:
        session: the value of the cookie.
    """

    def __init__(self, token: str | None, wrong_per_minute: int = 10):
        self._token, self._wrong = token, Rate(wrong_per_minute)
        self.session = secrets.token_urlsafe(32)

    @property
    def asks(self) -> bool:
        """Whether a token is needed."""
        return self._token is not None

    def check(self, headers: Mapping[str, str], client: str) -> None:
        """Let a request of the address `client` in.

        Raises:
            RefusedError: 401, or 429 after too many wrong tokens.
        """
        if not self.asks or _same(_cookie(headers.get("cookie", "")), self.session):
            return
        kind, _, value = headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer":
            raise _wrong()
        self.admit(value.strip(), client)

    def admit(self, token: str, client: str) -> None:
        """Let the bearer of a token in; the time of comparing does not tell how much of it is right.

        Raises:
            RefusedError: 401, or 429 after too many wrong tokens.
        """
        if self._token is None:
            return
        if wait := self._wrong.wait_seconds(client):
            raise too_many("rate", "too many wrong tokens", wait + 0.5)
        if not _same(token, self._token):
            self._wrong.count(client)
            raise _wrong()


def _wrong() -> RefusedError:
    return RefusedError(
        401,
        "token",
        "no token, or a wrong one",
        "the token that the service was started with",
        "send the header Authorization: Bearer TOKEN, or open the page and type it in",
        {"WWW-Authenticate": "Bearer"},
    )


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode("utf-8", "surrogateescape"), other.encode())


def _cookie(header: str) -> str:
    try:
        found = SimpleCookie(header).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found is not None else ""

"""What stands between the page and a hostile world: a tree's text, another site in the same browser, another user.

Model output is shown as text by the page, which never builds HTML from it; the content security policy lets no other
script, style, picture or connection in, should that fail. Requests are answered for the address that was announced
alone (against DNS rebinding), nothing but marks is written, and those only by the page itself.
"""

from __future__ import annotations

import hmac
import ipaddress
import secrets
from dataclasses import dataclass, field

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from ultrainteract.errors import ConfigError

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Content security policy of everything that is sent."""
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",
}
COOKIE = "ultrainteract-view"
PAGE_HEADER = "X-Ultrainteract-Page"
"""Header of a writing request; another site's script cannot set it without being asked for leave, which is refused."""


@dataclass(frozen=True)
class Guard:
    """Who is answered.

    Args:
        host: Address to listen at.
        token: What a user has to know; needed where the address is not a loopback one.

    Raises:
        ConfigError: A token is needed.
    """

    host: str
    token: str | None = None
    page_token: str = field(default_factory=lambda: secrets.token_urlsafe(24))

    def __post_init__(self) -> None:
        if self.token is None and not _is_loopback(self.host):
            raise ConfigError(
                f"Listening at {self.host} shows the trees to the whole network: set --token, or leave --host out."
            )

    def allows_host(self, header: str) -> bool:
        """Whether a request is meant for this server: by its name where anybody may ask, by the token otherwise."""
        if self.token is not None:
            return True
        name = header.rsplit(":", 1)[0] if not header.endswith("]") else header
        return _is_loopback(name.strip("[]"))

    def knows_token(self, request: web.Request) -> bool:
        """Whether a request has the token, as a cookie or in its address."""
        if self.token is None:
            return True
        given = request.cookies.get(COOKIE) or request.query.get("token", "")
        return hmac.compare_digest(given.encode(), self.token.encode())

    def is_of_page(self, request: web.Request) -> bool:
        """Whether a writing request comes from the page itself."""
        given = request.headers.get(PAGE_HEADER, "")
        site = request.headers.get("Sec-Fetch-Site", "same-origin")
        return site == "same-origin" and hmac.compare_digest(given.encode(), self.page_token.encode())


def guarded(guard: Guard) -> Middleware:
    """A middleware that applies a guard to every request, and the headers to every answer."""

    @web.middleware
    async def apply(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            if not guard.allows_host(request.headers.get("Host", "")):
                raise web.HTTPForbidden(text="This server answers to its own address alone.")
            if not guard.knows_token(request):
                raise web.HTTPUnauthorized(text="Open the address with ?token=… that the command printed.")
            if request.method not in ("GET", "HEAD") and not guard.is_of_page(request):
                raise web.HTTPForbidden(text="Only the page itself may write.")
            answer = await handler(request)
        except web.HTTPException as error:
            answer = web.Response(status=error.status, text=error.text)
        answer.headers.update(HEADERS)
        if guard.token is not None and request.query.get("token"):
            answer.set_cookie(COOKIE, guard.token, httponly=True, samesite="Strict")
        return answer

    return apply


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False

"""What every request to the page must be, before any handler sees it, and what every answer carries."""

from collections.abc import Mapping

from starlette.requests import Request

#: bytes of a form: the comment may have 2,000 characters.
MOST_BODY = 32_768
_MOST_PATH = 300


def make_origin(port: int) -> str:
    """Our own pages, as browsers name them. Passkeys want a name, and 127.0.0.1 is none."""
    return f"http://localhost:{port}"


def explain_refusal(request: Request, port: int) -> str | None:
    """Why a request is not answered, or None.

    A Host that is not ours is another site's name that was made to point here (DNS rebinding). A form must come from
    our own page: browsers say so in Sec-Fetch-Site, older ones in Origin.
    """
    own = {f"127.0.0.1:{port}", f"localhost:{port}"}
    if request.headers.getlist("host") not in [[name] for name in own]:
        return "This page answers only to its own address."
    if len(request.url.path) > _MOST_PATH:
        return "There is no such page."
    if request.method not in ("GET", "POST"):
        return "Only GET and POST are answered."
    if request.method == "GET":
        return None
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    # With our Referrer-Policy browsers send "null" for a form of our own; then Sec-Fetch-Site has to vouch for it.
    from_us = origin in {f"http://{name}" for name in own} or (origin == "null" and site == "same-origin")
    if not from_us or site not in (None, "same-origin"):
        return "This form was sent from another page. Nothing was recorded."
    return None


def make_headers(csp: str) -> Mapping[str, str]:
    """The headers of every answer."""
    return {
        "Content-Security-Policy": csp,
        "X-Frame-Options": "DENY",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
    }


async def read_body(request: Request) -> bytes | None:
    """The body, or None when it is too large; no more of it than that is kept."""
    declared = request.headers.get("content-length", "0")
    if not declared.isdigit() or int(declared) > MOST_BODY:
        return None
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BODY:
            return None
    return body

"""Answers that are sent compressed, to whoever can read that.

Only GETs that repeat nothing of the request and hold no secret (no token, nobody's password or session) may be: the length of a compressed
answer tells something of its content to whoever watches the line and can make a browser ask (BREACH).
"""

from __future__ import annotations

import gzip

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

LEVEL = 5
"""Of zlib. The highest takes twice the time and saves one part in a hundred."""


def compress(body: bytes) -> bytes:
    """Gzipped, without a name and a time: equal bodies have equal bytes."""
    return gzip.compress(body, LEVEL, mtime=0)


def compressed(request: HttpRequest, body: bytes, **headers: str) -> HttpResponse:
    """The JSON whose gzipped form is `body`. Under ASGI it goes out in pieces, no faster than its reader takes them; the bytes of one
    `body` are shared by all who are sent it."""
    response = HttpResponse(body, content_type="application/json", headers=headers)
    if takes_gzip(request.headers.get("Accept-Encoding", "")):
        response["Content-Encoding"] = "gzip"
    else:
        response.content = gzip.decompress(body)
    patch_vary_headers(response, ["Accept-Encoding", "Authorization", "Cookie"])
    return response


def takes_gzip(accepted: str) -> bool:
    """By the value of Accept-Encoding.

    >>> takes_gzip("br, gzip;q=0.8"), takes_gzip("*"), takes_gzip("gzip;q=0, br"), takes_gzip("")
    (True, True, False, False)
    """
    quality: dict[str, float] = {}
    for item in accepted.lower().split(","):
        name, _, weight = item.partition(";")
        try:
            quality[name.strip()] = float(weight.strip().removeprefix("q=") or 1.0)
        except ValueError:
            continue
    return quality.get("gzip", quality.get("*", 0.0)) > 0

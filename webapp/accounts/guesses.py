"""How often passwords may be guessed: one count for every place that checks one, by the address that guesses and by the name guessed at.

The counts lie in Django's cache and are raised there in one step, so guesses at the same moment are counted as those one after another.
"""

from __future__ import annotations

import hashlib
import ipaddress
import time

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest

WINDOW = 60.0
"""Seconds. It begins with the first try."""
BY_ADDRESS = 20
BY_NAME = 10


def wait_of(key: str, most: int, window: float = WINDOW) -> float:
    """Count one try under `key`. 0 where it is among the first `most` of its window, else the seconds until the window ends."""
    now = time.time()
    # Whoever comes first says when the window began, so that all count under one key.
    began = float(cache.get_or_set(f"{key}_began", now, window) or now)
    counted = f"{key}_{began:.6f}"
    cache.add(counted, 0, 2 * window)
    try:
        tries = cache.incr(counted)
    except ValueError:
        tries = 1  # it ran out between the two lines
    # Another process's clock, or this one's since then, may be far off.
    return 0.0 if tries <= most else min(window, max(1.0, began + window - now))


def too_many(request: HttpRequest, name: str | None) -> float:
    """Count a guess at the password of `name` (None: no name was given). Seconds to wait, 0 where the guess may be tried."""
    waits = [wait_of(f"guess_address_{_key(address(request))}", BY_ADDRESS)]
    if name is not None:
        waits.append(wait_of(f"guess_name_{_key(name.lower())}", BY_NAME))
    return max(waits)


def address(request: HttpRequest) -> str:
    """Who asks, as far as an address says it: what the nearest of NUM_PROXIES proxies wrote down, else the other end of the connection.

    Of IPv6 the network of 64 bits, since whoever has one address has all of them. A port is left out: each connection has another.
    """
    forwarded = request.headers.get("X-Forwarded-For", "")
    proxies = settings.NUM_PROXIES
    text = request.META.get("REMOTE_ADDR") or ""
    if proxies and forwarded:
        hops = [hop.strip() for hop in forwarded.split(",")]
        text = hops[-min(proxies, len(hops))]
    for candidate in (text, text.rpartition(":")[0].strip("[]")):
        try:
            found = ipaddress.ip_address(candidate)
        except ValueError:
            continue
        if isinstance(found, ipaddress.IPv6Address):
            return str(found.ipv4_mapped or ipaddress.ip_network((found, 64), strict=False))
        return str(found)
    return text


def _key(text: str) -> str:
    # A name or a header may hold anything and be of any length.
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()

"""Redis as everything but Celery uses it: with short limits of time, and never as something that must be there."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from django.conf import settings
from django.core.cache.backends.redis import RedisCache

from .helpers import Helper
from .own_memory import OwnMemoryCache

LIMIT_SECONDS = 1.0

helper = Helper("Redis", "each process counts and looks for itself")


def limits() -> dict[str, Any]:
    """Options of a client. One more try at once: after a restart of Redis the connections that a pool kept are dead."""
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    return {"socket_timeout": LIMIT_SECONDS, "socket_connect_timeout": LIMIT_SECONDS, "retry": Retry(NoBackoff(), 1)}


@lru_cache(maxsize=1)
def client() -> Any:
    """This process's client of REDIS_URL."""
    import redis

    return redis.Redis.from_url(settings.REDIS_URL, **limits())


def answers() -> bool:
    """Whether Redis answers now; True where none is configured."""
    if not settings.REDIS_URL:
        return True
    from redis import RedisError

    try:
        client().ping()
    except (RedisError, OSError):
        return False
    return True


def publish(channel: str, message: str) -> None:
    """Say it to whoever listens. While Redis is away nobody hears it."""
    from redis import RedisError

    if not helper.worth_asking():
        return
    try:
        client().publish(channel, message)
    except (RedisError, OSError) as error:
        helper.failed(error)
    else:
        helper.answered()


class SoftRedisCache(RedisCache):
    """Django's cache in Redis. While that is away each process has one of its own, so that nothing fails for want of a counter."""

    def __init__(self, server: Any, params: dict[str, Any]) -> None:
        super().__init__(server, {**params, "OPTIONS": {**limits(), **params.get("OPTIONS", {})}})
        self._own = OwnMemoryCache("while-redis-is-away", {"OPTIONS": params.get("OWN_MEMORY", {})})

    def _either(self, method: str, *arguments: Any, **named: Any) -> Any:
        from redis import RedisError

        if helper.worth_asking():
            try:
                found = getattr(super(), method)(*arguments, **named)
            except (RedisError, OSError) as error:
                helper.failed(error)
            else:
                helper.answered()
                return found
        return getattr(self._own, method)(*arguments, **named)

    def add(self, *arguments: Any, **named: Any) -> Any:
        return self._either("add", *arguments, **named)

    def get(self, *arguments: Any, **named: Any) -> Any:
        return self._either("get", *arguments, **named)

    def set(self, *arguments: Any, **named: Any) -> Any:
        return self._either("set", *arguments, **named)

    def touch(self, *arguments: Any, **named: Any) -> Any:
        return self._either("touch", *arguments, **named)

    def delete(self, *arguments: Any, **named: Any) -> Any:
        return self._either("delete", *arguments, **named)

    def get_many(self, *arguments: Any, **named: Any) -> Any:
        return self._either("get_many", *arguments, **named)

    def has_key(self, *arguments: Any, **named: Any) -> Any:
        return self._either("has_key", *arguments, **named)

    def incr(self, *arguments: Any, **named: Any) -> Any:
        return self._either("incr", *arguments, **named)

    def set_many(self, *arguments: Any, **named: Any) -> Any:
        return self._either("set_many", *arguments, **named)

    def delete_many(self, *arguments: Any, **named: Any) -> Any:
        return self._either("delete_many", *arguments, **named)

    def clear(self) -> Any:
        return self._either("clear")

"""Secrets that let somebody in. Only their SHA-256 is stored: each is 256 random bits, so a slow hash would add nothing."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from datetime import timedelta
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.utils import timezone


def hash_secret(plain: str) -> str:
    """SHA-256 of a secret, as 64 hexadecimal digits."""
    return hashlib.sha256(plain.encode()).hexdigest()


class OneTimeSecret(models.Model):
    """A secret that is good once, for a short time."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    digest = models.CharField(max_length=64, unique=True)
    created = models.DateTimeField(auto_now_add=True)
    expires = models.DateTimeField()
    used = models.DateTimeField(null=True)

    class Meta:
        abstract = True

    lifetime = timedelta(seconds=30)

    @classmethod
    def issue(cls, user: Any, **fields: Any) -> str:
        """Make a secret for `user` and return its plain text, which is kept nowhere."""
        plain = secrets.token_urlsafe(32)
        cls._default_manager.create(user=user, digest=hash_secret(plain), expires=timezone.now() + cls.lifetime, **fields)
        return plain

    @classmethod
    def redeem(cls, plain: str) -> Self | None:
        """The secret's row if it was good until now, else None. A guarded UPDATE: of two redeemers one wins."""
        now = timezone.now()
        good = cls._default_manager.filter(digest=hash_secret(plain), used=None, expires__gt=now, user__is_active=True)
        row = good.select_related("user").first()
        if row is None or cls._default_manager.filter(pk=row.pk, used=None).update(used=now) != 1:
            return None
        return row


class LoginToken(OneTimeSecret):
    """A login link that works once."""

    lifetime = timedelta(hours=12)


class WsTicket(OneTimeSecret):
    """The right to open one WebSocket, for clients without a session cookie. It and its socket end with the token or the session that
    asked for it."""

    token = models.ForeignKey("core.ApiToken", on_delete=models.CASCADE, null=True, related_name="+")
    session = models.CharField(max_length=40, default="", blank=True, help_text="key of the session that asked for it")

    lifetime = timedelta(seconds=30)


class ApiToken(models.Model):
    """A bearer token, shown once at its making, revocable (delete the row)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=100)
    scope = models.CharField(max_length=10, choices=[("read", "read"), ("write", "write")], default="write")
    digest = models.CharField(max_length=64, unique=True)
    hint = models.CharField(max_length=8, help_text="first characters of the plain token, to tell tokens apart")
    created = models.DateTimeField(auto_now_add=True)
    last_used = models.DateTimeField(null=True)
    expires = models.DateTimeField(null=True)

    @classmethod
    def issue(cls, owner: Any, name: str, scope: str = "write", expires: Any = None) -> tuple[ApiToken, str]:
        """(row, plain text)."""
        plain = f"nascope_{secrets.token_urlsafe(32)}"
        row = cls.objects.create(owner=owner, name=name, scope=scope, digest=hash_secret(plain), hint=plain[8:14], expires=expires)
        return row, plain

    @classmethod
    def find(cls, plain: str) -> ApiToken | None:
        """The live token with this plain text, or None."""
        row = cls.objects.filter(digest=hash_secret(plain), owner__is_active=True).select_related("owner").first()
        return None if row is None or (row.expires is not None and row.expires <= timezone.now()) else row


class IdempotencyKey(models.Model):
    """The stored answer to a POST that carried an Idempotency-Key, for 24 hours."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=200)
    request_digest = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True, help_text="null while the first request is being answered")
    response = models.JSONField(null=True)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner", "key"], name="idempotency_key_once")]

"""Idempotency-Key: a POST that is sent again (a second click, a lost answer) does its work once.

The key's row is inserted in the transaction that does the work, so both are there or neither is; of two requests at the same
moment the second waits for the first and gives its answer.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from pydantic import BaseModel
from rest_framework.request import Request
from rest_framework.response import Response

from search_engine.base.errors import BadInput
from search_engine.spaces.genomes import canonical_json, digest
from webapp.accounts.authentication import person
from webapp.core.models import IdempotencyKey

from .problems import Problem

LIFETIME = timedelta(hours=24)


def once(request: Request, status: int, work: Callable[[], BaseModel], also: Any = None) -> Response:
    """Do `work` in a transaction and answer `status` with what it returns; where the request brings a known key, answer as then.
    `also`: what the request asks beside its body (in headers).

    Raises Problem 422 where the key came with another body before, BadInput(field "Idempotency-Key") for a key that is none.
    """
    key = request.headers.get("Idempotency-Key", "")
    if not key:
        with transaction.atomic():
            return Response(work(), status=status)
    if len(key) > 200 or not key.isprintable():
        raise BadInput("Idempotency-Key", "use at most 200 printable characters")
    fingerprint = digest(canonical_json([request.method, request.path, request.data, *([] if also is None else [also])]))
    owner = person(request)
    IdempotencyKey.objects.filter(owner=owner, created__lt=timezone.now() - LIFETIME).delete()
    known = _answer(owner, key, fingerprint)
    if known is not None:
        return known
    try:
        with transaction.atomic():
            row = IdempotencyKey.objects.create(owner=owner, key=key, request_digest=fingerprint)
            answer = work()
            row.status = status
            row.response = answer.model_dump(mode="json", by_alias=True)
            row.save(update_fields=["status", "response"])
    except IntegrityError:
        known = _answer(owner, key, fingerprint)
        if known is None:
            raise
        return known
    return Response(answer, status=status)


def _answer(owner: Any, key: str, fingerprint: str) -> Response | None:
    row = IdempotencyKey.objects.filter(owner=owner, key=key).first()
    if row is None:
        return None
    if row.request_digest != fingerprint:
        message = "this Idempotency-Key came with another request before; use a new one"
        raise Problem(422, "idempotency_key_reused", message, field="Idempotency-Key")
    return Response(row.response, status=row.status, headers={"Idempotent-Replay": "true"})

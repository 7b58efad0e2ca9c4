"""Fields whose Python value is what the database's driver takes."""

from __future__ import annotations

from django.db.models import BooleanField, CharField, FloatField, IntegerField, TextField

PLAIN = (BooleanField, CharField, FloatField, IntegerField, TextField)

"""The migration that opens the finale's training in experiments stored with the former defaults filled in."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest
from django.apps import apps

from webapp.core.models import Experiment

MIGRATION: Any = import_module("webapp.core.migrations.0008_open_recipes")


@pytest.mark.django_db
def test_only_what_somebody_chose_stays(django_user_model: Any) -> None:
    owner = django_user_model.objects.create(username="owner")
    training = {**MIGRATION.FORMER, "epochs": 30}
    config = {"finale": {"finalists": 2, "training": training}}
    rows = [
        Experiment.objects.create(owner=owner, name=name, config=stored, space="cell", datasets=["digits"], objectives=[])
        for name, stored in (("chosen", config), ("none", {}))
    ]
    MIGRATION.open_recipes(apps, None)
    found = [Experiment.objects.get(pk=row.pk).config for row in rows]
    assert found == [{"finale": {"finalists": 2, "training": {"epochs": 30}}}, {}]

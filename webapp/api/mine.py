"""Which data sets are whose: a person's own are known to them alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

from search_engine.base.errors import BadInput
from search_engine.base.quoting import shown
from search_engine.catalogue import registry
from search_engine.datasets.base import DatasetEntry
from webapp.core.models import Dataset
from webapp.jobs import own_data

PREFIX = "own-"


def own_ids(user: Any) -> set[str]:
    """What experiments call the sets that a person has kept."""
    return own_data.registry_ids(user)


def own_entries(user: Any) -> dict[UUID, DatasetEntry]:
    """Those sets as the registry has them, by their rows' ids, newest first. One whose files are gone is left out."""
    kept = Dataset.objects.filter(owner=user, state=Dataset.State.READY, purpose=Dataset.Purpose.DATA)
    rows = kept.order_by("-created", "-id").values_list(
        "pk", "registry_id", "title"
    )
    found = ((pk, title, registry.known_dataset(name)) for pk, name, title in rows)
    # An equal set of somebody else may have given what is stored another title.
    return {pk: replace(entry, title=title) for pk, title, entry in found if entry is not None}


def dataset_of(user: Any, name: str) -> DatasetEntry:
    """A data set by its id. Raises BadInput(field "dataset") for one that does not exist, and likewise for somebody else's."""
    if name.startswith(PREFIX) and name not in own_ids(user):
        raise BadInput("dataset", f"you have no data set {shown(name)}; it may have been removed", code="unknown_id")
    return registry.dataset(name)

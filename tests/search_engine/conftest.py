"""`--algorithm ID`, `--space ID`, `--dataset ID`: of the tests that run for everything registered, those of one id."""

from __future__ import annotations

import pytest

from search_engine.catalogue import registry

ROOMS = {"algorithm": registry.algorithms, "space": registry.spaces, "dataset": registry.datasets}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves the tests of the chosen ids. Raises UsageError for an id that is not registered, with what was left out and why."""
    chosen = {room: config.getoption(room) for room in ROOMS if config.getoption(room)}
    if not chosen:
        return
    for room, id_ in chosen.items():
        known = ROOMS[room]()
        if id_ not in known:
            broken = [str(plugin) for plugin in registry.broken_plugins()]
            raise pytest.UsageError("\n".join([f"there is no {room} '{id_}'; there are: {', '.join(known)}", *broken]))
    kept = [item for item in items if _ids(item) & {(room, id_) for room, id_ in chosen.items()}]
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = kept


def _ids(item: pytest.Item) -> set[tuple[str, str]]:
    """What a test is about: the parameters `algorithm`, `space_id`, `dataset_id`."""
    parameters = getattr(getattr(item, "callspec", None), "params", {})
    return {(room, parameters[name]) for room in ROOMS for name in (room, f"{room}_id") if isinstance(parameters.get(name), str)}

"""Objects in place of ids: each becomes the id by which a run's config names it, and is known in this process from then on."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from search_engine.base.errors import BadInput
from search_engine.base.quoting import shown


def the_algorithm(given: Any) -> tuple[str, dict[str, Any]]:
    """(id, options) of an id, an entry, or the options of one algorithm (for example `DartsConfig(...)`)."""
    from search_engine.algorithms.base import AlgorithmConfig, AlgorithmEntry
    from search_engine.catalogue import registry

    if isinstance(given, str):
        return given, {}
    if isinstance(given, AlgorithmEntry):
        registry.bring(given)
        return given.id, {}
    if isinstance(given, AlgorithmConfig):
        own = [entry.id for entry in registry.algorithms().values() if entry.config is type(given)]
        if len(own) == 1:
            return own[0], given.model_dump(mode="json", exclude_unset=True)
        raise BadInput("algorithm", f"{type(given).__name__} holds the options of {' and '.join(own) or 'no algorithm'}: give the id")
    raise _strange("algorithm", given, "an id, an AlgorithmEntry, or the options of an algorithm")


def the_space(given: Any) -> tuple[str, dict[str, Any]]:
    """(id, options) of an id, an entry, a search space or its options; ("", {}) for None."""
    from search_engine.catalogue import registry
    from search_engine.spaces.base import SearchSpace, SpaceConfig, SpaceEntry

    if given is None:
        return "", {}
    if isinstance(given, str):
        return given, {}
    if isinstance(given, SpaceEntry):
        registry.bring(given)
        return given.id, {}
    if isinstance(given, SearchSpace):
        return registry.space(given.id).id, given.config.model_dump(mode="json")
    if isinstance(given, SpaceConfig):
        own = [entry.id for entry in registry.spaces().values() if entry.config is type(given)]
        if len(own) == 1:
            return own[0], given.model_dump(mode="json", exclude_unset=True)
        raise BadInput("space", f"{type(given).__name__} holds the options of {' and '.join(own) or 'no space'}: give the id")
    raise _strange("space", given, "an id, a SpaceEntry, or a SearchSpace")


def the_data(given: Any, target: str | None, choices: Mapping[str, Any] | None, *, quiet: bool) -> list[str]:
    """The ids of data sets. What is no data set yet (a file, a frame, arrays) is kept as one, as `data add` does: equal data with equal
    choices are the same set, whose split is fixed."""
    from search_engine.commands.data import is_file
    from search_engine.datasets.base import DatasetEntry
    from search_engine.datasets.own.findings import Manifest

    stored = given is None or isinstance(given, DatasetEntry | Manifest) or (isinstance(given, str) and not is_file(given))
    several = isinstance(given, list) and bool(given) and all(isinstance(item, str | DatasetEntry | Manifest) for item in given)
    if stored or several:
        if target is not None or choices:
            field = "target" if target is not None else "choices"
            raise BadInput(field, "it settles data that are read now: a file, a frame or arrays; a data set has it settled already")
        if given is None:
            return []
        return [name for item in (given if several else [given]) for name in _ids(item)]
    if isinstance(given, str | Path):
        return [_kept(Path(given), target, choices, quiet=quiet)]
    with tempfile.TemporaryDirectory(prefix="nascope-") as folder:
        path, own_target = _written(given, target, Path(folder))
        return [_kept(path, own_target, {"title": "given in Python", **(choices or {})}, quiet=quiet)]


def _ids(item: Any) -> list[str]:
    from search_engine.catalogue import registry
    from search_engine.datasets.base import DatasetEntry
    from search_engine.search.resources import forget_opened

    if isinstance(item, str):
        return [name for name in item.split(",") if name]
    if isinstance(item, DatasetEntry) and not item.own:
        if registry.known_dataset(item.id) is not item:
            # What was opened under this id is no longer what it stands for.
            forget_opened()
        registry.bring(item)
    return [item.id]


def _kept(path: Path, target: str | None, choices: Mapping[str, Any] | None, *, quiet: bool) -> str:
    from search_engine.catalogue.config import parse
    from search_engine.commands.data import import_file
    from search_engine.datasets.own.choices import Choices

    values = {**(choices or {}), **({} if target is None else {"target": target})}
    if not path.is_file():
        raise BadInput("data", f"there is no file {path}")
    made = import_file(str(path), parse("choices", Choices, values), quiet=quiet)
    if not quiet:
        for note in made.notices:
            print(f"note on the data: {note.message}", file=sys.stderr)
    return made.id


def _written(given: Any, target: str | None, folder: Path) -> tuple[Path, str | None]:
    """The file of a frame or of arrays, and the target in it."""
    if _is_frame(given):
        if target is None:
            raise BadInput("target", f"name the column that is to be predicted, one of: {', '.join(map(str, given.columns))[:300]}")
        return _write_frame(given, folder), str(target)
    if isinstance(given, tuple) and len(given) == 2 and _is_frame(given[0]):
        name = str(getattr(given[1], "name", None) or target or "target")
        if name in map(str, given[0].columns):
            raise BadInput("target", f"the inputs have a column {shown(name)} themselves: give the targets another name")
        return _write_frame(given[0].assign(**{name: _values(given[1], "y")}), folder), name
    parts = given if isinstance(given, Mapping) else {"": given}
    arrays = {}
    for part, pair in parts.items():
        if not isinstance(pair, Sequence) or isinstance(pair, str) or len(pair) != 2:
            wanted = "an id, a path, a pandas DataFrame with target=, arrays (X, y), or {'train': (X, y), 'test': (X, y)}"
            raise _strange("data", pair, wanted)
        for name, values in zip(("x", "y"), pair, strict=True):
            arrays[f"{name}_{part}" if part else name] = _values(values, name)
    return _write_arrays(arrays, folder), target


def _is_frame(given: Any) -> bool:
    """Whether it is a pandas DataFrame, without importing pandas for those who have none."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(given, pandas.DataFrame)


def _write_frame(frame: Any, folder: Path) -> Path:
    names = [str(name) for name in frame.columns]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise BadInput("data", f"two columns are called {shown(twice)}: give each a name of its own")
    path = folder / "frame.parquet"
    try:
        # The index numbers the rows; who wants to learn from it makes a column of it.
        frame.set_axis(names, axis=1).to_parquet(path, index=False)
    except (ValueError, TypeError, OverflowError, NotImplementedError) as error:
        raise BadInput("data", f"the frame has a column that cannot be kept ({' '.join(str(error).split())[:300]})") from error
    return path


def _values(given: Any, name: str) -> Any:
    import numpy as np

    try:
        values = np.asarray(given)
    except (ValueError, TypeError, RuntimeError) as error:
        raise BadInput("data", f"{name} is no array: {error}") from error
    return values.astype(str) if values.dtype == object else values


def _write_arrays(arrays: dict[str, Any], folder: Path) -> Path:
    import numpy as np

    path = folder / "arrays.npz"
    np.savez(path, **arrays)
    return path


def _strange(field: str, given: Any, wanted: str) -> BadInput:
    return BadInput(field, f"give {wanted}, not {type(given).__name__}")



"""Initial populations as files: kept by the run that had one first, read by any run that begins with it.

`population.json` in a run's folder is {"format": 1, "population": PopulationConfig, "individuals": {kind: [JSON, ...]}}. The digest is not
that of the file: it is what the search says of its population (`algorithms.trials.initial_population`), which compares the two before
the first trial.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ..base import checkpoint
from ..base.errors import BadInput
from ..base.population_config import PopulationConfig, counted
from .base import SearchSpace
from .genomes import canonical_json

FILE = "population.json"
FORMAT = 1
LARGEST = 200_000_000
"""Bytes of a file that is read."""
Individuals = dict[str, list[Any]]


def of_space(space: SearchSpace[Any], digest: str, individuals: Individuals) -> PopulationConfig:
    """What a config says of these individuals."""
    return PopulationConfig(
        digest=digest, space=space.id, space_options=space.config.model_dump(mode="json"), input=list(space.shape.input),
        outputs=space.shape.classes, sizes={kind: len(each) for kind, each in individuals.items()},
    )


def keep(config: PopulationConfig, individuals: Individuals, run_dir: Path) -> None:
    """Write the file, atomically. One that is there already stays: it is the same, or the run was given it."""
    if not (run_dir / FILE).is_file():
        text = canonical_json({"format": FORMAT, "population": config.model_dump(mode="json"), "individuals": individuals})
        checkpoint.write_bytes(run_dir / FILE, text.encode())


def read(path: Path) -> tuple[PopulationConfig, Individuals]:
    """Of a file, or of a run's folder. Raises BadInput (field "population") where there is none or it is of another form."""
    path = path / FILE if path.is_dir() else path
    try:
        if path.stat().st_size > LARGEST:
            raise BadInput("population", f"{path.name} has more than {LARGEST // 10**6} MB: that is no population of a run")
        content = json.loads(path.read_bytes())
    except OSError as error:
        raise BadInput("population", f"{path} cannot be read: {error.strerror or error}", code="unknown") from None
    except ValueError:
        raise BadInput("population", f"{path.name} is no JSON; give the {FILE} of a run's folder") from None
    try:
        if content["format"] != FORMAT:
            raise BadInput("population", f"{path.name} has the format {content['format']!r}; this version reads {FORMAT}")
        config, individuals = PopulationConfig.model_validate(content["population"]), content["individuals"]
        whole = {kind: len(each) for kind, each in individuals.items()} == config.sizes
    except (KeyError, TypeError, AttributeError, ValidationError):
        raise BadInput("population", f"{path.name} is no population; give the {FILE} of a run's folder") from None
    if not whole:
        raise BadInput("population", f"{path.name} does not hold the {config.in_words} that it says: it is damaged", code="damaged")
    return config, individuals


def place(path: Path, run_dir: Path) -> None:
    """Put that file, or that of that run's folder, where a run reads it. Raises BadInput (field "population")."""
    config, individuals = read(path)
    keep(config, individuals, run_dir)


def check_fits(given: PopulationConfig, space: SearchSpace[Any], wanted: dict[str, int] | None, title: str) -> None:
    """Raises BadInput (field "population") where a search of `space` that begins with `wanted` cannot begin with this one."""
    if wanted is None:
        raise BadInput("population", f"{title} does not begin with a population of its space", code="incompatible")
    own = of_space(space, given.digest, {kind: [] for kind in wanted})
    if given.space != own.space:
        raise BadInput("population", f"it is of the space '{given.space}', and this search is of '{own.space}'", code="incompatible")
    odd = [name for name, value in own.space_options.items() if given.space_options.get(name, value) != value]
    if odd:
        name = odd[0]
        raise BadInput(
            "population", f"it is of a space whose {name} is {given.space_options[name]!r}, and here it is {own.space_options[name]!r}: "
            "both must have the same space options", code="incompatible",
        )  # fmt: skip
    if (given.input, given.outputs) != (own.input, own.outputs):
        shapes = [f"{' x '.join(map(str, each.input))} with {each.outputs} outputs" for each in (given, own)]
        raise BadInput("population", f"its networks are for data of {shapes[0]}, and these are {shapes[1]}", code="incompatible")
    if given.sizes != wanted:
        raise BadInput(
            "population", f"it has {given.in_words}, and {title} begins with {counted(wanted)}: make the options equal", code="incompatible"
        )


class GivenPopulation:
    """The individuals of a config, read from the run's folder when first asked for."""

    def __init__(self, config: PopulationConfig, run_dir: Path | None) -> None:
        self.config = config
        self._run_dir = run_dir
        self._individuals: Individuals | None = None

    def individuals(self) -> Individuals:
        """Raises BadInput (field "population") where the file is gone or is another one."""
        if self._individuals is None:
            if self._run_dir is None:
                raise BadInput("population", "its individuals are not at hand")
            config, self._individuals = read(self._run_dir)
            if config.digest != self.config.digest:
                raise BadInput("population", "its file is not the one that the run was made with", code="changed_data")
        return self._individuals

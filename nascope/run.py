"""A run, finished or not, read from its folder."""

from __future__ import annotations

import atexit
import json
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from search_engine.base.errors import BadInput

if TYPE_CHECKING:
    import pandas
    from torch import nn

    from search_engine.catalogue.architectures import Architecture
    from search_engine.events import EventRecord

TRIAL_COLUMNS = ("number", "status", "string", "operator", "parents", "samples", "charged_samples", "reused_from", "hash", "reason")
"""Of `Run.trials`, beside one for each metric, which stand after `status`."""


@dataclass(frozen=True)
class Found:
    """An architecture that a run finished: one of its best, or a baseline beside them."""

    title: str
    architecture: Architecture
    metrics: dict[str, float]
    """`val_accuracy`, `test_accuracy`, ...: after the final training, each part scored once."""
    scores: dict[str, Any]
    """What the search, the validation part and the test part said, each with its unit, from how many it was selected, and how it was
    trained; None where there is no such score."""
    warnings: tuple[str, ...]
    """What makes the scores say less than they seem to."""
    model: Path | None
    """The folder of the download."""
    reason: str
    """Why there is none."""

    @property
    def string(self) -> str:
        """The architecture as its space writes it."""
        return self.architecture.string

    def __repr__(self) -> str:
        shown = [f"{split}_{name}" for split in ("val", "test") for name in ("accuracy", "r2")]
        figures = ", ".join(f"{name}={self.metrics[name]:.4g}" for name in (*shown, "reward") if name in self.metrics)
        return f"<{self.title}: {self.string[:120]}{f', {figures}' if figures else ''}>"


class Run:
    """A run in a folder, as `search`, `train` or the command line wrote it. Everything is read when it is first asked for.

    `trusted`: whether the code in its download may be run (`network`). `record`: what an exported file says of it (`archives.form`).
    """

    def __init__(self, folder: str | Path, *, trusted: bool = False, record: Any = None) -> None:
        """Raises BadInput(field "path") where the folder holds no run."""
        self.folder = Path(folder)
        self._trusted = trusted
        self._record = record
        if not (self.folder / "events.jsonl").is_file() and not (self.folder / "result.json").is_file():
            what = "holds no run (events.jsonl, result.json)" if self.folder.is_dir() else "is no folder that is there"
            raise BadInput("path", f"{self.folder} {what}", code="unknown")

    # ---------------------------------------------------------------- what came of it

    @cached_property
    def result(self) -> dict[str, Any]:
        """The content of result.json; {} while the run is not finished, and of one that a server ran: what it found is in its events."""
        path = self.folder / "result.json"
        if not path.is_file():
            return {}
        try:
            value = json.loads(path.read_bytes())
        except ValueError as error:
            raise BadInput("path", f"{path} is no JSON: {error}", code="damaged_data") from None
        if not isinstance(value, dict):
            raise BadInput("path", f"{path} is not of the form of a result", code="damaged_data")
        return value

    @cached_property
    def config(self) -> dict[str, Any]:
        """The run's config, complete; what result.json says of it where there is no checkpoint."""
        from search_engine.search.local_run import kept_config

        if self._record is not None:
            return dict(self._record.config)
        kept = kept_config(self.folder)
        names = ("algorithm", "options", "space", "datasets", "seed")
        return kept if kept is not None else {name: self.result[name] for name in names if name in self.result}

    @property
    def status(self) -> str:
        """`completed`, `failed`, `cancelled` (on a server), or `unfinished`: then it can go on."""
        return str(self.result.get("status") or getattr(self._record, "state", "unfinished"))

    @property
    def reason(self) -> str:
        """Why it ended."""
        return str(self.result.get("reason") or getattr(self._record, "reason", "it was left before its end"))

    @cached_property
    def found(self) -> list[Found]:
        """What was finished so far, best first; empty while nothing was."""
        return [self._found(item) for item in self._finished("finalist", "best")]

    @cached_property
    def baselines(self) -> list[Found]:
        """What was finished beside it for comparison, in the same way: random architectures, or the algorithm's own."""
        return [self._found(item) for item in self._finished("baseline", "baseline")]

    @property
    def best(self) -> Found:
        """The best one. Raises BadInput(field "run") where nothing was finished."""
        if not self.found:
            raise BadInput("run", f"{self.folder} has no finished architecture: {self.reason}")
        return self.found[0]

    @property
    def metrics(self) -> dict[str, float]:
        """Those of the best one; {} where nothing was finished."""
        return self.found[0].metrics if self.found else {}

    def _finished(self, role: str, name: str) -> list[dict[str, Any]]:
        """What result.json has under `name`; without one, what the events say of those finished networks."""
        if self.result:
            return list(self.result.get(name, []))
        scored: dict[int, Any] = {event.data.index: event.data for event in self.events("model")}  # type: ignore[union-attr]
        found = []
        for chosen in self._chosen:
            model = scored.get(chosen.index)
            if chosen.role != role or model is None:
                continue
            scores = {score.kind: score.model_dump(mode="json") for score in model.scores}
            place = next((place for place in (f"model/{chosen.index}", "model") if (self.folder / place / "manifest.json").is_file()), "")
            found.append({
                "title": chosen.title, "genome": chosen.genome, "string": chosen.string, "hash": chosen.genome_hash,
                "metrics": model.metrics, "scores": {kind: scores.get(kind) for kind in ("search", "validation", "test")},
                "warnings": model.warnings, "model": f"{place}/" if model.bundle and place else None,
                "model_reason": model.reason or ("" if place else "its download is not here"),
            })  # fmt: skip
        return found

    def _found(self, item: dict[str, Any]) -> Found:
        from search_engine.catalogue.architectures import Architecture
        from search_engine.spaces.genomes import Genome

        genome = Genome.from_json(item["genome"])
        architecture = Architecture(
            space=genome.space, genome=genome, string=item["string"], hash=item["hash"],
            space_options=self.config.get("space_options", {}), drawings=self._drawings.get(item["hash"], {}),
        )
        return Found(
            title=item["title"], architecture=architecture, metrics=item["metrics"], scores=item["scores"],
            warnings=tuple(item["warnings"]), model=self.folder / item["model"] if item["model"] else None, reason=item["model_reason"],
        )

    @cached_property
    def _chosen(self) -> list[Any]:
        """What went into the finale, in its order."""
        return [event.data for event in self.events("finalist")]

    @cached_property
    def _drawings(self) -> dict[str, Any]:
        return {chosen.genome_hash: chosen.graph for chosen in self._chosen}

    # ---------------------------------------------------------------- how it came about

    def events(self, kind: str = "") -> Iterator[EventRecord]:
        """What the run said, in order, only of one kind where that is named ("trial_told", "metrics", ...). A line that a kill cut short
        ends it. Raises BadInput(field "events") for a line that is no event."""
        from pydantic import ValidationError

        from search_engine.events import EventRecord

        path = self.folder / "events.jsonl"
        if not path.is_file():
            return
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if not line.endswith(b"\n"):
                    return
                if kind and f'"kind":"{kind}"'.encode() not in line:
                    continue
                try:
                    event = EventRecord.model_validate_json(line)
                except ValidationError as error:
                    problem = error.errors(include_url=False)[0]["msg"]
                    raise BadInput("events", f"line {number} of {path} is no event: {problem}", code="damaged_data") from None
                if not kind or event.kind == kind:
                    yield event

    @cached_property
    def trials(self) -> pandas.DataFrame:
        """One row for each trial that the search was told of, in that order; none for a search that moves one super-network."""
        import pandas

        born = {event.data.number: event.data for event in self.events("candidate_born")}  # type: ignore[union-attr]
        rows: list[dict[str, Any]] = []
        for event in self.events("trial_told"):
            told: Any = event.data
            candidate: Any = born.get(told.candidate)
            rows.append({
                "number": told.number, "status": told.status, **told.metrics,
                "string": getattr(candidate, "string", ""), "operator": getattr(candidate, "operator", ""),
                "parents": getattr(candidate, "parents", []), "samples": told.cost.samples, "charged_samples": told.charged_samples,
                "reused_from": told.reused_from, "hash": getattr(candidate, "genome_hash", ""), "reason": told.reason,
            })  # fmt: skip
        metrics = list(dict.fromkeys(name for row in rows for name in row if name not in TRIAL_COLUMNS))
        frame = pandas.DataFrame(rows, columns=[*TRIAL_COLUMNS[:2], *metrics, *TRIAL_COLUMNS[2:]])
        return frame.astype({"reused_from": "Int64"})

    # ---------------------------------------------------------------- going on

    @property
    def best_so_far(self) -> Architecture:
        """The best architecture that the search knew when it was left, finished or not, for `train`. Raises BadInput(field "run") where it
        knew none."""
        from search_engine.catalogue.architectures import Architecture
        from search_engine.spaces.genomes import Genome

        known: Any = None
        for event in self.events():
            if event.kind in ("incumbent", "derived"):
                known = event.data
        if known is None:
            raise BadInput("run", f"{self.folder} knows no architecture yet: {self.reason}")
        genome = Genome.from_json(known.genome)
        return Architecture(
            space=genome.space, genome=genome, string=known.string, hash=known.genome_hash,
            space_options=self.config.get("space_options", {}),
        )

    # ---------------------------------------------------------------- the model

    @property
    def bundle(self) -> Path | None:
        """The folder of the best one's download, with code, weights and scripts that run without NAScope; None where there is none, and
        `model_reason` says why."""
        return self.found[0].model if self.found else None

    @property
    def model_reason(self) -> str:
        """Why there is no model; empty where there is one."""
        return str(self.result.get("model_reason") or (self.found[0].reason if self.found else self.reason))

    @cached_property
    def network(self) -> nn.Module:
        """The best one as a torch module with its weights, ready to use (`eval`), which takes inputs as `preprocessing.json` of the
        download has them. Raises BadInput(field "network").

        Of a run of this process, or one that was opened as trusted, it is what model.py of the download makes. Of any other no code is run:
        the network is built anew and its weights are read, which some algorithms' own networks do not allow.
        """
        from .network import of_code, rebuilt

        if self.bundle is None:
            raise BadInput("network", f"{self.folder} has no model: {self.model_reason}")
        return of_code(self.bundle) if self._trusted else rebuilt(self.bundle)

    # ---------------------------------------------------------------- how it shows itself

    def _title(self) -> str:
        algorithm, space, seed = (self.config.get(name, "?") for name in ("algorithm", "space", "seed"))
        return f"{algorithm} on {', '.join(self.config.get('datasets', []))}, {space}, seed {seed}"

    def __repr__(self) -> str:
        best = f", {self.found[0]!r}" if self.found else ""
        return f"<Run {self._title()}, {self.status}{best}, in {self.folder}>"

    def _repr_html_(self) -> str:
        rows = []
        for item in (*self.found, *self.baselines):
            figures = ", ".join(
                f"{escape(score['name'])} {score['value']:.4f}" for score in item.scores.values() if score is not None
            )
            rows.append(f"<tr><td>{escape(item.title)}</td><td><code>{escape(item.string[:200])}</code></td><td>{figures}</td></tr>")
        end = f"{escape(self.status)} ({escape(self.reason)})"
        head = f"<p><b>{escape(self._title())}</b>: {end}, in <code>{escape(str(self.folder))}</code></p>"
        table = f"<table><tr><th></th><th>architecture</th><th>scores</th></tr>{''.join(rows)}</table>" if rows else ""
        notes = "".join(f"<p>{escape(sentence)}</p>" for sentence in (self.found[0].warnings if self.found else ()))
        return f"{head}{table}{notes}"


def open(path: str | Path, *, number: int = 0, into: str | Path | None = None, trusted: bool = False) -> Run:
    """The run in a folder that `search`, `train` or the command line wrote, finished or not; that of a result.json; or, of an exported file
    or a zip of such a folder, its run (of an experiment: run `number`, from 0), unpacked into the new folder `into`, by default one that
    goes with this process.

    `trusted`: that the code in its download may be run, see `Run.network`. Raises BadInput(field "path" or "number", or the name of a file
    that is damaged).
    """
    path = Path(path)
    if path.name == "result.json":
        path = path.parent
    if path.is_dir() or not path.is_file():
        return Run(path, trusted=trusted)
    from search_engine.archives.reading import unpack

    folder = _new_folder() if into is None else Path(into)
    if folder.exists():
        raise BadInput("into", f"{folder} is there already: name a new folder")
    try:
        unpacked = unpack(path, folder)
        runs = unpacked.manifest.runs
        if not 0 <= number < len(runs):
            raise BadInput("number", f"{path} holds {len(runs)} run{'s' if len(runs) > 1 else ''}: give 0 to {len(runs) - 1}")
    except BadInput:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return Run(folder / runs[number].folder, trusted=trusted, record=runs[number])


def _new_folder() -> Path:
    """One that is not there yet and is removed when the process ends."""
    above = tempfile.mkdtemp(prefix="nascope-")
    atexit.register(shutil.rmtree, above, ignore_errors=True)
    return Path(above) / "opened"

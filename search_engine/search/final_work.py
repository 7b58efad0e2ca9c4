"""One entrant of the finale as work: finish the network, visit the test split once, export the bundle, verify it in a fresh process.

From then on its score stands and the bundle is offered. What follows, the study of what can be removed, adds to the result and can take
nothing away from it.
"""

from __future__ import annotations

import copy
import logging
import shutil
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..algorithms.base import Finalist
from ..base import checkpoint
from ..base.generators import derive_seed
from ..base.lazy import load_object
from ..base.training_config import TrainingConfig
from ..catalogue.config import CheckedRun
from ..datasets.base import Samples
from ..events import Cost, Metrics, ModelScored, Notice
from ..spaces.genomes import Genome
from .finale import model_folder, open_test
from .resources import Resources
from .trial_work import genome_training
from .work import Progress, Work, WorkSpec

if TYPE_CHECKING:
    import torch

    from ..datasets.base import SearchData
    from ..redundancy.study import Study
    from ..training.joint import JointTrainer
    from ..training.trainer import Trainer

log = logging.getLogger(__name__)

STAGES = {
    "finish": "finishing", "test": "testing once", "export": "writing the download", "verify": "checking the download in a fresh process",
    "redundancy": "measuring what can be removed", "done": "finished",
}
"""The stages in their order, in words."""
STAGE_SHARE = 0.05
"""What each stage after the training counts in progress, as a share of the training: much less where it is long, more where it is a matter
of seconds."""


class FinalWork(Work):
    """Arguments: `genome`, `finish` (retrain or as_is), `role`, `value`, `domains`; the artefact holds the finalist's `init` arrays.

    A finalist of several data sets is one network, retrained on all of them together, tested once on each, and written as one bundle per
    data set, side by side in one folder.
    """

    def __init__(self, spec: WorkSpec, checked: CheckedRun, data_dir: Path, run_dir: Path) -> None:
        # Equal for every entrant, so that a baseline differs from the finalist by its genome alone.
        seed = derive_seed(checked.config.seed, "final")
        super().__init__(spec, seed)
        self.seed = seed
        self.resources = Resources(checked, data_dir)
        self.checked = checked
        self.run_dir = run_dir
        self.genome = Genome.from_json(spec.arguments["genome"])
        self.domains: list[int] = list(spec.arguments["domains"])
        self.initialised = not checked.space.initialiser
        self.stage = "finish"
        self.metrics: dict[str, float] = {}
        self.bundle_reason = ""
        self.footprint: dict[str, float] = {}
        self.staged = ""
        """Name of the exported bundle's folder under `_room`, unique to the process that wrote it."""
        self.network: torch.nn.Module | None = None
        self.trainer: Trainer | JointTrainer | None = None
        self.study: Study | None = None
        self._finisher_cost = Cost()

    # ---------------------------------------------------------------- work

    def _begin(self) -> None:
        from ..training import device

        self.device = device.resolve(self.checked.config.device)
        if self.spec.arguments["finish"] == "retrain":
            training = genome_training(self.checked.config.finale.training, self.resources.space, self.genome, {})
            build = load_object(self.checked.space.builder)
            self.network = build(self.resources.space, self.genome, "final", training)
            start = self._init()
            if start is not None:
                # A ticket is retrained from its own first weights, under its own mask.
                self.network.load_state_dict(start["network"])
            self.trainer = self._make_trainer(self.network, training)

    def _make_trainer(self, network: torch.nn.Module, training: TrainingConfig) -> Trainer | JointTrainer:
        options: dict[str, Any] = {"seed": self.seed, "device": self.device, "amp": self.checked.config.amp}
        if self._joint:
            from ..training.joint import JointTrainer

            return JointTrainer(network, [self.resources.data_of(domain) for domain in self.domains], training, **options)
        from ..training.trainer import Trainer

        return Trainer(network, self._data, training, **options)

    @property
    def _joint(self) -> bool:
        return len(self.domains) > 1

    @property
    def _data(self) -> SearchData:
        """Train and validation parts of the finalist's (first) data set."""
        return self.resources.data_of(self.domains[0])

    def _advance(self) -> None:
        getattr(self, f"_{self.stage}")()

    def _finish(self) -> None:
        if self.trainer is None:
            if self.spec.arguments["finish"] == "as_is":
                self._finish_as_is()
            self.stage = "export"
            return
        if not self.initialised:
            start = load_object(self.checked.space.initialiser)
            cost = start(self.network, self.genome, self.resources.space, self._data, self.trainer.config, self.seed, self.device)
            self._finisher_cost, self.initialised = cost or Cost(), True
            return
        self.trainer.advance()
        for report in self.trainer.epoch_reports():
            values = {name: float(value) for name, value in report.items() if name != "epoch" and value is not None}
            self.log.add(Metrics(step=int(report["epoch"]), samples=self.cost.samples, values=values), int(report["epoch"]))
        if self.trainer.finished:
            self.metrics = dict(self.trainer.metrics())
            self.stage = "test"

    def _finish_as_is(self) -> None:
        """The algorithm's own end (for example WANN's four numbers): one visit to the test split, inside the finisher."""
        finish = load_object(self.checked.algorithm.finisher)
        domains = tuple(self.domains)
        finalist = Finalist(genome=self.genome, finish="as_is", value=self.spec.arguments["value"], init=self._init(), domains=domains)
        test = open_test(self._samples(self.domains[0]))
        network, metrics, cost = finish(self.resources.space, finalist, self._data, test, self.seed, self.device)
        self.network, self.metrics, self._finisher_cost = network, metrics, cost

    def _init(self) -> dict[str, Any] | None:
        """The arrays that the finalist brought, if any."""
        if self.spec.artefact is None:
            return None
        arrays: dict[str, Any] = checkpoint.read(self.run_dir / self.spec.artefact, self.spec.arguments.get("artefact_digest"))
        return arrays

    def _test(self) -> None:
        from ..training.evaluation import evaluate

        assert self.network is not None
        # On the CPU, whatever trained it: the download repeats this score bit for bit where there may be no GPU.
        network = self.network.to("cpu")
        each = []
        for domain in self.domains:
            own = _for_domain(network, domain) if self._joint else network
            part, preprocessing = open_test(self._samples(domain)), self.resources.data_of(domain).preprocessing
            each.append(evaluate(own, part, preprocessing, "cpu", task=self.resources.space.task))
        for name in each[0]:
            self.metrics[f"test_{name}"] = sum(scores[name] for scores in each) / len(each)
            if self._joint:
                self.metrics |= {f"test_{name}_{place}": scores[name] for place, scores in enumerate(each, start=1)}
        self.stage = "export"

    def _export(self) -> None:
        from ..training.footprint import footprint

        if self.network is None:
            self.bundle_reason = "the algorithm gives no trained network"
            self._score()
            return
        size = footprint(self.network, self.resources.shapes[self.domains[0]].input)
        self.footprint = {"parameters": size.parameters, "flops": size.flops}
        if not self.checked.config.finale.export or self.spec.arguments["role"] != "finalist":
            self.bundle_reason = "only the best architecture is exported" if self.checked.config.finale.export else "export is switched off"
            self._score()
            return
        from ..bundle.errors import BundleError

        self.staged = uuid.uuid4().hex
        try:
            for place, domain in enumerate(self.domains):
                self._export_for(domain, place)
        except BundleError as error:
            self.bundle_reason = str(error)
            self._score()
            return
        self.stage = "verify"

    def _export_for(self, domain: int, place: int) -> None:
        """One bundle: the network as it is for one data set."""
        from ..bundle.export import export_bundle

        assert self.network is not None
        metrics, footprint = self.metrics, dict(self.footprint)
        network = self.network
        if self._joint:
            from ..training.footprint import footprint as measured

            network = _for_domain(network, domain)
            size = measured(network, self.resources.shapes[domain].input)
            footprint = {"parameters": size.parameters, "flops": size.flops}
            own = {name.removesuffix(f"_{place + 1}"): value for name, value in metrics.items() if name.endswith(f"_{place + 1}")}
            metrics = {**{name: value for name, value in metrics.items() if not name[-1].isdigit()}, **own}
        export_bundle(
            self._bundle_folders()[place],
            origin=self.checked,
            space=self.resources.space,
            genome=self.genome,
            network=network,
            data=self.resources.data_of(domain),
            domain=domain,
            test=open_test(self._samples(domain)),
            metrics=metrics,
            footprint=footprint,
            training=self.trainer.config if self.trainer is not None else None,
        )

    def _bundle_folders(self) -> list[Path]:
        """Where the bundles are staged, one per data set."""
        staged = self._room / self.staged
        if not self._joint:
            return [staged]
        return [staged / f"{domain + 1}-{self.checked.datasets[domain].id}" for domain in self.domains]

    def _verify(self) -> None:
        from ..bundle.verify import BundleError, verify_all

        folder = self._room / self.staged
        if not self.staged or not folder.is_dir():
            # It was placed, and a kill came before the commit: this repeats the work from its checkpoint.
            self.stage = "export"
            return
        try:
            verify_all(self._bundle_folders(), self.resources.data_dir)
        except BundleError as error:
            # A bundle whose score cannot be repeated is not offered; the run itself has its result.
            self.bundle_reason = str(error)
        self._score()

    @property
    def _room(self) -> Path:
        return self.run_dir / "staging" / str(self.spec.index)

    @property
    def bundle(self) -> Path | None:
        """The verified bundle's folder, until `place` moves it."""
        verified = self.staged and self._scored and not self.bundle_reason and self.failure is None
        return self._room / self.staged if verified else None

    @property
    def to_place(self) -> bool:
        return self.bundle is not None

    def place(self) -> None:
        """The bundle's folder becomes the run's `model`, and a zip beside it `model.zip`; what was there before goes."""
        if self.bundle is not None:
            target = self.run_dir / model_folder(self.checked, self.spec.index)
            target.parent.mkdir(parents=True, exist_ok=True)
            if target.exists():
                target.rename(self._room / f"{self.staged}.replaced")
            self.bundle.rename(target)
            archive = self._room / f"{self.staged}.zip"
            if archive.exists():
                archive.replace(target.with_name(f"{target.name}.zip"))
            self.staged = ""
        shutil.rmtree(self._room, ignore_errors=True)

    def _score(self) -> None:
        self.stage = "redundancy" if self._studied else "done"
        self.log.add(
            ModelScored(
                index=self.spec.index,
                role=self.spec.arguments["role"],
                genome_hash=self.resources.space.hash(self.genome),
                metrics=self.metrics,
                parameters=int(self.footprint["parameters"]) if self.footprint else None,
                flops=self.footprint.get("flops"),
                bundle=not self.bundle_reason,
                reason=self.bundle_reason,
            ),
            0,
        )

    @property
    def _scored(self) -> bool:
        """Whether the score is said: the result stands."""
        return self.stage in ("redundancy", "done")

    @property
    def _studied(self) -> bool:
        """Whether what can be removed is measured: of finalists on one data set."""
        wanted = self.checked.config.finale.redundancy and self.spec.arguments["role"] == "finalist"
        return wanted and self.network is not None and not self._joint

    def _redundancy(self) -> None:
        """One evaluation of the study of what can be removed, on validation data."""
        try:
            study = self._open_study()
            study.advance()
            if not study.finished:
                return
            self.log.add(study.report(), 0)
        except Exception as error:
            # The result stands without it: whatever goes wrong here is said and takes nothing back.
            log.exception("the study of %s failed", self.spec.source)
            reason = str(error) or type(error).__name__
            self.log.add(Notice(name="redundancy", message=f"what can be removed could not be measured: {reason}"), 0)
        self.stage = "done"

    def _open_study(self) -> Study:
        if self.study is None:
            from ..bundle.source import as_network
            from ..redundancy.study import Study

            assert self.network is not None
            network = as_network(copy.deepcopy(self.network).cpu().eval())
            self.study = Study(network, self._data, self.resources.space.task, self.seed)
        return self.study

    def _samples(self, domain: int) -> Samples:
        dataset = self.resources.dataset_of(domain)
        assert isinstance(dataset, Samples)
        return dataset

    def _done(self) -> bool:
        return self.stage == "done"

    @property
    def cost(self) -> Cost:
        cost = self._finisher_cost
        for part in (self.trainer, self.study):
            cost = cost if part is None else cost.plus(part.cost)
        return cost

    def outcome(self) -> dict[str, Any]:
        common = {"cost": self.cost.model_dump(), "seconds": self.seconds}
        if self.failure is not None:
            return {
                "status": "failed",
                "reason": self.failure.reason,
                "metrics": {},
                "bundle": False,
                "bundle_reason": self.failure.reason,
                **common,
            }
        return {
            "status": "completed",
            "reason": "",
            "metrics": self.metrics,
            "bundle": not self.bundle_reason,
            "bundle_reason": self.bundle_reason,
            "footprint": self.footprint,
            **common,
        }

    def standing(self) -> dict[str, Any] | None:
        return self.outcome() if self._scored and self.failure is None else None

    def progress(self) -> Progress:
        """In optimiser steps, where there is training; every later stage counts as a share of them."""
        steps = self.trainer.steps_total if self.trainer is not None else 1
        each = STAGE_SHARE * steps
        total, text = steps + each * (len(STAGES) - 2), STAGES[self.stage]
        if self.stage == "finish":
            done = self.trainer.steps_done if self.trainer is not None else 0
            return Progress(done, total, f"training, step {done} of {steps}" if self.trainer is not None else text)
        passed: float = list(STAGES).index(self.stage) - 1
        if self.stage == "redundancy":
            passed += self.study.done / self.study.total if self.study is not None else 0
            text = text if self.bundle_reason else f"the download is ready; {text}"
        return Progress(steps + each * passed, total, text)

    # ---------------------------------------------------------------- state

    def _state(self) -> dict[str, Any]:
        return {
            "stage": self.stage,
            "metrics": self.metrics,
            "bundle_reason": self.bundle_reason,
            "footprint": self.footprint,
            # A commit after the score places the bundle: then nothing is staged any more.
            "staged": "" if self._scored else self.staged,
            "initialised": self.initialised,
            "finisher_cost": self._finisher_cost.model_dump(),
            "study": self.study.state_dict() if self.study is not None else None,
            "trainer": self.trainer.state_dict() if self.trainer is not None else None,
        }

    def _load(self, state: dict[str, Any]) -> None:
        if state["stage"] != "finish" and self.spec.arguments["finish"] == "as_is":
            # The finisher's network is not kept: it is made again, which gives the same one.
            self._finish_as_is()
        for name in ("stage", "metrics", "bundle_reason", "footprint", "initialised"):
            setattr(self, name, state[name])
        self.staged = state.get("staged", "")
        self._finisher_cost = Cost.model_validate(state["finisher_cost"])
        if self.trainer is not None:
            self.trainer.load_state_dict(state["trainer"])
        if state["study"] is not None:
            self._open_study().load_state_dict(state["study"])


def _for_domain(network: torch.nn.Module, domain: int) -> torch.nn.Module:
    """A network of several data sets as it is for one of them."""
    own: torch.nn.Module = network.for_domain(domain)  # type: ignore[operator]
    return own

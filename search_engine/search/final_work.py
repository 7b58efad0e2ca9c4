"""One entrant of the finale as work: finish the network, score it once on the test split, export the bundle, verify it in a fresh process.

What finishes a network by an algorithm's own rule is given no test row: it gives a network and a scorer, and this module opens the split,
hands it to the scorer, and sees to it that scoring changed nothing.

From then on its score stands and the bundle is offered. What follows, the study of what can be removed, adds to the result and can take
nothing away from it.
"""

from __future__ import annotations

import copy
import hashlib
import json
import logging
import shutil
import time
import uuid
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ..algorithms.base import Finalist, Finished
from ..base import checkpoint
from ..base.errors import TrialFailure
from ..base.generators import derive_seed
from ..base.lazy import load_object
from ..base.training_config import TrainingConfig
from ..catalogue.config import CheckedRun
from ..datasets.base import Array, Part, Samples
from ..datasets.both_parts import both_parts
from ..datasets.review import overlap
from ..events import Assessment, ClassScores, Cost, Fidelity, Metrics, ModelScored, Notice, PartAssessment, Score
from ..scoring.assessing import Given, assess
from ..scoring.metrics import of_task, with_ranked
from ..scoring.rules import measure
from ..scoring.simple_models import simple_models
from ..spaces.genomes import Genome
from .doubts import beside_simple_models, doubts
from .finale import latency_file, model_folder
from .judging import Judging, Look
from .resources import Resources
from .scores import finished_scores, of_trial
from .sealed import open_test
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
SPLITS: tuple[Literal["val", "test"], ...] = ("val", "test")

STAGE_SHARE = 0.05
"""What each stage after the training counts in progress, as a share of the training: much less where it is long, more where it is a matter
of seconds."""


class FinalWork(Work):
    """Arguments: `genome`, `finish` (retrain or as_is), `role`, `value`, `search` (the search's score, one or none), `domains`; the
    artefact holds the finalist's `init` arrays.

    A finalist of several data sets is one network, retrained on all of them together, tested once on each, and written as one bundle per
    data set, side by side in one folder.
    """

    def __init__(self, spec: WorkSpec, checked: CheckedRun, data_dir: Path, run_dir: Path) -> None:
        # Equal for every entrant, so that a baseline differs from the finalist by its genome alone.
        seed = derive_seed(checked.config.seed, "final")
        super().__init__(spec, seed)
        self.seed = seed
        self.resources = Resources(checked, data_dir, run_dir)
        self.checked = checked
        self.run_dir = run_dir
        self.genome = Genome.from_json(spec.arguments["genome"])
        self.domains: list[int] = list(spec.arguments["domains"])
        self.initialised = not checked.space.initialiser
        self._both: SearchData | None = None
        self.stage = "finish"
        self.metrics: dict[str, float] = {}
        self.scores: list[Score] = [Score.model_validate(item) for item in spec.arguments["search"]]
        self.by_class: list[ClassScores] = []
        self.warnings: list[str] = []
        self.assessment: Assessment | None = None
        """What stands beside the scores; None until it is scored, and where its answers cannot be looked at."""
        self.calibrations: dict[int, dict[str, Any]] = {}
        """What its probabilities are worth on the test part, by data set; for the download and its page alone."""
        self.visits = 0
        self.finished_as_is: Finished | None = None
        self.bundle_reason = ""
        self.footprint: dict[str, float] = {}
        self.staged = ""
        """Name of the exported bundle's folder under `_room`, unique to the process that wrote it."""
        self.network: torch.nn.Module | None = None
        self.trainer: Trainer | JointTrainer | None = None
        self.study: Study | None = None
        self.latency: dict[str, Any] | None = None
        """Never science, and never in a state: it is measured again where the work is."""
        self.judging: Judging | None = None
        """The scoring, while it is under way."""
        self._before = ""
        """Digest of the network before it was scored."""
        self._tests: dict[int, Part] = {}
        """The test parts, by domain, while the network is scored."""
        self.ended_early = ""
        """Where the training was ended by its bound in seconds: after how many steps."""
        self._finisher_cost = Cost()
        self.spent: dict[str, float] = {}
        """Seconds of each stage so far: what later forecasts learn from. Never science."""

    # ---------------------------------------------------------------- work

    def advance(self) -> None:
        stage, started = self.stage, time.perf_counter()
        super().advance()
        self.spent[stage] = self.spent.get(stage, 0.0) + time.perf_counter() - started

    def _begin(self) -> None:
        from ..training import device

        self.device = device.resolve(self.checked.config.device)
        if self.spec.arguments["finish"] == "retrain":
            self.network, training = self._fresh()
            self.trainer = self._make_trainer(self.network, training)

    def _fresh(self) -> tuple[torch.nn.Module, TrainingConfig]:
        """The network as its training begins, and that training."""
        training = genome_training(self.checked.finale_training, self.resources.space, self.genome, {})
        network: torch.nn.Module = load_object(self.checked.space.builder)(self.resources.space, self.genome, "final", training)
        start = self._init()
        if start is not None:
            # A ticket is retrained from its own first weights, under its own mask.
            network.load_state_dict(start["network"])
        return network, training

    @property
    def network_seed(self) -> int:
        """By which the network that is trained now is made and trained."""
        return self.seed

    def _make_trainer(
        self, network: torch.nn.Module, training: TrainingConfig, seed: int | None = None
    ) -> Trainer | JointTrainer:
        """`seed`: None = that of the network that is trained now."""
        seed = self.network_seed if seed is None else seed
        options: dict[str, Any] = {"seed": seed, "device": self.device, "amp": self.checked.config.amp}
        if self._joint:
            from ..training.joint import JointTrainer

            return JointTrainer(network, [self._data_of(domain) for domain in self.domains], training, **options)
        from ..training.trainer import Trainer

        return Trainer(network, self._data, training, objective=self.checked.objective, **options)

    @property
    def _joint(self) -> bool:
        return len(self.domains) > 1

    @property
    def _data(self) -> SearchData:
        """Train and validation parts of the finalist's (first) data set."""
        return self._data_of(self.domains[0])

    def _data_of(self, domain: int) -> SearchData:
        """Those of one data set; where both are trained on, as one training part and an empty validation part."""
        data = self.resources.data_of(domain)
        if self.checked.config.finale.train_on == "train":
            return data
        if self._both is None:
            self._both = both_parts(data)
        return self._both

    def _advance(self) -> None:
        getattr(self, f"_{self.stage}")()

    def _finish(self) -> None:
        if self.trainer is None:
            if self.spec.arguments["finish"] == "as_is":
                self._finish_as_is()
            self.stage = "test" if self.finished_as_is is not None else "export"
            return
        if not self.initialised:
            start = load_object(self.checked.space.initialiser)
            cost = start(self.network, self.genome, self.resources.space, self._data, self.trainer.config, self.network_seed, self.device)
            self._finisher_cost, self.initialised = cost or Cost(), True
            return
        self.trainer.advance()
        self._end_in_time(self.trainer)
        for report in self.trainer.epoch_reports():
            values = {name: float(value) for name, value in report.items() if name != "epoch" and value is not None}
            epoch = self._epoch(int(report["epoch"]))
            self.log.add(Metrics(step=epoch, samples=self.cost.samples, values=values), epoch)
        if self.trainer.finished:
            self._trained(self.trainer)

    def _epoch(self, epoch: int) -> int:
        """The step under which the figures of an epoch are said."""
        return epoch

    def _trained(self, trainer: Trainer | JointTrainer) -> None:
        """After the last step of a training."""
        self.metrics = dict(trainer.metrics())
        self.stage = "test"

    def _end_in_time(self, trainer: Trainer | JointTrainer) -> None:
        """End the training where it has used up its seconds."""
        bound = self.checked.config.finale.seconds
        if bound is None or self._seconds_of_training < bound or trainer.finished:
            return
        trainer.end_early()
        steps = f"{trainer.steps_done:,} of {trainer.steps_total:,} steps"
        self.ended_early = f"ended after {steps}, when its {bound:g} s (finale.seconds) were used up"
        self.log.add(Notice(name="ended_early", message=f"the final training {self.ended_early}"), trainer.steps_done)

    @property
    def _seconds_of_training(self) -> float:
        return self.seconds

    def _finish_as_is(self) -> None:
        """The algorithm's own end (for example WANN's four numbers)."""
        finish = load_object(self.checked.algorithm.finisher)
        domains = tuple(self.domains)
        finalist = Finalist(genome=self.genome, finish="as_is", value=self.spec.arguments["value"], init=self._init(), domains=domains)
        finished: Finished = finish(self.resources.space, finalist, self._data, self.seed, self.device)
        self.finished_as_is, self.network, self._finisher_cost = finished, finished.network, finished.cost

    def _init(self) -> dict[str, Any] | None:
        """The arrays that the finalist brought, if any."""
        if self.spec.artefact is None:
            return None
        arrays: dict[str, Any] = checkpoint.read(self.run_dir / self.spec.artefact, self.spec.arguments.get("artefact_digest"))
        return arrays

    def _test(self) -> None:
        if self.judging is None:
            self.judging = self._open_judging()
            self._before = _digest(self.network)
        self.judging.advance()
        if not self.judging.finished:
            return
        if _digest(self.network) != self._before:
            raise TrialFailure("scoring changed the network: the scorer of a finisher must leave it as it is")
        judging, self.judging = self.judging, None
        self._judged_by(judging)

    def _judged_by(self, judging: Judging) -> None:
        """What follows from the answers of a network that is tested."""
        if self.finished_as_is is not None:
            self._score_as_is(self.finished_as_is, judging)
        else:
            self._score_retrained(judging)
        self.warnings = []
        for domain, test in self._tests.items():
            self.warnings += [*self.resources.review_of(domain), *overlap(self._data_of(domain), test)]
        self.warnings += doubts(self.resources.space.task, self.metrics, self.by_class)
        self._assess(judging)
        self._calibrate(judging)
        self._tests = {}
        self.stage = "export"

    def _open_judging(self) -> Judging:
        """What is to be scored: what there is to say of the whole, then what the accuracies hide, of both parts of every data set."""
        if self.network is not None:
            # On the CPU, whatever trained it: the download repeats this score bit for bit where there may be no GPU.
            self.network = self.network.to("cpu")
        self._tests = {domain: self._open_test(domain) for domain in self.domains}
        self.visits = len(self._tests)
        finished, network, task = self.finished_as_is, self.network, self.resources.space.task
        by_class = network is not None and task == "classification"
        collect = network is not None and bool(of_task(task))
        looks, again = [], []
        for place, (domain, test) in enumerate(self._tests.items()):
            data = self._data_of(domain)
            own = _for_domain(network, domain) if network is not None and self._joint else network
            parts: list[tuple[Literal["val", "test"], Part]] = [("val", data.validation), ("test", test)]
            parts = [(split, part) for split, part in parts if len(part)]
            if finished is not None:
                looks += [Look(split, place, part, data, scorer=partial(finished.score, split, part)) for split, part in parts]
            else:
                looks.append(Look("test", place, test, data, own, task=task, by_class=by_class, collect=collect))
                # Its answers are counted on the way.
                parts = parts[:-1]
            if collect:
                again += [Look(split, place, part, data, own, task=task, by_class=by_class, collect=True) for split, part in parts]
        return Judging([*looks, *again])

    def _open_test(self, domain: int) -> Part:
        """The test part of one data set, read from the files that the run began with."""
        self.resources.look_again()
        part = open_test(self._samples(domain))
        # The files may have changed while they were read.
        self.resources.look_again()
        self._samples(domain)
        return self._samples(domain).prepared(part, self._data_of(domain))

    def _score_as_is(self, finished: Finished, judging: Judging) -> None:
        """The scorer's figures on the validation part, and on the one test part."""
        self.metrics = dict(finished.figures)
        scored = [(look, figures) for look, figures in zip(judging.looks, judging.figures, strict=True) if look.scorer is not None]
        drawn: dict[Literal["val", "test"], dict[str, Array]] = {}
        for look, figures in scored:
            drawn[look.split] = {name: value for name, value in figures.items() if isinstance(value, np.ndarray)}
            self.metrics |= {f"{look.split}_{name}": value for name, value in figures.items() if name not in drawn[look.split]}
        if finished.report is not None:
            # At a step of its own: the report on what can be removed, which comes later, is the only one of its step.
            self.log.add(finished.report(drawn), 1)
        self._by_objective(judging)
        self._finisher_cost = finished.cost.plus(Cost(forward=finished.passes * sum(len(look.part) for look, _ in scored)))
        self._look_at_classes(judging)
        self.scores += finished_scores(
            self.checked, self.metrics, Fidelity(text=finished.fidelity), task=self.resources.space.task
        )

    def _own_answers(self, judging: Judging) -> dict[tuple[int, Literal["val", "test"]], Given]:
        """By data set and part: what the network answered, where that was kept."""
        found = {}
        for look, outputs, counts in zip(judging.looks, judging.answers, judging.counts, strict=True):
            if outputs is not None:
                found[look.place, look.split] = Given(look.part, outputs, counts)
        return found

    def _by_objective(self, judging: Judging) -> None:
        """The metrics of both parts, where the run is ranked by one that its config names: one data set, by the check."""
        objective = self.checked.objective
        for (_, split), given in self._own_answers(judging).items() if objective else ():
            units = self._data.in_own_units
            found = measure(self.resources.space.task, units(given.outputs), units(given.part.labels), self._data.class_names)
            figures = {f"{split}_{name}": value for name, value in with_ranked(found.values, objective).items()}
            self.metrics = {**figures, **self.metrics}

    def _assess(self, judging: Judging) -> None:
        """What stands beside the scores: every metric beside those of simple models, fitted on the part that it was trained on."""
        answers = self._own_answers(judging)
        parts: list[PartAssessment] = []
        training = self.trainer.config if self.trainer is not None else None
        finalist = self.spec.arguments["role"] == "finalist"
        for place, domain in enumerate(self.domains):
            data = self._data_of(domain)
            given = {split: answers[place, split] for split in SPLITS if (place, split) in answers}
            if not given:
                continue
            simple = []
            if finalist:
                used = training.train_examples if training is not None else 0
                weights = training.class_weights if training is not None else self.checked.config.training.class_weights
                simple = simple_models(data, used, weights == "balanced")
            parts += assess(data, given, simple, domain, shown=finalist)
        if parts:
            self.assessment = Assessment(
                index=self.spec.index, role=self.spec.arguments["role"], parts=parts, warnings=beside_simple_models(parts)
            )
            self.log.add(self.assessment, 0)

    def _calibrate(self, judging: Judging) -> None:
        """From the answers of the one visit to the test part; where there are classes."""
        from ..training.calibration import calibration

        if self.resources.space.task != "classification":
            return
        answers = self._own_answers(judging)
        for place, domain in enumerate(self.domains):
            given = answers.get((place, "test"))
            if given is not None:
                self.calibrations[domain] = calibration(given.outputs, given.part.labels)

    def _score_retrained(self, judging: Judging) -> None:
        assert self.trainer is not None
        each = judging.figures[: len(self.domains)]
        for name in each[0]:
            self.metrics[f"test_{name}"] = sum(scores[name] for scores in each) / len(each)
            if self._joint:
                self.metrics |= {f"test_{name}_{place}": scores[name] for place, scores in enumerate(each, start=1)}
        self._by_objective(judging)
        self._look_at_classes(judging)
        self.scores += finished_scores(
            self.checked, self.metrics, self._fidelity(self.trainer), task=self.resources.space.task, data_sets=len(self.domains),
            kept_best_of=self._kept_best_of(self.trainer),
        )

    def _fidelity(self, trainer: Trainer | JointTrainer) -> Fidelity:
        """How the network that is tested was trained, in words too."""
        fidelity = of_trial(trainer.config, self.resources.space, self.genome, trainer.cost.samples)
        text, epochs = fidelity.text, fidelity.epochs
        if self.checked.config.finale.train_on != "train":
            text = f"{text}, on the training and the validation part"
        if self.ended_early:
            text, epochs = f"{text}, {self.ended_early}", None
        if self.spec.artefact is not None:
            text = f"{text}, from weights that the search left it"
        return fidelity.model_copy(update={"text": text, "epochs": epochs})

    def _kept_best_of(self, trainer: Trainer | JointTrainer) -> int:
        """Of how many networks the validation score is the best: those of the epochs, where the best of them was kept."""
        return max(1, trainer.epochs_done) if trainer.config.early_stop else 1

    def _look_at_classes(self, judging: Judging) -> None:
        """What the accuracies hide, of both parts of every data set, where there are classes."""
        from ..training.by_class import class_scores

        counted = {
            (look.place, look.split): counts for look, counts in zip(judging.looks, judging.counts, strict=True) if counts is not None
        }
        if not counted:
            return
        for place, domain in enumerate(self.domains):
            names = self._data_of(domain).class_names
            self.by_class += [class_scores(counted[place, split], split, names, domain) for split in SPLITS if (place, split) in counted]
        for split in dict.fromkeys(item.split for item in self.by_class):
            own_split = [item for item in self.by_class if item.split == split]
            for name in ("balanced_accuracy", "macro_f1"):
                values = [getattr(item, name) for item in own_split]
                self.metrics[f"{split}_{name}"] = sum(values) / len(values)
                if self._joint:
                    self.metrics |= {f"{split}_{name}_{place}": value for place, value in enumerate(values, start=1)}

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
            metrics = _of_place(metrics, place, len(self.domains))
        export_bundle(
            self._bundle_folders()[place],
            origin=self.checked,
            space=self.resources.space,
            genome=self.genome,
            network=network,
            data=self._data_of(domain),
            domain=domain,
            test=self._open_test(domain),
            data_files=self.resources.files_of(domain),
            metrics=metrics,
            scores=self._scores_of(place),
            by_class=[item for item in self.by_class if item.domain == domain],
            warnings=self.warnings,
            calibration=self.calibrations.get(domain),
            footprint=footprint,
            training=self.trainer.config if self.trainer is not None else None,
        )

    def _scores_of(self, place: int) -> list[Score]:
        """The scores as they are for one of several data sets."""
        if not self._joint:
            return self.scores
        own = [(item, self.metrics.get(f"{item.metric}_{place + 1}")) for item in self.scores]
        return [
            item.model_copy(update={"value": value, "data_sets": 1, "name": item.name.partition(", mean of")[0]})
            for item, value in own
            if value is not None
        ]

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
        else:
            self._measure_latency()
        self._score()

    def _measure_latency(self) -> None:
        """How fast it answers here, for its page; no part of the result."""
        from ..bundle.latency import MANY, latency
        from ..bundle.source import as_network
        from ..training.batches import DevicePart

        assert self.network is not None
        network = _for_domain(self.network, self.domains[0]) if self._joint else self.network
        data = self._data
        part = DevicePart(data.validation if len(data.validation) else data.train, data.preprocessing, "cpu", MANY)
        self.latency = latency(as_network(copy.deepcopy(network).cpu().eval()), part.normalise(part.raw))

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
        """The bundle's folder becomes the run's `model`; what was there before goes."""
        if self.bundle is not None:
            target = self.run_dir / model_folder(self.checked, self.spec.index)
            target.parent.mkdir(parents=True, exist_ok=True)
            if target.exists():
                target.rename(self._room / f"{self.staged}.replaced")
            self.bundle.rename(target)
            if self.latency is not None:
                beside = self.run_dir / latency_file(model_folder(self.checked, self.spec.index))
                beside.write_text(json.dumps(self.latency) + "\n", encoding="utf-8")
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
                scores=self.scores,
                by_class=self.by_class,
                warnings=self.warnings,
                visits=self.visits,
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
        """Whether what can be removed is measured: of finalists on one data set that keeps validation examples to measure it on."""
        wanted = self.checked.config.finale.redundancy and self.spec.arguments["role"] == "finalist"
        return wanted and self.network is not None and not self._joint and len(self._data.validation) > 0

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
                "scores": self.spec.arguments["search"],
                "by_class": [],
                "warnings": [],
                "assessment": None,
                "visits": self.visits,
                "bundle": False,
                "bundle_reason": self.failure.reason,
                **common,
            }
        return {
            "status": "completed",
            "reason": "",
            "metrics": self.metrics,
            **self._judged(),
            "bundle": not self.bundle_reason,
            "bundle_reason": self.bundle_reason,
            "footprint": self.footprint,
            "ended_early": self.ended_early,
            **common,
        }

    def _judged(self) -> dict[str, Any]:
        return {
            "scores": [item.model_dump() for item in self.scores],
            "by_class": [item.model_dump() for item in self.by_class],
            "warnings": list(self.warnings),
            "assessment": None if self.assessment is None else self.assessment.model_dump(mode="json"),
            "visits": self.visits,
        }

    def standing(self) -> dict[str, Any] | None:
        return self.outcome() if self._scored and self.failure is None else None

    def progress(self) -> Progress:
        """In optimiser steps, where there is training; every later stage counts as a share of them."""
        steps, done = self._steps
        each = STAGE_SHARE * steps
        total, text = steps + each * (len(STAGES) - 2), STAGES[self.stage]
        if self.stage == "finish":
            return Progress(done, total, self._training_in_words() if self.trainer is not None else text)
        passed: float = list(STAGES).index(self.stage) - 1
        if self.stage == "redundancy":
            passed += self.study.done / self.study.total if self.study is not None else 0
            text = text if self.bundle_reason else f"the download is ready; {text}"
        return Progress(steps + each * passed, total, text)

    @property
    def _steps(self) -> tuple[int, int]:
        """Optimiser steps of all training, and those that are done."""
        return (1, 0) if self.trainer is None else (self.trainer.steps_total, self.trainer.steps_done)

    def _training_in_words(self) -> str:
        steps, done = self._steps
        return f"training, step {done} of {steps}"

    # ---------------------------------------------------------------- state

    def _state(self) -> dict[str, Any]:
        judged = self._judged()
        if self.assessment is None:
            del judged["assessment"]
        return {
            "stage": self.stage,
            "metrics": self.metrics,
            **judged,
            **({"calibrations": {str(domain): found for domain, found in self.calibrations.items()}} if self.calibrations else {}),
            "bundle_reason": self.bundle_reason,
            "footprint": self.footprint,
            # A commit after the score places the bundle: then nothing is staged any more.
            "staged": "" if self._scored else self.staged,
            "initialised": self.initialised,
            "ended_early": self.ended_early,
            "finisher_cost": self._finisher_cost.model_dump(),
            "study": self.study.state_dict() if self.study is not None else None,
            "trainer": self.trainer.state_dict() if self.trainer is not None else None,
            "spent": dict(self.spent),
            # While it is under way; the form of a state before and after is what it was before scoring had steps of its own.
            **({} if self.judging is None else {"judging": self.judging.state_dict(), "before": self._before}),
        }

    def _load(self, state: dict[str, Any]) -> None:
        if state["stage"] != "finish" and self.spec.arguments["finish"] == "as_is":
            # The finisher's network is not kept: it is made again, which gives the same one.
            self._finish_as_is()
        for name in ("stage", "metrics", "warnings", "visits", "bundle_reason", "footprint", "initialised"):
            setattr(self, name, state[name])
        self.scores = [Score.model_validate(item) for item in state["scores"]]
        self.by_class = [ClassScores.model_validate(item) for item in state["by_class"]]
        kept = state.get("assessment")
        self.assessment = None if kept is None else Assessment.model_validate(kept)
        self.calibrations = {int(domain): found for domain, found in state.get("calibrations", {}).items()}
        self.staged = state["staged"]
        self.spent = dict(state["spent"])
        self.ended_early = state["ended_early"]
        self._finisher_cost = Cost.model_validate(state["finisher_cost"])
        if self.trainer is not None:
            self.trainer.load_state_dict(state["trainer"])
        if "judging" in state:
            self.judging, self._before = self._open_judging(), state["before"]
            self.judging.load_state_dict(state["judging"])
        if state["study"] is not None:
            self._open_study().load_state_dict(state["study"])


def _digest(network: torch.nn.Module | None) -> str:
    """Of all weights and buffers; empty where there is no network."""
    digest = hashlib.sha256()
    for name, value in sorted((network.state_dict() if network is not None else {}).items()):
        digest.update(name.encode())
        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def _of_place(metrics: dict[str, float], place: int, places: int) -> dict[str, float]:
    """Figures of several data sets (`val_accuracy_2` is the second's, `val_accuracy` the mean) as they are for one of them.

    >>> _of_place({"test_r2": 0.5, "test_r2_1": 0.4, "test_r2_2": 0.6, "test_macro_f1": 0.7}, 1, 2)
    {'test_macro_f1': 0.7, 'test_r2': 0.6}
    """
    several = [name for name in metrics if f"{name}_1" in metrics]
    numbered = {f"{name}_{number}" for name in several for number in range(1, places + 1)}
    shared = {name: value for name, value in metrics.items() if name not in several and name not in numbered}
    return {**shared, **{name: metrics[f"{name}_{place + 1}"] for name in several if f"{name}_{place + 1}" in metrics}}


def _for_domain(network: torch.nn.Module, domain: int) -> torch.nn.Module:
    """A network of several data sets as it is for one of them."""
    own: torch.nn.Module = network.for_domain(domain)  # type: ignore[operator]
    return own

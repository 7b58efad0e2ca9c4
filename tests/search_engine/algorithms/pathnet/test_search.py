"""PathNet: what is frozen stands still to the bit, nothing is forgotten, everything else starts anew; stops, controls, frames, reloads."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
import torch

from search_engine.algorithms import pathnet
from search_engine.algorithms.pathnet import kept_weights
from search_engine.algorithms.pathnet.controls import CONTROLS, FineTune, FromScratch, WidthControl
from search_engine.algorithms.pathnet.finishing import finish, network_of
from search_engine.algorithms.pathnet.search import PathNetConfig, PathNetTask
from search_engine.base.checkpoint import pack, unpack
from search_engine.base.errors import BadInput, TrialFailure
from search_engine.base.observation import observed
from search_engine.catalogue import registry
from search_engine.catalogue.config import check, parse
from search_engine.datasets.base import SearchData
from search_engine.datasets.digits import Digits, DigitsConfig
from search_engine.search.sealed import open_test
from search_engine.training.evaluation import evaluate
from tests.search_engine.algorithms.pathnet.by_hand import SMALL, begin, digit_tasks, of_kind, run

DATAS = digit_tasks(0)
MOVING = {"learning_rate": 0.1, "momentum": 0.9, "weight_decay": 0.1}
"""What moves a module that should stand still, if anything does."""


def weights(phase: PathNetTask) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in phase.training.network.state_dict().items()}


def frozen_names(phase: PathNetTask) -> set[str]:
    return set(kept_weights.module_names(phase.training.network, phase.frozen))


def two_tasks(second: type[PathNetTask] = PathNetTask, **options: Any) -> tuple[PathNetTask, PathNetTask, dict[str, torch.Tensor]]:
    """Task A at its end, task B at its end, and the weights with which B began."""
    first = begin(PathNetTask(0), DATAS, options={**MOVING, **options})
    run(first)
    later = begin(second(1), DATAS, first.handover(), options={**MOVING, **options})
    before = weights(later)
    run(later)
    return first, later, before


def assert_invariants(first: PathNetTask, second: PathNetTask, before: dict[str, torch.Tensor]) -> None:
    """(1) frozen tensors keep their bits, (2) task A's scores do not change, (3) all else was drawn anew and moves only if trained."""
    trained, after, standing = weights(first), weights(second), frozen_names(second)
    path = first.population.path(first.population.best)
    assert second.frozen == path and len(standing) == 2 * sum(len(layer) for layer in path)
    for name in standing:
        assert torch.equal(trained[name], before[name]) and torch.equal(before[name], after[name]), name
    for name in ("readouts.0.weight", "readouts.0.bias"):
        assert torch.equal(trained[name], after[name])
    genome = first.space.genome(path)
    part = first.training.validation_part
    inputs = part.normalise(part.raw)
    with torch.no_grad():
        assert torch.equal(first.training.network.forward_path(inputs, genome), second.training.network.forward_path(inputs, genome))
    renewed = [name for name in trained if name not in standing and not name.startswith("readouts.0")]
    assert renewed and not any(torch.equal(trained[name], before[name]) for name in renewed)


@pytest.mark.parametrize("always", [True, False])
def test_frozen_modules_keep_their_bits_and_everything_else_starts_anew(always: bool) -> None:
    first, second, before = two_tasks(fixed_always_active=always)
    assert_invariants(first, second, before)
    moved = {name for name, tensor in weights(second).items() if not torch.equal(tensor, before[name])}
    assert {"readouts.1.weight", "readouts.1.bias"} < moved
    assert set(second.population.genotypes) != set(first.population.genotypes)


def test_the_optimiser_does_not_know_what_is_frozen() -> None:
    _, second, _ = two_tasks()
    network = second.training.network
    known = {id(parameter) for group in second.training.optimizer.param_groups for parameter in group["params"]}
    for name, parameter in network.named_parameters():
        free = name not in frozen_names(second) and not name.startswith("readouts.0")
        assert (id(parameter) in known) == free == parameter.requires_grad, name


class FreezesUntrained(PathNetTask):
    """The mutant that a mere "faster than from scratch" would pass."""

    def _restore(self, network: Any) -> None:
        pass


class KeepsEverything(PathNetTask):
    """Task B goes on with all of A's modules."""

    former: PathNetTask

    def _restore(self, network: Any) -> None:
        network.load_state_dict(self.former.training.network.state_dict())


class OptimisesEverything(PathNetTask):
    """Optimises what it froze: weight decay moves it although it gets no gradient."""

    def begin(self, context: Any, handover: dict[str, Any] | None) -> None:
        super().begin(context, handover)
        for parameter in self.training.network.parameters():
            parameter.requires_grad_(True)
        group = self.training.optimizer.param_groups[0]
        group["params"] = list(self.training.network.parameters())


def test_wrong_variants_break_the_invariants() -> None:
    first = begin(PathNetTask(0), DATAS, options=MOVING)
    run(first)
    KeepsEverything.former = first
    for wrong in (FreezesUntrained, KeepsEverything, OptimisesEverything):
        second = begin(wrong(1), DATAS, first.handover(), options=MOVING)
        before = weights(second)
        run(second)
        with pytest.raises(AssertionError):
            assert_invariants(first, second, before)


def test_neither_momentum_nor_weight_decay_moves_a_module_off_the_path() -> None:
    """Tournament by tournament exactly the free modules of the two competing paths move, and the readout."""
    first = begin(PathNetTask(0), DATAS, options=MOVING)
    run(first)
    phase = begin(PathNetTask(1), DATAS, first.handover(), options={**MOVING, "generations": 12})
    network, frozen = phase.training.network, frozen_names(phase)
    while not phase.finished:
        before, paths = weights(phase), phase.population.paths
        pair = random.Random()
        pair.setstate(phase.context.rng.getstate())
        places = phase.population.draw(pair)
        phase.step()
        moved = {name for name, tensor in weights(phase).items() if not torch.equal(tensor, before[name])}
        on_a_path = {name for place in places for name in kept_weights.module_names(network, paths[place])}
        assert moved == on_a_path - frozen | {"readouts.1.weight", "readouts.1.bias"}


def test_a_later_tasks_network_is_its_path_and_the_frozen_ones() -> None:
    first, second, _ = two_tasks()
    genome = second.best()[1].genome
    assert second.space.modules_of(genome) == tuple(
        tuple(sorted({*own, *frozen})) for own, frozen in zip(second.population.path(second.population.best), second.frozen, strict=True)
    )
    _, plain, _ = two_tasks(fixed_always_active=False)
    assert plain.best()[1].genome.content["always"] == [[], [], []]
    assert first.best()[0].genome.content["always"] == [[], [], []]


# ---- finalists


def test_every_task_has_a_finalist_whose_network_scores_as_the_search_left_it() -> None:
    datas = digit_tasks(0, classes=3, count=3)
    handover, phase, left = None, None, []
    for task in range(3):
        phase = begin(PathNetTask(task), datas, handover, options={"learning_rate": 0.1})
        run(phase)
        handover = phase.handover()
        left.append(phase.training.score(phase._active(phase.population.path(phase.population.best)), None).accuracy)
    assert phase is not None
    finalists = phase.best()
    assert [item.domains for item in finalists] == [(0,), (1,), (2,)] and {item.finish for item in finalists} == {"as_is"}
    for task, (finalist, data) in enumerate(zip(finalists, datas, strict=True)):
        phase.space.validate(finalist.genome)
        labels = tuple(int(name) for name in data.class_names)
        test = open_test(Digits(DigitsConfig(labels=labels)))
        finished = finish(phase.space, finalist, data, 0, "cpu")
        assert finished.score("val", data.validation)["accuracy"] == finalist.value == left[task]
        assert finished.score("test", test)["accuracy"] == evaluate(finished.network, test, data.preprocessing)["accuracy"]
        assert finished.passes == 1 and finished.cost.forward == 0
    # Task B's frozen modules are task A's, in task C's super-network too.
    a, b = (network_of(phase.space, item).state_dict() for item in finalists[:2])
    path, modules = finalists[0].genome.content["path"][0], list(phase.space.modules_of(finalists[1].genome)[0])
    for place, module in enumerate(path):
        assert torch.equal(a[f"layers.0.branches.{place}.weight"], b[f"layers.0.branches.{modules.index(module)}.weight"])


# ---- stops and fitness


def test_a_task_ends_the_moment_a_fitness_reaches_the_threshold() -> None:
    phase = begin(PathNetTask(0), DATAS, options={"threshold": 0.6, "generations": 200, "learning_rate": 0.1, "minibatches": 10})
    events = run(phase)
    assert phase.reached and 0 < phase.done < 200
    series = [item.values["val_accuracy"] for item in of_kind(events, "metrics")]
    assert max(series[:-1], default=0) < 0.6 <= series[-1]
    (notice,) = [item for item in of_kind(events, "notice") if item.name == "task_ended"]
    assert notice.values["reached"] == 1 and f"after {phase.done} tournaments" in notice.message


def test_without_a_threshold_all_tournaments_take_place() -> None:
    phase = begin(PathNetTask(0), DATAS, options={"threshold": 0.0, "generations": 7})
    run(phase)
    assert phase.done == phase.horizon == 7 and not phase.reached


def test_fitness_is_the_validation_accuracy_after_the_training_or_the_papers_on_the_fly() -> None:
    """In train_batches no validation example is looked at, and the numbers are not called validation."""
    validated = begin(PathNetTask(0), DATAS)
    paper = begin(PathNetTask(0), DATAS, options={"fitness": "train_batches"})
    for phase in (validated, paper):
        place = 0
        trained = phase._compete(place)
        path = phase.population.path(place)
        accuracy = phase.training.score(path, 0).accuracy
        assert phase.population.fitness[place] == (accuracy if phase is validated else trained.accuracy)
    assert paper.cost.forward == 0 and validated.cost.forward == len(DATAS[0].validation)
    values = [of_kind(run(phase), "metrics")[-1].values for phase in (validated, paper)]
    assert "val_accuracy" in values[0] and "val_accuracy" not in values[1] and "best_train_accuracy" in values[1]
    notices = of_kind(run(begin(PathNetTask(0), DATAS, options={"fitness": "train_batches"})), "notice")
    assert "no validation score" in notices[0].message


def test_at_the_end_the_fittest_are_scored_again_with_the_weights_of_then() -> None:
    phase = begin(PathNetTask(0), DATAS, options={"generations": 9, "learning_rate": 0.1, "rescored": 3})
    run(phase)
    known = [place for place, value in enumerate(phase.population.fitness) if value is not None]
    assert len(known) == 3
    for place in known:
        assert phase.population.fitness[place] == phase.training.score(phase.population.path(place), None).accuracy


def test_a_loss_that_is_not_a_number_fails_the_task_in_plain_words() -> None:
    phase = begin(PathNetTask(0), DATAS, options={"learning_rate": 10.0, "momentum": 0.99, "minibatches": 200})
    with pytest.raises(TrialFailure, match="smaller learning rate"):
        for _ in range(5):
            phase.step()


def test_the_charge_is_what_was_trained_and_scored() -> None:
    phase = begin(PathNetTask(0), DATAS, options={"minibatches": 5, "batch_size": 16})
    cost = phase.step()
    sizes = sum(phase.training.train_order.size(batch) for batch in range(10))
    assert (cost.forward_backward, cost.forward) == (sizes, 2 * len(DATAS[0].validation)) and cost.flops > 0


# ---- controls


def control(kind: type[Any], handover: dict[str, Any] | None, **options: Any) -> Any:
    return begin(kind(1), DATAS, handover, options={**MOVING, **options})


@pytest.fixture(scope="module")
def searched() -> tuple[PathNetTask, PathNetTask]:
    first, second, _ = two_tasks()
    return first, second


def test_the_width_control_freezes_the_same_modules_untrained(searched: tuple[PathNetTask, PathNetTask]) -> None:
    first, second = searched
    phase = control(WidthControl, second.handover())
    assert phase.frozen == second.frozen and phase._always() == second._always()
    trained, before = weights(first), weights(phase)
    run(phase)
    after = weights(phase)
    for name in frozen_names(phase):
        assert not torch.equal(trained[name], before[name]) and torch.equal(before[name], after[name])


def test_from_scratch_freezes_nothing(searched: tuple[PathNetTask, PathNetTask]) -> None:
    first, second = searched
    phase = control(FromScratch, second.handover())
    assert phase.frozen == phase._always() == ((), (), ())
    assert not any(torch.equal(tensor, weights(first)[name]) for name, tensor in weights(phase).items())
    assert len(phase.training.trainable) == 2 * 30 + 2


def test_fine_tuning_starts_from_the_trained_path_and_moves_all_of_it(searched: tuple[PathNetTask, PathNetTask]) -> None:
    first, second = searched
    phase = control(FineTune, second.handover())
    path = first.population.path(first.population.best)
    names = kept_weights.module_names(phase.training.network, path)
    before = weights(phase)
    assert all(torch.equal(before[name], weights(first)[name]) for name in names)
    run(phase)
    assert set(phase.population.paths) == {path}
    assert {name for name, tensor in weights(phase).items() if not torch.equal(tensor, before[name])} == {
        *names, "readouts.1.weight", "readouts.1.bias",
    }  # fmt: skip


@pytest.mark.parametrize("name", sorted(CONTROLS))
def test_a_control_says_what_it_gave_beside_the_search_and_nothing_else(name: Any, searched: tuple[PathNetTask, PathNetTask]) -> None:
    phase = control(CONTROLS[name], searched[1].handover())
    events = run(phase)
    assert phase.control and phase.best() == [] and phase.handover() is None
    (scored,) = of_kind(events, "control")
    assert scored.name == name and of_kind(events, "pathways") == []
    # The search missed the threshold (there is none), so the control has as many tournaments.
    assert scored.values["tournaments"] == scored.values["transfer_tournaments"] == SMALL["generations"]
    assert scored.values["fitness"] == phase.population.fitness[phase.population.best]
    assert scored.message.endswith(observed(phase.ahead if scored.values["transfer_fitness"] > scored.values["fitness"] else phase.behind))


@pytest.mark.parametrize(
    ("search", "own", "ahead"), [
        ((1, 9, 0.7), (1, 12, 0.9), True), ((1, 12, 0.9), (1, 12, 0.7), False), ((1, 60, 0.9), (0, 60, 0.95), True),
        ((0, 60, 0.9), (0, 60, 0.8), True), ((0, 60, 0.8), (0, 60, 0.8), False),
    ],
)  # fmt: skip
def test_a_control_says_whether_the_search_did_better(
    search: tuple[int, int, float], own: tuple[int, int, float], ahead: bool, searched: tuple[PathNetTask, PathNetTask]
) -> None:
    """Fewer tournaments to the threshold; a higher fitness where neither reached it."""
    phase = control(WidthControl, searched[1].handover())
    record = phase.kept["records"][1]
    record["reached"], record["tournaments"], record["fitness"] = search
    place = phase.population.best
    phase.reached, phase.done = bool(own[0]), own[1]
    phase.population.score(place, own[2], 0)
    phase._conclude()
    (scored,) = of_kind(phase.context.log.drain(), "control")
    assert scored.message.endswith(observed(WidthControl.ahead if ahead else WidthControl.behind))


@pytest.mark.parametrize("name", sorted(CONTROLS))
def test_a_control_of_a_task_that_the_budget_cut_off_does_nothing(name: Any, searched: tuple[PathNetTask, PathNetTask]) -> None:
    """Also where there is no handover at all: the estimate times one tournament of each phase."""
    for handover in (searched[0].handover(), None):
        phase = control(CONTROLS[name], handover)
        assert phase.finished and phase.horizon == 0
        assert phase.step().forward_backward > 0
        assert of_kind(phase.context.log.drain(), "control") == []


def test_the_phases_are_the_tasks_and_then_the_controls_of_each_later_one() -> None:
    phases = pathnet.ENTRY.phases(PathNetConfig(), 3)
    assert [phase.name for phase in phases] == [
        "task 1", "task 2", "task 3", "from_scratch 2", "width_control 2", "from_scratch 3", "width_control 3",
    ]  # fmt: skip
    assert [phase.control for phase in phases] == [False] * 3 + [True] * 4
    assert phases[1].title == "Task B: transfer" and pathnet.ENTRY.phases(PathNetConfig(controls=()), 2)[-1].name == "task 2"
    with pytest.raises(BadInput, match="named twice"):
        parse("options", PathNetConfig, {"controls": ["fine_tune", "fine_tune"]})


# ---- frames


def test_frames_show_population_frozen_paths_and_the_latest_tournament() -> None:
    first = begin(PathNetTask(0), DATAS, options={"generations": 6})
    frames = of_kind(run(first), "pathways")
    assert [frame.step for frame in frames] == list(range(7)) and frames[0].fitness == [None] * 8
    assert all(frame.frozen == [[], [], []] and frame.earlier == [] and frame.values["overlap"] == 0 for frame in frames)
    for frame in frames[1:-1]:
        winner, loser = frame.tournament
        assert frame.fitness[winner] is not None and frame.fitness[loser] is None
    second = begin(PathNetTask(1), DATAS, first.handover(), options={"generations": 6})
    second.context.structure_every = 4
    last = of_kind(run(second), "pathways")
    assert [frame.step for frame in last] == [0, 4, 6]
    path = [list(layer) for layer in first.population.path(first.population.best)]
    assert last[-1].task == 1 and last[-1].frozen == path and last[-1].earlier == [path]
    best = last[-1].best
    assert last[-1].values["overlap"] == sum(len(set(a) & set(b)) for a, b in zip(best, path, strict=True))
    assert best == [list(layer) for layer in second.population.path(second.population.best)] and best in last[-1].population


# ---- checkpoints


@pytest.mark.parametrize("task", [0, 1])
def test_a_resumed_task_goes_on_with_equal_bits(task: int, searched: tuple[PathNetTask, PathNetTask]) -> None:
    handover = searched[0].handover() if task else None

    def fresh(seed: int = 0) -> PathNetTask:
        return begin(PathNetTask(task), DATAS, handover, seed, options={**MOVING, "learning_rate": 0.02, "generations": 8})

    through, interrupted = fresh(), fresh()
    for _ in range(4):
        through.step()
        interrupted.step()
    state = unpack(pack({"phase": interrupted.state_dict(), "log": interrupted.context.log.state_dict()}))
    state_of_rng = interrupted.context.rng.getstate()
    interrupted.step()  # A state that was given away must not change afterwards.
    resumed = fresh()
    with torch.no_grad():
        for parameter in resumed.training.network.parameters():
            parameter.normal_()
    resumed.load_state_dict(state["phase"])
    resumed.context.log.load_state_dict(state["log"])
    resumed.context.rng.setstate(state_of_rng)
    through.context.log.drain()
    expected, found = run(through), run(resumed)
    assert [event.model_dump() for event in found] == [event.model_dump() for event in expected]
    assert pack(resumed.state_dict()) == pack(through.state_dict())
    assert pack(resumed.handover()) == pack(through.handover())


# ---- the data


def test_minibatches_are_shuffled() -> None:
    """Sorted by class, a later task would be slower than from scratch."""
    data: SearchData = DATAS[0]
    phase = begin(PathNetTask(0), DATAS)
    for batch in range(10):
        labels = data.train.labels[phase.training.train_order.indices(batch).numpy()]
        assert len(np.unique(labels)) > 2


def test_one_data_set_is_refused_and_the_default_is_two_tasks_of_digits() -> None:
    with pytest.raises(BadInput, match="2 to 8 data sets"):
        check({"algorithm": "pathnet", "datasets": ["digits"]})
    checked = check({"algorithm": "pathnet"})
    assert [options.labels for options in checked.dataset_options] == [(0, 1, 2, 3, 4), (5, 6, 7, 8, 9)]
    assert registry.spaces_for(pathnet.ENTRY)[0].id == "modular"

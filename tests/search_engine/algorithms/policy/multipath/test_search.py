"""Multi-path NAS: the update rule exactly, and two domains that cannot share a path (acceptance A10)."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
import torch

from search_engine.algorithms.base import Context
from search_engine.algorithms.policy.multipath import _phases
from search_engine.algorithms.policy.multipath.domain_policies import DomainPolicies, PolicySettings
from search_engine.algorithms.policy.multipath.report import sharing
from search_engine.algorithms.policy.multipath.search import CommonControllerControl, MultiPathConfig, MultiPathSearch
from search_engine.algorithms.policy.multipath.table import TablePolicy
from search_engine.base.errors import BadInput, TrialFailure
from search_engine.catalogue import registry
from search_engine.events import ControlScored, DomainsFrame, EventLog, Metrics, decode_floats
from search_engine.spaces.decisions import Decision, DecisionList
from tests.search_engine.algorithms.policy.multipath import planted_domains
from tests.search_engine.searches import image_data

DECISIONS = DecisionList([Decision(f"layer{place}", "", "module", ("a", "b", "c")) for place in range(3)])


def policies(kind: str = "table", *, count: int = 2, **options: Any) -> DomainPolicies:
    values: dict[str, Any] = {"kind": kind, "learning_rate": 0.05, "entropy_weight": 0.0, "decay": 0.9, "hidden": 8, **options}
    common = values.pop("common", False)
    return DomainPolicies(DECISIONS, count, PolicySettings(**values), seed=0, common=common)


def small_search(kind: type[MultiPathSearch] = MultiPathSearch, handover: Any = None, every: int = 1, **options: Any) -> MultiPathSearch:
    """Two data sets of 48 images, three layers of three modules."""
    entry, data = registry.space("domain_paths"), image_data()
    config = entry.config(layers=3, modules=("nor_conv_3x3", "nor_conv_3x3", "skip_connect"), channels=2)
    values = {"steps": 6, "warm_up": 2, "batch_size": 8, "reward_batch_size": 12, **options}
    torch.manual_seed(0)
    context = Context(
        space=entry.space(config, data.shape, (data.shape, data.shape)), options=MultiPathConfig(**values), seed=0, rng=random.Random(0),
        metric="val_accuracy", log=EventLog("phase:0"), data=data, domains=[data, data], structure_every=every,
    )
    search = kind()
    search.begin(context, handover)
    return search


def snapshot(module: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: item.detach().clone() for name, item in module.state_dict().items()}


def moved(module: torch.nn.Module, before: dict[str, torch.Tensor]) -> bool:
    return any(not torch.equal(item, before[name]) for name, item in module.state_dict().items())


# ---------------------------------------------------------------- controllers


@pytest.mark.parametrize("kind", ["table", "lstm"])
def test_a_controller_does_not_feel_the_others_reward(kind: str) -> None:
    """Controller 0 moves by the same bits whatever data set 1 is rewarded with."""
    states = []
    for other in (0.1, 0.9):
        both = policies(kind)
        both.update([(0, 1, 2), (1, 1, 1)], [0.5, 0.5])
        both.update([(0, 1, 2), (2, 1, 0)], [0.8, other])
        states.append([snapshot(learner.controller) for learner in both.learners])
    (first, second), (again, differs) = states
    assert all(torch.equal(item, again[name]) for name, item in first.items())
    assert any(not torch.equal(item, differs[name]) for name, item in second.items())


@pytest.mark.parametrize("kind", ["table", "lstm"])
def test_a_reward_above_the_baseline_makes_its_path_likelier(kind: str) -> None:
    for reward, sign in ((1.0, 1), (0.0, -1)):
        both = policies(kind)
        both.update([(0, 1, 2)] * 2, [0.5, 0.5])
        before = both.policy(0).score([(0, 1, 2)])[0].item()
        both.update([(0, 1, 2)] * 2, [reward, 0.5])
        assert sign * (both.policy(0).score([(0, 1, 2)])[0].item() - before) > 0


def test_the_gradient_of_the_table_is_the_textbooks() -> None:
    """d loss / d logits = -(R - b) (one-hot - p) for every decision."""
    both = policies(learning_rate=1e-6)
    both.update([(0, 1, 2)] * 2, [0.25, 0.5])
    both.update([(2, 2, 0)] * 2, [0.75, 0.5])
    table: Any = both.policy(0)
    for logits, choice in zip(table.logits, (2, 2, 0), strict=True):
        expected = -0.5 * (np.eye(3)[choice] - 1 / 3)
        np.testing.assert_allclose(logits.grad.numpy(), expected, atol=1e-5)


def test_every_data_set_has_a_baseline_of_its_own() -> None:
    both = policies()
    both.update([(0, 0, 0)] * 2, [0.2, 0.8])
    used = both.update([(0, 0, 0)] * 2, [0.4, 0.8])
    assert [baseline for baseline, _ in used] == [0.2, 0.8]
    assert [item.value for item in both.baselines] == [pytest.approx(0.22), pytest.approx(0.8)]


def test_the_entropy_bonus_pulls_towards_the_uniform_policy() -> None:
    shares = []
    for weight in (0.0, 1.0):
        both = policies(entropy_weight=weight)
        with torch.no_grad():
            both.policy(0).logits[0][0] = 2.0
        for _ in range(20):
            (_, share), _ = both.update([(0, 0, 0)] * 2, [0.5, 0.5])
        shares.append(share)
    assert shares[1] > shares[0] + 0.03


def test_the_common_controller_is_one_and_takes_one_step() -> None:
    one = policies(common=True)
    assert len(one.learners) == 1 and one.policy(0) is one.policy(1)
    one.update([(0, 1, 2), (1, 1, 1)], [0.5, 0.6])
    assert one.learners[0].version == 1
    assert one.greedy(0) == one.greedy(1)


def test_a_table_refuses_conditional_decisions() -> None:
    with pytest.raises(ValueError, match="conditional"):
        TablePolicy(DecisionList([DECISIONS[0], Decision("extra", "", "module", ("a", "b"), when=("layer0", frozenset({1})))]))


# ---------------------------------------------------------------- one step


def test_a_step_is_one_optimiser_step_and_one_of_each_controller() -> None:
    search = small_search(warm_up=0)
    steps: list[int] = []
    step = search.optimizer.step
    search.optimizer.step = lambda *args, **kwargs: (steps.append(1), step(*args, **kwargs))[1]
    for number in range(1, 4):
        search.step()
        assert len(steps) == number
        assert [learner.version for learner in search.policies.learners] == [number, number]


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_weights_off_all_paths_have_no_gradient_and_do_not_move(optimizer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither weight decay nor momentum moves them, although they were trained in earlier steps."""
    search = small_search(steps=40, warm_up=40, optimizer=optimizer, momentum=0.9, weight_decay=0.1)
    for _ in range(12):
        search.step()
    assert len(search.optimizer.state) > 0.9 * len(search.weights), "earlier steps went everywhere"
    monkeypatch.setattr(search.space.decisions, "sample", lambda rng: (0, 1, 2))
    before = snapshot(search.network)
    search.step()
    for name, item in search.network.named_parameters():
        on_path = not name.startswith("layers.") or name.split(".")[2] == search.space.modules[int(name.split(".")[1])]
        assert (item.grad is not None) == on_path, name
        assert torch.equal(item, before[name]) != on_path, name


def test_the_warm_up_draws_uniformly_and_leaves_the_controllers_alone() -> None:
    search = small_search(steps=200, warm_up=150, batch_size=2)
    before = [snapshot(learner.controller) for learner in search.policies.learners]
    counts = np.zeros((3, 3))
    forward = search.network.forward_path
    search.network.forward_path = lambda x, genome, domain: (
        counts.__iadd__(np.eye(3)[list(search.space.choices_of(genome))]), forward(x, genome, domain)
    )[1]  # fmt: skip
    cost = search.step()
    assert (cost.forward_backward, cost.forward) == (2 * 2, 0)
    while search.done < 150:
        search.step()
    assert search.accuracies == [None, None]
    assert not any(moved(learner.controller, kept) for learner, kept in zip(search.policies.learners, before, strict=True))
    assert abs(counts / counts.sum(1, keepdims=True) - 1 / 3).max() < 0.1
    search.network.forward_path = forward
    assert search.step().forward == 2 * search.reward_order[0].size(150)
    search.step()
    assert all(moved(learner.controller, kept) for learner, kept in zip(search.policies.learners, before, strict=True))


def test_the_reward_is_the_accuracy_on_validation_before_the_weights_move(monkeypatch: pytest.MonkeyPatch) -> None:
    search = small_search(warm_up=0)
    search.step()
    search.context.log.drain()
    path = (0, 1, 2)
    monkeypatch.setattr(search.policies, "sample", lambda domain, rng: path)
    expected = []
    for domain in (0, 1):
        inputs, labels = search.validation[domain].take(search.reward_order[domain].indices(1))
        with torch.no_grad():
            logits = search.network.forward_path(inputs, search.space.genome_of(path), domain)
        expected.append(float((logits.argmax(1) == labels).float().mean()))
    kept = list(search.accuracies)
    search.step()
    values = search.context.log.drain()[-1].payload.values  # type: ignore[union-attr]
    assert [values["reward_1"], values["reward_2"]] == expected == [values["val_accuracy_1"], values["val_accuracy_2"]]
    assert search.accuracies == [pytest.approx(0.95 * old + 0.05 * new) for old, new in zip(kept, expected, strict=True)]


@pytest.mark.parametrize("measure", ["flops", "parameters"])
def test_the_cost_term_punishes_the_distance_from_the_target(measure: str) -> None:
    search = small_search(warm_up=0, cost_weight=0.3, cost_target=0.6, cost_measure=measure)
    for path in ((0, 0, 0), (2, 2, 2)):
        reward = search._reward(0, path)
        accuracy = search.report._means[0].take()["val_accuracy"]
        target = 0.6 * search.costs.largest(measure, 0)  # type: ignore[arg-type]
        assert reward == pytest.approx(accuracy - 0.3 * abs(search.costs.of(measure, 0, path) / target - 1))  # type: ignore[arg-type]
        assert reward < accuracy


def test_adaptive_weights_favour_who_is_far_from_the_target() -> None:
    search = small_search(weighting="adaptive", targets=(1.0, 0.9), tau=0.2)
    assert search._factors() == [1.0, 1.0], "nothing is known yet"
    search.accuracies = [0.5, 0.8]
    powers = np.exp([0.5 / 0.2, 0.1 / 0.2])
    assert search._factors() == pytest.approx(2 * powers / powers.sum())
    search.options = search.options.model_copy(update={"weighting": "equal"})
    assert search._factors() == [1.0, 1.0]


def test_targets_must_fit_the_data_sets() -> None:
    for targets in ((0.9,), (0.9, 1.5)):
        with pytest.raises(BadInput, match="for each of 2 data sets") as caught:
            _phases(MultiPathConfig(targets=targets), 2)
        assert caught.value.field == "options.targets"


def test_a_loss_that_is_not_a_number_names_the_data_set() -> None:
    search = small_search()
    with torch.no_grad():
        search.network.heads[1].classifier.weight.fill_(float("nan"))
    with pytest.raises(TrialFailure, match="training loss on data set 2 is not a number at step 1 of 6"):
        search.step()


# ---------------------------------------------------------------- what it says


def test_frames_carry_every_policy_and_what_the_paths_share() -> None:
    search = small_search(steps=7, warm_up=1, every=3)
    while not search.finished:
        search.step()
    events = [event.payload for event in search.context.log.drain()]
    frames = [item for item in events if isinstance(item, DomainsFrame)]
    assert [frame.step for frame in frames] == [0, 3, 6, 7] == [item.step for item in events if isinstance(item, Metrics)]
    last = frames[-1]
    assert (last.layers, last.modules) == (3, ["nor_conv_3x3", "nor_conv_3x3#2", "skip_connect"])
    assert [item.name for item in last.domains] == ["rows (1)", "rows (2)"]
    for domain, item in enumerate(last.domains):
        table = decode_floats(item.probabilities).reshape(3, 3)
        np.testing.assert_allclose(table, search.policies.probabilities(domain), atol=1e-6)
        assert item.path == list(table.argmax(1)) == list(search.paths()[domain])
        assert {"reward", "baseline", "train_loss", "entropy"} <= set(item.values)
    assert last.values == sharing(search.paths(), search.costs)
    (finalist,) = search.best()
    assert finalist.domains == (0, 1) and finalist.finish == "retrain"
    assert finalist.genome == search.space.genome_of_paths(search.paths())


def test_sharing_counts_modules_and_parameters() -> None:
    costs = small_search().costs
    same, apart, mixed = [(0, 0, 0)] * 2, [(0, 0, 0), (1, 1, 1)], [(0, 0, 0), (0, 1, 0)]
    assert [sharing(paths, costs)["shared_modules"] for paths in (same, apart, mixed)] == [3, 0, 2]
    assert [sharing(paths, costs)["sharing_ratio"] for paths in (same, apart, mixed)] == [2.0, 1.0, 1.5]
    figures = sharing(apart, costs)
    assert figures["parameters"] == figures["parameters_separate"] > sharing(same, costs)["parameters"]


def test_the_control_compares_itself_with_the_search_and_draws_nothing() -> None:
    search = small_search(steps=12)
    while not search.finished:
        search.step()
    control = small_search(CommonControllerControl, handover=search.handover(), steps=12)
    while not control.finished:
        control.step()
    events = [event.payload for event in control.context.log.drain()]
    assert not any(isinstance(item, DomainsFrame) for item in events)
    (scored,) = [item for item in events if isinstance(item, ControlScored)]
    assert scored.values["shared_modules"] == 3 and scored.values["accuracy_2"] == control.accuracies[1]
    assert scored.values["search_accuracy_1"] == search.accuracies[0]
    assert "With one controller each" in scored.message
    assert control.best() == [] and len(control.policies.learners) == 1
    assert [phase.control for phase in _phases(MultiPathConfig(), 2)] == [False, True]
    assert [phase.control for phase in _phases(MultiPathConfig(control=False), 2)] == [False]


# ---------------------------------------------------------------- A10: two domains that cannot share a path


def planted(kind: type[MultiPathSearch], seed: int, **options: Any) -> tuple[list[float], list[float]]:
    """(P(bad) per domain, held-out accuracy of the most probable path per domain)."""
    search = planted_domains.run_to_the_end(planted_domains.planted_search(kind, seed, **options), seed)
    return planted_domains.bad_share(search), planted_domains.held_out_accuracy(search, seed)


def test_conflicting_domains_part_and_a_common_controller_cannot() -> None:
    """One seed, a plainer signal and fewer steps than the stated ones."""
    quick = {"noise": 1.0, "warm_up": 60, "controller_learning_rate": 0.06}
    bad, accuracies = planted(MultiPathSearch, 1, steps=300, **quick)
    assert max(bad) <= 0.15 and min(accuracies) >= 0.75
    bad, _ = planted(CommonControllerControl, 1, steps=150, **quick)
    assert max(bad) > 0.3


@pytest.mark.slow
def test_a10_conflicting_domains_at_the_stated_seeds() -> None:
    shares, scores = zip(*(planted(MultiPathSearch, seed) for seed in range(5)), strict=True)
    assert np.max(shares) <= 0.15
    assert np.mean(scores, axis=0).min() >= 0.75
    bad, _ = planted(CommonControllerControl, 0, steps=500)
    assert max(bad) > 0.3, "a common controller must be wrong for one of them"

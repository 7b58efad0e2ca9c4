"""The sliced trainer: equal bits after every reload, the failure policy, every option of the config."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import nn

from search_engine.base.checkpoint import pack, unpack
from search_engine.base.errors import BadInput, TrialFailure
from search_engine.base.training_config import TrainingConfig
from search_engine.training import prepared_batches
from search_engine.training import trainer as trainer_module
from search_engine.training.batches import BatchOrder
from search_engine.training.clipping import clip_to_norm
from search_engine.training.evaluation import evaluate
from search_engine.training.footprint import footprint, latency, step_flops
from search_engine.training.schedule import cosine
from search_engine.training.trainer import Trainer
from tests.search_engine.training.samples import BATCH, TRAIN, VALIDATION, run_with_reloads, small_data, small_network, small_trainer

STEPS_PER_EPOCH = 4


def finish(trainer: Trainer) -> list[dict[str, float]]:
    reports = []
    while not trainer.finished:
        trainer.advance()
        reports += trainer.epoch_reports()
    return reports


def same_bits(first: Any, second: Any) -> bool:
    if isinstance(first, torch.Tensor):
        return isinstance(second, torch.Tensor) and torch.equal(first, second)
    if isinstance(first, dict):
        return list(first) == list(second) and all(same_bits(first[key], second[key]) for key in first)
    if isinstance(first, list | tuple):
        return len(first) == len(second) and all(same_bits(a, b) for a, b in zip(first, second, strict=True))
    return bool(first == second)


# ---- resuming


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adagrad"])
def test_a_reload_after_any_step_changes_no_bit(optimizer: str) -> None:
    config = TrainingConfig(epochs=3, batch_size=BATCH, optimizer=optimizer, augment="cutout", early_stop=5, label_smoothing=0.1)  # type: ignore[arg-type]
    undisturbed, reports = run_with_reloads(config, set())
    steps = undisturbed.steps_total
    assert steps == 3 * STEPS_PER_EPOCH
    for reload_at in [{step} for step in range(1, steps + 1)] + [set(range(1, steps + 1))]:
        trainer, other = run_with_reloads(config, reload_at)
        assert other == reports, reload_at
        assert same_bits(trainer.state_dict(), undisturbed.state_dict()), reload_at
        assert same_bits(trainer.network.state_dict(), undisturbed.network.state_dict()), reload_at
        assert trainer.cost == undisturbed.cost


def test_a_saved_state_does_not_follow_the_training() -> None:
    trainer = small_trainer(TrainingConfig(epochs=2, batch_size=BATCH))
    trainer.advance()
    state = trainer.state_dict()
    before = state["network"]["0.weight"].clone()
    trainer.advance()
    assert torch.equal(state["network"]["0.weight"], before)
    assert not torch.equal(trainer.state_dict()["network"]["0.weight"], before)


def test_undrained_reports_survive_a_checkpoint() -> None:
    config = TrainingConfig(epochs=1, batch_size=BATCH)
    trainer = small_trainer(config)
    while not trainer.finished:
        trainer.advance()
    other = small_trainer(config)
    other.load_state_dict(trainer.state_dict())
    assert other.epoch_reports() == trainer.epoch_reports() != []
    assert other.epoch_reports() == []


# ---- failures


def test_a_loss_that_is_not_a_number_is_a_failed_trial_with_its_reason() -> None:
    trainer = small_trainer(TrainingConfig(epochs=2, batch_size=BATCH, learning_rate=0.1))
    trainer.advance()
    with torch.no_grad():
        trainer.network[0].weight.fill_(float("nan"))  # type: ignore[index]
    with pytest.raises(TrialFailure, match=r"loss is not a number at step 2 of 8 \(learning rate 0.0950732") as caught:
        finish(trainer)
    assert not caught.value.machine
    # Nobody asked before the epoch was over; what it used is charged.
    assert trainer.steps_done == STEPS_PER_EPOCH and trainer.cost.forward_backward == TRAIN


def test_a_loss_that_is_not_a_number_is_not_hidden_by_a_checkpoint() -> None:
    config = TrainingConfig(epochs=2, batch_size=BATCH)
    trainer = small_trainer(config)
    weight: torch.Tensor = trainer.network[0].weight  # type: ignore[index,assignment,union-attr]
    kept = weight.detach().clone()
    trainer.advance()
    with torch.no_grad():
        weight.fill_(float("inf"))
    trainer.advance()
    state = unpack(pack(trainer.state_dict()))
    other = small_trainer(config)
    other.load_state_dict(state)
    with torch.no_grad():
        for item in other.network.parameters():
            item.copy_(torch.full_like(item, 0.01))
        other.network[0].weight.copy_(kept)  # type: ignore[index,union-attr,operator]
    with pytest.raises(TrialFailure, match="loss is not a number at step 2 of 8"):
        finish(other)


def test_losses_are_looked_at_within_an_epoch_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trainer_module, "CHECKED_EVERY", 3)
    trainer = small_trainer(TrainingConfig(epochs=2, batch_size=BATCH))
    with torch.no_grad():
        trainer.network[0].weight.fill_(float("nan"))  # type: ignore[index,union-attr,operator]
    with pytest.raises(TrialFailure, match="at step 1 of 8"):
        finish(trainer)
    assert trainer.steps_done == 3


def test_no_step_asks_a_tensor_for_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """A question waits for the device; one a step would leave it idle."""
    trainer = small_trainer(TrainingConfig(epochs=2, batch_size=BATCH))
    trainer.advance()
    asked: list[str] = []
    for name in ("__float__", "__int__", "__bool__", "item", "tolist"):
        own = getattr(torch.Tensor, name)
        monkeypatch.setattr(torch.Tensor, name, lambda self, name=name, own=own: (asked.append(name), own(self))[1])
    for _ in range(STEPS_PER_EPOCH - 2):
        trainer.advance()
    assert asked == []
    trainer.advance()
    assert 0 < len(asked) <= 6


def test_training_mode_is_set_once(monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = small_trainer(TrainingConfig(epochs=2, batch_size=BATCH))
    trainer.network.eval()
    calls: list[bool] = []
    own = trainer.network.train
    monkeypatch.setattr(trainer.network, "train", lambda mode=True: (calls.append(mode), own(mode))[1])
    finish(trainer)
    # Once at the start, and around each of the two scorings.
    assert calls == [True, False, True, False, True]


def test_clipping_is_that_of_torch_bit_for_bit() -> None:
    for largest in (0.01, 1.0, 1e6):
        ours, torchs = ([nn.Parameter(torch.zeros(size)) for size in (3, 70, 1)] for _ in range(2))
        generator = torch.Generator().manual_seed(0)
        for one, other in list(zip(ours, torchs, strict=True))[:2]:
            one.grad = torch.randn(one.shape, generator=generator)
            other.grad = one.grad.clone()
        clip_to_norm(ours, largest)
        nn.utils.clip_grad_norm_(torchs, largest)
        assert same_bits([item.grad for item in ours[:2]], [item.grad for item in torchs[:2]]) and ours[2].grad is None
    clip_to_norm([nn.Parameter(torch.zeros(2))], 1.0)


@pytest.mark.parametrize("at_once", [1, 2, 3, 4, 100])
def test_what_is_prepared_together_changes_no_batch(monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    config = TrainingConfig(epochs=1, batch_size=BATCH, augment="cutout")
    plain = small_trainer(config)._domains[0]._batches
    monkeypatch.setattr(prepared_batches, "NUMBERS_AT_ONCE", at_once * 36 * 13)
    batches = small_trainer(config)._domains[0]._batches
    for step in [0, 1, 2, 3, 4, 5, 6, 7, 2, 6, 0]:
        assert same_bits(list(batches[step]), list(plain[step]))
    assert len(batches._ready) == min(at_once, STEPS_PER_EPOCH)


def test_divergence_fails_the_trial() -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(36, 64), nn.Linear(64, 2))
    config = TrainingConfig(epochs=50, batch_size=BATCH, learning_rate=10, gradient_clip=0, momentum=0.99, weight_decay=1)
    with pytest.raises(TrialFailure, match="not a number"):
        finish(small_trainer(config, network=network))


def test_a_weight_broken_by_the_last_step_shows_in_the_validation_loss() -> None:
    trainer = small_trainer(TrainingConfig(epochs=1, batch_size=BATCH))
    for _ in range(STEPS_PER_EPOCH - 1):
        trainer.advance()
    trainer.network[1].register_full_backward_hook(lambda module, given, out: (given[0] * float("nan"),))  # type: ignore[index,operator]
    with pytest.raises(TrialFailure, match="validation loss is not a number after step 4 of 4"):
        trainer.advance()


def test_batches_too_small_for_batch_normalisation_fail_with_advice() -> None:
    network = nn.Sequential(nn.Conv2d(1, 4, 6), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4, 2))
    with pytest.raises(TrialFailure, match="larger batch_size"):
        finish(small_trainer(TrainingConfig(epochs=1, batch_size=1), network=network))


# ---- schedule, batches, cost


def test_the_cosine_schedule_has_exact_ends() -> None:
    assert cosine(0, 100, 0.05, 0.0005) == 0.05
    assert cosine(99, 100, 0.05, 0.0005) == 0.0005
    assert cosine(0, 1, 0.05, 0.0005) == 0.05
    assert cosine(50, 101, 1.0, 0.0) == pytest.approx(0.5)
    rates = [cosine(step, 100, 0.05, 0.0005) for step in range(100)]
    assert rates == sorted(rates, reverse=True)


def test_the_trainer_follows_the_schedule() -> None:
    reports = finish(small_trainer(TrainingConfig(epochs=3, batch_size=BATCH, learning_rate=0.02, final_learning_rate=0.001)))
    assert reports[-1]["learning_rate"] == 0.001
    assert [report["learning_rate"] for report in reports] == [cosine(step, 12, 0.02, 0.001) for step in (3, 7, 11)]


def test_an_epoch_visits_every_example_once_in_even_batches() -> None:
    order = BatchOrder(TRAIN, BATCH, 3)
    epochs = [[order.indices(step).tolist() for step in range(first, first + 4)] for first in (0, 4)]
    for epoch in epochs:
        assert sorted(number for batch in epoch for number in batch) == list(range(TRAIN))
        assert {len(batch) for batch in epoch} == {12, 13}
    assert epochs[0] != epochs[1]
    assert [order.size(step) for step in range(4)] == [len(batch) for batch in epochs[0]]
    assert BatchOrder(TRAIN, BATCH, 3).indices(6).tolist() == epochs[1][2]
    assert BatchOrder(TRAIN, BATCH, 4).indices(0).tolist() != epochs[0][0]


def test_cost_counts_training_and_validation_examples() -> None:
    trainer = small_trainer(TrainingConfig(epochs=2, batch_size=BATCH))
    trainer.advance()
    assert (trainer.cost.forward_backward, trainer.cost.forward) == (12, 0)
    finish(trainer)
    assert (trainer.cost.forward_backward, trainer.cost.forward) == (2 * TRAIN, 2 * VALIDATION)
    forward, both = step_flops(small_network(), (1, 6, 6))
    assert forward == footprint(small_network(), (1, 6, 6)).flops
    # Backward: both gradients of the linear layer, and only the weights' of the convolution, which stands first.
    assert both == forward + 2 * (2 * 144 * 2 + 36 * 4 * 9)
    assert trainer.cost.flops == 2 * TRAIN * both + 2 * VALIDATION * forward


def test_flops_are_two_per_multiply_accumulate() -> None:
    found = footprint(small_network(), (1, 6, 6))
    assert found.macs == 36 * 4 * 9 + 144 * 2
    assert found.flops == 2 * found.macs
    assert found.parameters == 36 + 8 + 144 * 2 + 2


def test_measuring_changes_neither_the_network_nor_the_generator() -> None:
    network = small_network()
    network.train()
    before, state = {name: item.clone() for name, item in network.state_dict().items()}, torch.get_rng_state()
    step_flops(network, (1, 6, 6))
    footprint(network, (1, 6, 6))
    assert latency(network, (1, 6, 6), repeats=2) > 0
    assert same_bits(dict(network.state_dict()), before) and network.training
    assert torch.equal(torch.get_rng_state(), state)


# ---- options


def test_early_stop_ends_and_keeps_the_best_epoch() -> None:
    config = TrainingConfig(epochs=40, batch_size=BATCH, early_stop=2, learning_rate=0.05)
    trainer = small_trainer(config)
    reports = finish(trainer)
    accuracies = [report["val_accuracy"] for report in reports]
    best = accuracies.index(max(accuracies))
    assert len(reports) == best + 1 + 2 < 40
    assert trainer.finished and trainer.steps_done < trainer.steps_total
    assert trainer.metrics()["val_accuracy"] == accuracies[best] and trainer.metrics()["epoch"] == best + 1
    data = small_data()
    score = evaluate(trainer.network, data.validation, data.preprocessing)
    assert (score["accuracy"], score["loss"]) == (accuracies[best], reports[best]["val_loss"])
    with pytest.raises(RuntimeError, match="finished"):
        trainer.advance()


def test_without_early_stop_the_last_epoch_is_kept() -> None:
    trainer = small_trainer(TrainingConfig(epochs=3, batch_size=BATCH))
    reports = finish(trainer)
    assert trainer.metrics() == {name: value for name, value in reports[-1].items() if name != "learning_rate"}


def test_only_the_first_examples_are_used() -> None:
    trainer = small_trainer(TrainingConfig(epochs=1, batch_size=8, train_examples=20))
    assert trainer.steps_total == 3
    finish(trainer)
    assert trainer.cost.forward_backward == 20


@pytest.mark.parametrize(
    "change",
    [
        {"optimizer": "adam"}, {"optimizer": "adagrad"}, {"learning_rate": 0.2}, {"final_learning_rate": 0.01}, {"momentum": 0.0},
        {"weight_decay": 0.1}, {"gradient_clip": 0.01}, {"label_smoothing": 0.2}, {"augment": "shift_flip"}, {"augment": "none"},
        {"augment": "cutout"}, {"batch_size": 10}, {"train_examples": 30}, {"epochs": 3},
    ],
)
def test_every_option_matters(change: dict[str, Any]) -> None:
    def weights(config: TrainingConfig) -> torch.Tensor:
        torch.manual_seed(3)
        trainer = small_trainer(config)
        finish(trainer)
        return trainer.network[5].weight.detach().clone()  # type: ignore[index,union-attr,operator]

    base = TrainingConfig(epochs=2, batch_size=BATCH)
    torch.testing.assert_close(weights(base), weights(base), rtol=0, atol=0)
    assert not torch.equal(weights(base), weights(base.model_copy(update=change)))


def test_gradients_are_clipped_to_the_norm() -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(36, 2))
    before = [item.detach().clone() for item in network.parameters()]
    config = TrainingConfig(epochs=1, batch_size=TRAIN, learning_rate=1.0, momentum=0.0, weight_decay=0.0, gradient_clip=0.01)
    finish(small_trainer(config, network=network))
    moved = math.sqrt(sum(float(((after.detach() - start) ** 2).sum()) for after, start in zip(network.parameters(), before, strict=True)))
    assert moved == pytest.approx(0.01, rel=1e-3)


def test_training_learns() -> None:
    trainer = small_trainer(TrainingConfig(epochs=8, batch_size=BATCH, augment="none"))
    finish(trainer)
    assert trainer.metrics()["val_accuracy"] > 0.9


def test_vectors_train_too_but_not_with_image_augmentation() -> None:
    data = small_data(shape=(5,))
    network = nn.Linear(5, 2)
    finish(small_trainer(TrainingConfig(epochs=2), network=network, data=data))
    with pytest.raises(BadInput, match="works on images") as caught:
        small_trainer(TrainingConfig(augment="shift"), network=network, data=data)
    assert caught.value.field == "training.augment"


def test_evaluation_does_not_touch_the_network() -> None:
    network, data = small_network(), small_data()
    network.train()
    before = {name: item.clone() for name, item in network.state_dict().items()}
    whole = evaluate(network, data.validation, data.preprocessing)
    pieces = evaluate(network, data.validation, data.preprocessing, batch=5)
    assert network.training and same_bits(dict(network.state_dict()), before)
    assert whole["accuracy"] == pieces["accuracy"] and whole["loss"] == pytest.approx(pieces["loss"])


@pytest.mark.gpu
@pytest.mark.parametrize("amp", [False, True])
def test_cuda_trains_resumes_and_agrees_with_the_cpu(amp: bool) -> None:
    from search_engine.training import device

    device.configure(1)
    config = TrainingConfig(epochs=3, batch_size=BATCH, augment="cutout")
    network = nn.Sequential(*(layer for layer in small_network() if not isinstance(layer, nn.Dropout)))

    def trained(where: str, reload_at: int | None) -> Trainer:
        import copy

        trainer = Trainer(copy.deepcopy(network), small_data(), config, seed=5, device=where, amp=amp)
        while not trainer.finished:
            trainer.advance()
            if trainer.steps_done == reload_at:
                state = trainer.state_dict()
                trainer = Trainer(copy.deepcopy(network), small_data(), config, seed=5, device=where, amp=amp)
                trainer.load_state_dict(state)
        return trainer

    cuda, resumed, cpu = trained("cuda", None), trained("cuda", 6), trained("cpu", None)
    assert same_bits(cuda.state_dict(), resumed.state_dict())
    tolerance = 0.1 if amp else 1e-3
    for name, item in cpu.state_dict()["network"].items():
        torch.testing.assert_close(cuda.state_dict()["network"][name], item, rtol=tolerance, atol=tolerance)

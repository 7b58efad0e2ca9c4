"""The auto-encoder with relevance determination: the bound by hand, what the pruned network computes, and two factors that are found."""

from __future__ import annotations

import base64
import json
import math
import random
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from torch.distributions import Bernoulli, Normal, kl_divergence

from search_engine.algorithms.bayes.vae_ard.bound import bound, mask_of
from search_engine.algorithms.bayes.vae_ard.decoded import MOST_BYTES, decoded_frame
from search_engine.algorithms.bayes.vae_ard.search import VaeArdSearch, WithoutRelevance
from search_engine.algorithms.bayes.vae_ard.variational_autoencoder import Grey, VariationalAutoencoder
from search_engine.base.errors import BadInput, TrialFailure
from search_engine.catalogue import registry
from search_engine.catalogue.config import check
from search_engine.datasets.base import Part
from search_engine.events import ChartsFrame, ControlScored, FamilyDeclared, Metrics, StructureFrame, decode_floats
from search_engine.search.local_run import LocalRun
from search_engine.spaces.autoencoder import GROUP, AutoencoderConfig, AutoencoderSpace
from search_engine.spaces.data_shape import DataShape, Preprocessing
from search_engine.spaces.genomes import Genome
from search_engine.training.batches import DevicePart
from tests.search_engine.algorithms.bayes.relevance_problems import finished, two_factor_data, vae_search

# ---- the bound


def _model(**options: Any) -> VariationalAutoencoder:
    torch.manual_seed(0)
    model = VariationalAutoencoder((1, 2, 2), 3, (5,), (6,), "relu", **options)
    with torch.no_grad():
        model.gamma_mu.copy_(torch.tensor([1.0, -0.5, 0.1]))
        model.gamma_log_sigma.copy_(torch.tensor([-2.0, -1.0, 0.0]))
        model.log_noise.fill_(-0.3)
    return model


GREY = Grey((0.3,), (0.25,))


@pytest.mark.parametrize("likelihood", ["gaussian", "bernoulli"])
def test_the_bound_is_made_of_the_distributions_of_torch(likelihood: Any) -> None:
    model = _model(likelihood=likelihood, grey=GREY, variance="fixed", fixed_variance=2.0)
    grey = torch.rand(4, 1, 2, 2)
    x = (grey - 0.3) / 0.25
    terms = model(x, torch.Generator().manual_seed(1))
    mean, log_deviation = model.codes(x)
    same = torch.Generator().manual_seed(1)
    z = mean + log_deviation.exp() * torch.randn(4, 3, generator=same)
    z = z * (model.gamma_mu + model.gamma_log_sigma.exp() * torch.randn(4, 3, generator=same))
    values = model.decoder(z)
    if likelihood == "gaussian":
        wanted = Normal(values, model.log_deviation.exp()).log_prob(x.flatten(1)).sum(1)
    else:
        wanted = Bernoulli(logits=values, validate_args=False).log_prob(grey.flatten(1)).sum(1)
    torch.testing.assert_close(terms.log_likelihood, wanted, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(terms.kl_codes, kl_divergence(Normal(mean, log_deviation.exp()), Normal(0.0, 1.0)))
    prior = Normal(torch.zeros(3), math.sqrt(2.0))
    torch.testing.assert_close(terms.kl_gamma, kl_divergence(Normal(model.gamma_mu, model.gamma_log_sigma.exp()), prior))


def test_the_learnt_prior_variance_is_the_best_one() -> None:
    model = _model()
    best = 0.5 * (1 + model.gamma_mu.square() / (2 * model.gamma_log_sigma).exp()).log()
    torch.testing.assert_close(model.kl_gamma(), best)
    for variance in (0.5, 1.0, 2.0):
        assert (_model(variance="fixed", fixed_variance=variance).kl_gamma() >= model.kl_gamma()).all()


def test_what_is_not_kept_says_and_costs_nothing() -> None:
    model = _model()
    x = torch.randn(4, 1, 2, 2)
    keep = torch.tensor([True, False, True])
    terms = model(x, torch.Generator().manual_seed(1), keep)
    assert not terms.kl_codes[:, 1].any() and not terms.kl_gamma[1] and terms.kl_codes[:, 0].all()
    with torch.no_grad():
        model.gamma_mu[1] = 100.0
    torch.testing.assert_close(model(x, torch.Generator().manual_seed(1), keep).log_likelihood, terms.log_likelihood)


@pytest.mark.parametrize("likelihood", ["gaussian", "bernoulli"])
def test_the_plain_network_is_the_model_at_its_means(likelihood: Any) -> None:
    model = _model(likelihood=likelihood, grey=GREY)
    x = torch.randn(4, 1, 2, 2)
    network = model.plain([0, 2])
    code = model.codes(x)[0][:, [0, 2]]
    torch.testing.assert_close(network.encoder(x), code)
    z = torch.zeros(4, 3)
    z[:, [0, 2]] = code * model.gamma_mu[[0, 2]]
    values = model.decoder(z).unflatten(1, (1, 2, 2))
    torch.testing.assert_close(network(x), values if likelihood == "gaussian" else (values.sigmoid() - 0.3) / 0.25)
    assert torch.equal(network(x), network.decoder(network.encoder(x)))


def test_the_bound_of_a_part_averages_draws_and_does_not_depend_on_who_asked_before() -> None:
    data = two_factor_data(0)
    search = vae_search(data, steps=3)
    part = DevicePart(data.validation, data.preprocessing, "cpu")
    first = bound(search.model, part, draws=3, seed=5, train_examples=100)
    torch.randn(3)
    second = bound(search.model, part, draws=3, seed=5, train_examples=100)
    assert first["elbo"] == second["elbo"] != bound(search.model, part, draws=3, seed=6, train_examples=100)["elbo"]
    parts = first["log_likelihood"] - first["kl_codes"] - float(search.model.kl_gamma().sum().detach()) / 100
    assert first["elbo"] == pytest.approx(parts)
    alone = bound(search.model, part, draws=3, seed=5, train_examples=100, keep=mask_of(10, [4]))
    assert alone["kl_per_latent"].count_nonzero() == 1 and alone["kl_codes"] == pytest.approx(float(first["kl_per_latent"][4]))


# ---- the space


def _space(**options: Any) -> AutoencoderSpace:
    return AutoencoderSpace(AutoencoderConfig(**{"latents": 4, "encoder": (5,), "decoder": (6,), **options}), DataShape((1, 2, 2), 3))


def test_the_space_reconstructs_whatever_the_labels_are_for() -> None:
    assert _space().task == "reconstruction"
    entry = registry.space("autoencoder")
    assert entry.tasks == {"classification", "regression"} and entry.inputs == {"image", "vector", "series"}


def test_latents_are_interchangeable() -> None:
    space = _space()
    assert space.hash(space.genome([0, 2])) == space.hash(space.genome([1, 3])) != space.hash(space.genome([1]))
    assert space.size() == len(list(space.enumerate())) == 15
    for genome in space.enumerate():
        space.validate(genome)
    space.validate(space.sample(random.Random(0)))
    assert space.to_string(space.genome([2, 0])) == "encoder=5 latents=0,2/4 decoder=6 activation=relu"


def test_a_family_edge_of_weight_at_least_one_half_is_a_latent() -> None:
    space = _space()
    (group,) = space.family()
    assert group.constraint == "cube" and len(group.edges) == 4
    assert space.kept(space.derive({GROUP: np.array([[0.4], [0.5], [0.1], [0.9]])})) == [1, 3]
    assert space.kept(space.derive({GROUP: np.array([[0.1], [0.3], [0.2], [0.0]])})) == [1], "one latent always stays"
    drawn = space.drawings(space.genome([1, 3]))["network"]
    assert {node.id for node in drawn.nodes} == {"input", "encoder1", "z1", "z3", "decoder1", "output"}


@pytest.mark.parametrize("content", [{"kept": []}, {"kept": [4]}, {"kept": [1, 1]}, {"kept": [2, 0]}, {"kept": [0], "latents": 9}])
def test_inadmissible_genomes_are_refused(content: dict[str, Any]) -> None:
    space = _space()
    with pytest.raises(BadInput) as caught:
        space.validate(Genome(space.id, {**space.genome([0]).content, **content}))
    assert caught.value.field == "genome"


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"options": {"threshold": 1.0}}, "options.threshold"), ({"options": {"threshold": 0.0}}, "options.threshold"),
        ({"options": {"prior_variance": 0.0}}, "options.prior_variance"), ({"options": {"likelihood": "poisson"}}, "options.likelihood"),
        ({"options": {"likelihood": "bernoulli"}, "datasets": ["wine"]}, "options.likelihood"),
        ({"space_options": {"latents": 0}}, "space_options.latents"), ({"space_options": {"encoder": []}}, "space_options.encoder"),
        ({"space_options": {"decoder": [0]}}, "space_options.decoder"),
    ],
)  # fmt: skip
def test_bad_input_is_refused_by_name(values: dict[str, Any], field: str) -> None:
    with pytest.raises(BadInput) as caught:
        check({"algorithm": "vae_ard", **values})
    assert caught.value.field == field


# ---- the search


def _payloads(search: VaeArdSearch) -> list[Any]:
    return [event.payload for event in search.context.log.drain()]


def test_pictures_show_the_latents() -> None:
    search = finished(vae_search(two_factor_data(0), steps=6, structure_every=3, latents=4, width=8))
    payloads = _payloads(search)
    assert isinstance(payloads[0], FamilyDeclared)
    frames = [item for item in payloads if isinstance(item, StructureFrame)]
    assert [frame.step for frame in frames] == [0, 3, 6]
    np.testing.assert_allclose(decode_floats(frames[-1].groups[GROUP]), 1 - search.model.rho().detach().numpy(), rtol=1e-6)
    charts = [item for item in payloads if isinstance(item, ChartsFrame)][-1].charts
    assert [chart.name for chart in charts] == ["rho", "kl_per_latent", "prior_deviation"]
    values = [item for item in payloads if isinstance(item, Metrics)][-1].values
    assert values["train_elbo"] == pytest.approx(values["log_likelihood"] - values["kl_codes"] - values["kl_gamma"])
    assert {"val_elbo", "kl_weight", "latents_kept"} <= set(values)


def test_the_cost_of_the_code_warms_up() -> None:
    search = vae_search(two_factor_data(0), steps=10, kl_warmup=0.5, latents=4, width=8)
    weights = []
    while not search.finished:
        weights.append(search.warm)
        search.step()
    assert weights == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1, 1, 1, 1, 1])
    assert vae_search(two_factor_data(0), steps=10, kl_warmup=0.0, latents=4, width=8).warm == 1


def test_the_control_has_no_factors_and_starts_as_the_search() -> None:
    data = two_factor_data(0)
    search, control = (vae_search(data, steps=4, latents=4, width=8, kind=kind) for kind in (VaeArdSearch, WithoutRelevance))
    assert torch.equal(search.model.encoder[0].weight, control.model.encoder[0].weight)
    finished(control)
    assert torch.equal(control.model.gamma_mu, torch.ones(4)) and not control.model.kl_gamma().any() and control.best() == []
    (scored,) = [item for item in _payloads(control) if isinstance(item, ControlScored)]
    assert {"val_elbo", "latents_used"} <= set(scored.values)


def test_a_bound_that_is_not_a_number_is_said() -> None:
    search = vae_search(two_factor_data(0), steps=4)
    with torch.no_grad():
        search.model.gamma_mu.fill_(math.nan)
    with pytest.raises(TrialFailure, match="step 1 of 4"):
        search.step()


@pytest.mark.parametrize(("likelihood", "dataset"), [("bernoulli", "digits"), ("gaussian", "wine")])
def test_a_download_codes_and_decodes(likelihood: str, dataset: str, tmp_path: Path) -> None:
    values = {
        "algorithm": "vae_ard", "datasets": [dataset], "seed": 1, "finale": {"onnx": False},
        "options": {"steps": 4, "likelihood": likelihood, "control": False},
        "space_options": {"latents": 3, "encoder": [8], "decoder": [8]},
    }  # fmt: skip
    result = LocalRun(check(values, tmp_path), tmp_path, tmp_path, slice_seconds=1e9).run()
    assert result["status"] == "completed" and result["model"] == "model/", result
    metrics = result["best"][0]["metrics"]
    assert {"val_elbo", "test_elbo", "val_r2", "test_r2", "test_loss", "latents_kept"} <= set(metrics)
    for split in ("val", "test"):
        parts = metrics[f"{split}_log_likelihood"] - metrics[f"{split}_kl_codes"] - metrics[f"{split}_kl_gamma"]
        assert metrics[f"{split}_elbo"] == pytest.approx(parts)
    manifest = json.loads((tmp_path / "model" / "manifest.json").read_text())
    assert manifest["evaluation"]["score"] == "r2" and manifest["evaluation"]["r2"] == metrics["test_r2"]
    sys.path.insert(0, str(tmp_path / "model"))
    try:
        import model as downloaded  # type: ignore[import-not-found]

        network = downloaded.load_model()
    finally:
        sys.path.pop(0)
        sys.modules.pop("model", None)
    shape = tuple(manifest["dataset"]["input_shape"])
    code = network.encoder(torch.randn(2, *shape))
    assert code.shape == (2, int(metrics["latents_kept"])) and network.decoder(code).shape == (2, *shape)


# ---- acceptance: two factors made the data


class WithoutGammaCost(VaeArdSearch):
    """Wrong: nothing pulls a factor to zero."""

    def begin(self, context: Any, handover: Any) -> None:
        super().begin(context, handover)
        self.model.kl_gamma = lambda: torch.zeros(self.model.latents)  # type: ignore[method-assign]


class Outcome(NamedTuple):
    kept: int
    """Latents of 10 with rho < 0.5."""
    least_rho: float
    """Least rho of the others."""
    superfluous_cost: float
    """What the others' factors cost, in nats."""
    r2: float
    """Of the pruned network, on the validation part."""


def _outcome(seed: int, steps: int, kind: type[VaeArdSearch] = VaeArdSearch, **options: Any) -> Outcome:
    data = two_factor_data(seed)
    options = {"batch_size": 128, "learning_rate": 0.005, **options}
    search = finished(vae_search(data, seed, kind=kind, steps=steps, **options))
    inputs = torch.from_numpy(data.validation.inputs)
    model = search.model
    with torch.no_grad():
        left = model.plain(search.kept())(inputs) - inputs
        others = model.rho() >= 0.5
        r2 = 1 - float(left.square().sum() / (inputs - inputs.mean(0)).square().sum())
        return Outcome(int((~others).sum()), float(model.rho()[others].min()), float(model.kl_gamma()[others].sum()), r2)


def _accepted(found: Outcome) -> bool:
    # The number alone says little: the cost of the code empties superfluous latents even where the factors are wrong. Where they are
    # right, nothing is left in doubt (rho near 1) and what is left out costs nothing.
    return 2 <= found.kept <= 3 and found.least_rho > 0.85 and found.superfluous_cost < 1


def test_two_factors_need_at_most_three_latents() -> None:
    found = _outcome(0, 700)
    assert _accepted(found) and found.r2 > 0.95, found
    wrong = _outcome(0, 700, WithoutGammaCost)
    assert not _accepted(wrong), f"the factors cost nothing: {wrong}"


@pytest.mark.slow
def test_two_factors_need_at_most_three_latents_for_three_seeds() -> None:
    for seed in range(3):
        found = _outcome(seed, 1500)
        print(f"seed {seed}: {found}")
        assert _accepted(found) and found.r2 > 0.97, found
        wrong = {
            "the factors cost nothing": _outcome(seed, 1500, WithoutGammaCost),
            "the prior variance is not learnt": _outcome(seed, 1500, variance="fixed"),
        }
        for name, outcome in wrong.items():
            print(f"seed {seed}, {name}: {outcome}")
            assert not _accepted(outcome), (name, outcome)


# ---- what it makes of images


def _pixels(text: str, *shape: int) -> Any:
    return np.frombuffer(base64.b64decode(text), dtype=np.uint8).reshape(-1, *shape)


def _image_part(shape: tuple[int, int, int], count: int = 20) -> DevicePart:
    inputs = np.random.default_rng(0).uniform(0, 16, size=(count, *shape)).astype(np.float32)
    channels = (0.3,) * shape[0], (0.25,) * shape[0]
    part = Part(inputs, np.zeros(count, dtype=np.int64), np.arange(count))
    return DevicePart(part, Preprocessing(scale=16.0, mean=channels[0], std=channels[1]), "cpu")


@pytest.mark.parametrize("likelihood", ["gaussian", "bernoulli"])
def test_decoded_images_are_those_of_the_finished_network_and_draw_nothing(likelihood: Any) -> None:
    torch.manual_seed(0)
    model = VariationalAutoencoder((1, 8, 8), 5, (9,), (9,), "relu", likelihood=likelihood, grey=GREY)
    with torch.no_grad():
        model.gamma_mu.copy_(torch.tensor([1.0, -0.5, 0.7, 0.1, 2.0]))
    part, kept = _image_part((1, 8, 8)), [0, 2, 4]
    before = torch.get_rng_state()
    frame = decoded_frame(model, part, kept, np.array([0.1, 9.0, 0.5, 9.0, 0.2]), step=3)
    assert torch.equal(before, torch.get_rng_state()), "nothing is drawn"
    assert frame is not None and (frame.rows, frame.columns, frame.across, frame.down) == (8, 8, "z2", "z4")
    examples, decoded, space = (_pixels(text, 8, 8) for text in (frame.examples, frame.decoded, frame.space))
    raw = part.raw[: len(examples), 0].numpy()
    np.testing.assert_allclose(frame.low + examples / 255 * (frame.high - frame.low), raw, atol=(frame.high - frame.low) / 400)
    with torch.no_grad():
        network = model.plain(kept)
        back = part.normalise.undo(network(part.normalise(part.raw[: len(examples)])))[:, 0].numpy().clip(frame.low, frame.high)
        # The middle of the plane is the code 0, the right end of its first row z2 = 2 and z4 = -2.
        corners = torch.tensor([[0.0, 0.0, 0.0], [0.0, 2.0, -2.0]])
        wanted = part.normalise.undo(network.decoder(corners))[:, 0].numpy().clip(frame.low, frame.high)
    unit = (frame.high - frame.low) / 400
    np.testing.assert_allclose(frame.low + decoded / 255 * (frame.high - frame.low), back, atol=unit)
    side = len(frame.values)
    found = frame.low + space[[side * side // 2, side - 1]] / 255 * (frame.high - frame.low)
    np.testing.assert_allclose(found, wanted, atol=unit)


@pytest.mark.parametrize("shape", [(1, 8, 8), (1, 28, 28), (3, 32, 32), (3, 70, 61)])
@pytest.mark.parametrize("latents", [1, 5])
def test_decoded_images_are_bounded(shape: tuple[int, int, int], latents: int) -> None:
    model = VariationalAutoencoder(shape, latents, (4,), (4,), "relu")
    frame = decoded_frame(model, _image_part(shape, count=12), list(range(latents)), np.zeros(latents), step=0)
    assert frame is not None and max(frame.rows, frame.columns) <= 32
    images = [_pixels(text, frame.rows, frame.columns) for text in (frame.examples, frame.decoded, frame.space)]
    assert sum(item.size for item in images) <= MOST_BYTES
    assert len(images[0]) == len(images[1]) >= 2 and len(images[2]) == len(frame.values) ** min(latents, 2)
    assert bool(frame.down) == (latents > 1)


def test_vectors_are_no_images() -> None:
    model = VariationalAutoencoder((6,), 2, (4,), (4,), "relu")
    part = Part(np.zeros((3, 6), dtype=np.float32), np.zeros(3, dtype=np.int64), np.arange(3))
    assert decoded_frame(model, DevicePart(part, Preprocessing(1.0, (0.0,) * 6, (1.0,) * 6), "cpu"), [0, 1], np.zeros(2), step=0) is None

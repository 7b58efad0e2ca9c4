"""Networks with widths of their own: what a genome is, that it builds, that it survives a download."""

from __future__ import annotations

import random
from typing import Any

import pytest
import torch

from search_engine.base.errors import BadInput
from search_engine.base.training_config import TrainingConfig
from search_engine.catalogue import registry
from search_engine.spaces.data_shape import DataShape
from search_engine.spaces.genomes import Genome
from search_engine.spaces.resized import ResizedConfig, ResizedSpace
from search_engine.supernets.resized_network import build, initialise
from search_engine.training.footprint import forward_flops
from search_engine.widths.channels import ChannelGroups
from tests.search_engine.training.samples import small_data

IMAGES = DataShape((1, 8, 8), 10)
VECTORS = DataShape((5,), 3)
CNN: dict[str, Any] = {"of": "plain", "options": {"network": "cnn", "channels": [4, 6], "widths": [8], "batch_norm": True}}


def resized(shape: DataShape = IMAGES, **options: Any) -> ResizedSpace:
    return ResizedSpace(ResizedConfig(**options), shape)


def test_widths_name_the_layers_of_the_network() -> None:
    space = resized(**CNN)
    seed = space.sample(random.Random(0))
    narrow = space.genome(space, seed, {"features.0.0": 2, "features.1.0": 5, "hidden.0.0": 3})
    network = build(space, narrow, "final", TrainingConfig())
    assert [tuple(item.weight.shape) for item in network.modules() if isinstance(item, torch.nn.Conv2d | torch.nn.Linear)] == [
        (2, 1, 3, 3), (5, 2, 3, 3), (3, 5 * 16), (10, 3),
    ]  # fmt: skip
    assert network(torch.zeros(2, 1, 8, 8)).shape == (2, 10)
    assert space.from_string(space.to_string(narrow)) == narrow
    assert "widths" in space.drawings(narrow) and "widths" not in space.drawings(seed)


def test_a_seed_is_the_network_of_its_own_space() -> None:
    space = resized(**CNN)
    seed = space.sample(random.Random(0))
    own_space, own = space.network_of(seed)
    assert own == own_space.dense()  # type: ignore[attr-defined]
    network = build(space, seed, "final", TrainingConfig())
    assert ChannelGroups.of(network, (1, 8, 8)).widths == {"features.0.0": 4, "features.1.0": 6, "hidden.0.0": 8}


def test_other_widths_are_another_genome() -> None:
    space = resized(**CNN)
    seed = space.sample(random.Random(0))
    first, second = (space.genome(space, seed, {"features.0.0": count, "features.1.0": 5, "hidden.0.0": 3}) for count in (1, 2))
    assert len({space.hash(item) for item in (seed, first, second)}) == 3
    # A genome of this space with other widths is the same network with those.
    assert space.genome(space, first, second.content["widths"]) == second


@pytest.mark.parametrize(
    ("shape", "expected"), [(IMAGES, "cnn"), (VECTORS, "perceptron"), (DataShape((5,), 1, "regression"), "perceptron")]
)
def test_auto_follows_the_data(shape: DataShape, expected: str) -> None:
    space = resized(shape)
    genome = space.sample(random.Random(0))
    assert genome.content["of"] == "plain" and genome.content["genome"]["network"] == expected
    assert build(space, genome, "final", TrainingConfig())(torch.zeros(2, *shape.input)).shape == (2, shape.classes)


@pytest.mark.parametrize("channels", [4, 8])
def test_the_width_and_depth_of_cells_stand_in_the_genome(channels: int) -> None:
    space = resized(of="macro", channels=channels)
    genome = space.sample(random.Random(0))
    assert genome.content["channels"] == channels
    built = [build(space, genome, "final", TrainingConfig(channels=other)) for other in (0, 64)]
    assert forward_flops(built[0], IMAGES.input) == forward_flops(built[1], IMAGES.input)
    assert ChannelGroups.of(built[0], IMAGES.input).widths["stem.0"] == channels


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"widths": {"features.0.0": 0}}, "the width of 'features.0.0' is a whole number from 1"),
        ({"of": "resized"}, "of another space"),
        ({"of": "nothing"}, "there is no space 'nothing'"),
        ({"options": {"network": "cubic"}}, "network: Input should be"),
        ({"channels": -1}, "channels is a whole number"),
        ({"genome": {}}, "describes another network"),
    ],
)
def test_what_is_no_genome_is_refused(changes: dict[str, Any], words: str) -> None:
    space = resized(**CNN)
    content = {**space.sample(random.Random(0)).content, **changes}
    with pytest.raises(BadInput, match=words) as refusal:
        space.validate(Genome("resized", content))
    assert refusal.value.field == "genome"


def test_removed_weights_would_come_back() -> None:
    space, plain = resized(**CNN), registry.space("plain")
    own = plain.space(plain.config(**CNN["options"]), IMAGES)
    with pytest.raises(BadInput, match="single weights of this network are removed"):
        space.genome(own, own.sample(random.Random(0)), {})


def test_widths_of_other_layers_are_refused_where_the_network_is_built() -> None:
    space = resized(**CNN)
    wrong = space.genome(space, space.sample(random.Random(0)), {"steps.0.0": 2})
    with pytest.raises(BadInput, match="one width is given for each of features") as refusal:
        build(space, wrong, "final", TrainingConfig())
    assert refusal.value.field == "genome"


@pytest.mark.parametrize(
    ("options", "field", "words"),
    [
        ({"of": "sequence"}, "space_options.of", "there is no space 'sequence' with networks"),
        ({"of": "autoencoder"}, "space_options.of", "networks of 'autoencoder' do reconstruction"),
        ({"of": "plain", "options": {"depth": 3}}, "space_options.options", "depth: Extra inputs"),
    ],
)
def test_a_space_that_cannot_be_is_refused(options: dict[str, Any], field: str, words: str) -> None:
    with pytest.raises(BadInput, match=words) as refusal:
        resized(**options)
    assert refusal.value.field == field


def test_a_perceptron_that_asks_for_pretraining_gets_it() -> None:
    data = small_data(shape=(6,))
    space = resized(data.shape, of="mlp", options={"preset": "seed004", "pretraining_epochs": 1})
    rng = random.Random(0)
    genomes = [space.sample(rng) for _ in range(12)]
    kinds = {genome.content["genome"]["pretrained"] for genome in genomes}
    assert kinds == {"no", "yes"}
    for genome in genomes[:4]:
        narrow = space.genome(space, genome, {"hidden.0.0": 3})
        torch.manual_seed(0)
        network = build(space, narrow, "final", TrainingConfig())
        cost = initialise(network, narrow, space, data, TrainingConfig(), 0, "cpu")
        assert (cost is not None and cost.samples > 0) == (genome.content["genome"]["pretrained"] == "yes")

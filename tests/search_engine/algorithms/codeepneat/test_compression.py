"""Compression in CoDeepNEAT: Algorithms 1 and 2 of the thesis by hand, and populations that arms share (nothing is trained here)."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from search_engine.algorithms.base import Compressed, Context, Proposal, Result
from search_engine.algorithms.codeepneat import advise, check
from search_engine.algorithms.codeepneat.inheriting import inherited
from search_engine.algorithms.codeepneat.search import CoDeepNeat, CoDeepNeatConfig
from search_engine.base.compression import Narrowed
from search_engine.base.errors import BadInput
from search_engine.events import ControlScored, Cost, EventLog, Notice, WidthsFrame
from search_engine.spaces.blueprint.layers import BlueprintConfig
from search_engine.spaces.blueprint.space import BlueprintSpace
from search_engine.spaces.data_shape import DataShape
from search_engine.spaces.genes.graph import OUTPUT, GeneGraph
from search_engine.spaces.genomes import canonical_json
from search_engine.widths.histograms import histogram

from .test_coevolution import SPACE, begin, quality

Widths = dict[str, int]


def layers(proposal: Proposal) -> Widths:
    """The filters of the assembled network, by layer."""
    return {step.name: step.layer["filters"] for step in SPACE.plan(proposal.genome).steps if step.layer is not None}


def shrunk(proposal: Proposal, rng: random.Random) -> Compressed:
    """As a compression would leave it: every layer narrower, copies of a module differently."""
    widths = {name: rng.randint(1, width) for name, width in layers(proposal).items()}
    genome = SPACE.resized(proposal.genome, widths)
    return Compressed(genome, (SPACE.size_of(proposal.genome).flops, SPACE.size_of(genome).flops), widths)


def results(phase: CoDeepNeat, proposals: list[Proposal], rng: random.Random, compressed: bool = True) -> list[Result]:
    return [
        Result(
            number, proposal.genome, "completed", {"reward": quality(proposal.genome)}, Cost(),
            compressed=shrunk(proposal, rng) if compressed else None,
        )
        for number, proposal in enumerate(proposals, start=phase.tally.told)
    ]


def genotypes(phase: CoDeepNeat) -> str:
    """Every byte of both populations."""
    return canonical_json([[each.genes.to_tree() for each in population.individuals] for population in (phase.modules, phase.blueprints)])


def test_the_fittest_user_decides_and_within_it_the_most_costly_copy() -> None:
    """The case of which wrong variants make m1 = (30, 30) and m3 = (99)."""

    def state(*widths: int) -> tuple[float, tuple[int, ...]]:
        return float(widths[0] * (1 + (widths[1] if len(widths) > 1 else 0))), widths

    networks = [
        (0.1, {3: [state(99)]}),
        (0.9, {1: [state(12, 2), state(8, 8)], 2: [state(4)]}),
        (0.8, {1: [state(30, 30)], 3: [state(9)]}),
    ]
    assert inherited(networks) == {1: (8, 8), 2: (4,), 3: (9,)}


def test_of_equally_fit_networks_the_earlier_decides() -> None:
    assert inherited([(0.5, {1: [(1.0, "first")]}), (0.5, {1: [(2.0, "second")]})]) == {1: "first"}


def _expected(phase: CoDeepNeat, told: list[Result]) -> dict[int, dict[int, int]]:
    """Algorithm 2 as a reader of the thesis would do it: by module, filters by layer."""
    blueprints = {one.number: one.genes for one in phase.blueprints.individuals}
    order = sorted(range(len(told)), key=lambda place: -told[place].metrics["reward"])
    marked: set[int] = set()
    found: dict[int, dict[int, int]] = {}
    for place in order:
        built, compressed = phase.open[place], told[place].compressed
        assert compressed is not None
        genes, used = blueprints[built.blueprint], set()
        best: dict[int, float] = {}
        for node in genes.live:
            module = built.picks[genes.allele[node]["species"]]
            used.add(module)
            cost = SPACE.module_flops(compressed.genome).get(node, 0.0)
            if module not in marked and (module not in best or cost > best[module]):
                best[module] = cost
                own = compressed.widths
                found[module] = {int(name.split(".")[1]): width for name, width in own.items() if name.split(".")[0] == str(node)}
        marked |= used
    return found


@pytest.mark.parametrize("seed", range(3))
def test_modules_inherit_and_blueprints_and_unused_modules_stay(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    phase = begin(seed, compress="with_inheritance", networks=12, modules=24, module_species=2)
    proposals = phase.ask()
    told = results(phase, proposals, random.Random(seed))
    before = {one.number: one.genes for one in phase.modules.individuals}
    blueprints = canonical_json([one.genes.to_tree() for one in phase.blueprints.individuals])
    expected = _expected(phase, told)
    after: dict[int, GeneGraph] = {}

    def keep(of_modules: Any, of_blueprints: Any) -> None:
        # Breeding comes next: what it starts from is looked at.
        after.update({one.number: one.genes for one in phase.modules.individuals})
        assert canonical_json([one.genes.to_tree() for one in phase.blueprints.individuals]) == blueprints

    monkeypatch.setattr(phase, "_breed", keep)
    phase.tell(told)
    assert len(expected) > 3 and set(before) - set(expected), "some modules are used, some are not"
    for number, genes in after.items():
        for node, allele in genes.alleles:
            width = before[number].allele[node].get("filters")
            assert allele.get("filters") == expected.get(number, {}).get(node, width)
        assert genes.links == before[number].links


def test_without_inheritance_genotypes_stay_byte_for_byte() -> None:
    """A generation whose networks were compressed leaves what one of equal scores without leaves: Algorithm 1 changes fitness alone."""
    left = []
    for compress in ("none", "without_inheritance", "with_inheritance"):
        phase = begin(7, compress=compress, generations=4)
        for _ in range(3):
            phase.tell(results(phase, phase.ask(), random.Random(0), compressed=compress != "none"))
        left.append(genotypes(phase))
    plain, without, with_inheritance = left
    assert plain == without != with_inheritance


def test_what_is_proposed_for_the_finale_is_the_compressed_network() -> None:
    phase = begin(2, compress="without_inheritance", generations=1)
    told = results(phase, phase.ask(), random.Random(1))
    phase.tell(told)
    best = max(told, key=lambda result: (result.metrics["reward"], -result.number))
    [first, *_] = phase.best()
    assert best.compressed is not None and first.genome == best.compressed.genome != best.genome


def test_every_network_of_every_generation_is_compressed_alike() -> None:
    phase = begin(3, compress="without_inheritance", generations=3, compress_strength=2.0, compress_every=2)
    for _ in range(3):
        proposals = phase.ask()
        assert {proposal.compress for proposal in proposals} == {phase.options.compression}
        phase.tell(results(phase, proposals, random.Random(0)))


def test_with_inheritance_it_may_be_every_second_generation() -> None:
    phase = begin(3, compress="with_inheritance", generations=4, compress_every=2)
    compressed = []
    for _ in range(4):
        proposals = phase.ask()
        compressed.append({proposal.compress is not None for proposal in proposals})
        phase.tell(results(phase, proposals, random.Random(0), compressed=proposals[0].compress is not None))
    assert compressed == [{True}, {False}, {True}, {False}]


def test_a_compressed_layer_need_not_jump_back_into_the_range() -> None:
    from search_engine.spaces.blueprint.layers import changed_layer

    rng, layer = random.Random(0), {"filters": 3, "kernel": 3, "behind": "none", "rate": 0.0, "join": "sum"}
    widths = {changed_layer(layer, SPACE.config, rng)["filters"] for _ in range(400)}
    assert min(widths) >= 3 and any(3 < width < 16 for width in widths)


def test_networks_that_are_trained_both_ways_are_compared_by_rank() -> None:
    phase = begin(5, compress="without_inheritance", plain_sample=4, generations=2)
    proposals = phase.ask()
    assert [proposal.compress.beside for proposal in proposals if proposal.compress is not None] == [True] * 4 + [False] * 8
    told = []
    for place, result in enumerate(results(phase, proposals, random.Random(0))):
        assert result.compressed is not None
        # The plain ones rank the other way round.
        plain = {"reward": 1.0 - 0.1 * place} if place < 4 else None
        compressed = Compressed(result.compressed.genome, result.compressed.flops, result.compressed.widths, plain)
        told.append(Result(result.number, result.genome, "completed", {"reward": 0.1 * place}, Cost(), compressed=compressed))
    phase.context.log.drain()
    phase.tell(told)
    [said] = [event.payload for event in phase.context.log.drain() if isinstance(event.payload, ControlScored)]
    assert said.values["rank_correlation"] == pytest.approx(-1.0) and said.values["networks"] == 4.0
    assert not any(proposal.compress and proposal.compress.beside for proposal in phase.ask())


# ---- which networks are shown


def narrowed(result: Result, share: float, plain: float | None = None) -> Result:
    """The same result of a network that was left so much of its FLOPs."""
    assert result.compressed is not None
    layers = (Narrowed("2.2", 8, 4, histogram([0.01] * 4 + [1.0] * 4, 0.1), False),)
    own = None if plain is None else {"reward": plain}
    compressed = Compressed(result.compressed.genome, (100.0, 100.0 * share), result.compressed.widths, own, layers)
    return Result(result.number, result.genome, "completed", result.metrics, Cost(), compressed=compressed)


def shown(phase: CoDeepNeat) -> list[WidthsFrame]:
    return [event.payload for event in phase.context.log.drain() if isinstance(event.payload, WidthsFrame)]


def test_of_a_generation_the_best_the_fittest_the_most_compressed_and_two_samples_are_shown() -> None:
    phase = begin(5, compress="without_inheritance", plain_sample=4, generations=2)
    first = results(phase, phase.ask(), random.Random(0))
    order = sorted(first, key=lambda result: -result.metrics["reward"])
    phase.tell([narrowed(result, 0.2 if place == 5 else 0.6, 0.3 if place < 4 else None) for place, result in enumerate(first)])
    [frame] = shown(phase)
    assert frame.networks[0].candidate == order[0].number and frame.networks[0].title == "the best so far"
    numbers = [network.candidate for network in frame.networks]
    assert len(numbers) == len(set(numbers)) <= 4 and {5, 0, 1} <= set(numbers)
    assert [network.cost for network in frame.networks if network.candidate == 5] == [0.2]
    state = phase.state_dict()
    # A worse generation: the best of all stays, and what was kept of it comes through a checkpoint.
    again = begin(5, compress="without_inheritance", plain_sample=4, generations=2)
    again.load_state_dict({**state, "narrowing": json.loads(json.dumps(state["narrowing"]))})
    worse = []
    for result in results(again, again.ask(), random.Random(0)):
        compressed = narrowed(result, 0.5)
        worse.append(Result(result.number, result.genome, "completed", {"reward": -1.0}, Cost(), compressed=compressed.compressed))
    again.tell(worse)
    [later] = shown(again)
    assert later.networks[0] == frame.networks[0] and len(later.networks) == 2
    assert later.networks[1].title == "the fittest of the generation" and later.networks[1].candidate == 12


def test_without_compression_nothing_is_shown_and_nothing_is_kept() -> None:
    phase = begin(5, generations=1)
    phase.tell(results(phase, phase.ask(), random.Random(0), compressed=False))
    assert not shown(phase) and "narrowing" not in phase.state_dict()


# ---- widths in a genome


def test_a_genome_of_equal_widths_is_the_same_genome() -> None:
    """At no strength nothing goes: the candidate is what it was, and so is its hash, its seed and its score."""
    for proposal in begin(1, networks=24).ask():
        assert SPACE.resized(proposal.genome, layers(proposal)) == proposal.genome


def test_copies_of_a_module_may_differ_and_the_names_of_layers_stay() -> None:
    rng, parted = random.Random(0), 0
    for proposal in begin(4, networks=24, modules=2, module_species=1).ask():
        compressed = shrunk(proposal, rng)
        assert {step.name: step.layer["filters"] for step in SPACE.plan(compressed.genome).steps if step.layer} == compressed.widths
        assert sum(SPACE.module_flops(proposal.genome).values()) <= SPACE.size_of(proposal.genome).flops
        parted += len(compressed.genome.content["modules"]) > len(proposal.genome.content["modules"])
    assert parted, "the case happened"


# ---- initial populations


def first_generation(**options: Any) -> tuple[str, list[str]]:
    """The digest that is said, and the genomes of the first generation."""
    phase = begin(9, generations=2, **options)
    proposals = phase.ask()
    [said] = [event.payload for event in phase.context.log.drain() if isinstance(event.payload, Notice)]
    assert said.name == "initial_population"
    return said.message, [proposal.genome.key for proposal in proposals]


def test_arms_begin_with_the_same_populations() -> None:
    arms = ("none", "without_inheritance", "with_inheritance")
    found = [first_generation(shared_start=True, compress=arm) for arm in arms]
    assert found[0] == found[1] == found[2] and len(found[0][1]) == 12
    assert first_generation(shared_start=True, module_change=0.9, crossover=0.7) == found[0], "other operators begin alike, too"
    assert first_generation(shared_start=True, modules=17) != found[0]


def test_they_do_not_hang_on_what_was_drawn_before() -> None:
    found = []
    for draws in (0, 5):
        context = Context(
            space=SPACE, options=CoDeepNeatConfig(shared_start=True), seed=3, rng=random.Random(draws), metric="reward", log=EventLog("run")
        )
        phase = CoDeepNeat()
        phase.begin(context, None)
        found.append([proposal.genome for proposal in phase.ask()])
    assert found[0] == found[1]


# ---- refusals


@pytest.mark.parametrize(
    ("space", "options", "field"),
    [
        ({"filters_min": 1, "filters_max": 1}, {"compress": "without_inheritance"}, "options.compress"),
        ({}, {"compress": "with_inheritance", "compress_floor": 1.0}, "options.compress_floor"),
        ({"filters_min": 2, "filters_max": 4}, {"compress": "without_inheritance", "compress_floor": 0.8}, "options.compress_floor"),
        ({}, {"compress": "without_inheritance", "modules": 2}, "options.module_species"),
    ],
)
def test_what_cannot_be_compressed_is_refused(space: dict[str, Any], options: dict[str, Any], field: str) -> None:
    own = BlueprintSpace(BlueprintConfig(**space), DataShape((1, 8, 8), 10))
    with pytest.raises(BadInput) as caught:
        check(CoDeepNeatConfig(**options), own)
    assert caught.value.field == field


def test_the_thesis_s_own_warning_is_said() -> None:
    assert "unstable" in advise(CoDeepNeatConfig(compress="with_inheritance"), SPACE, None)[0]
    assert advise(CoDeepNeatConfig(compress="without_inheritance"), SPACE, None) == []


def test_the_output_has_no_filters() -> None:
    assert all("filters" not in each.genes.allele[OUTPUT] for each in begin(0).modules.individuals)

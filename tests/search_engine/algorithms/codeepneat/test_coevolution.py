"""CoDeepNEAT: credit by hand, assembly, generations, and a planted quality that wrong credit does not find (no training)."""

from __future__ import annotations

import random
from collections.abc import Callable
from statistics import fmean
from typing import Any

import pytest

from search_engine.algorithms.base import Context, Proposal, Result
from search_engine.algorithms.codeepneat import check
from search_engine.algorithms.codeepneat import coevolution as coevolution_module
from search_engine.algorithms.codeepneat import search as search_module
from search_engine.algorithms.codeepneat.assembling import assemblies, species_of
from search_engine.algorithms.codeepneat.credit import Assembly, module_fitness
from search_engine.algorithms.codeepneat.search import CoDeepNeat, CoDeepNeatConfig
from search_engine.base import checkpoint
from search_engine.base.errors import BadInput
from search_engine.events import CoevolutionFrame, Cost, EventLog, decode_floats
from search_engine.spaces.blueprint.layers import BlueprintConfig
from search_engine.spaces.blueprint.space import BlueprintSpace
from search_engine.spaces.data_shape import DataShape
from search_engine.spaces.genes.graph import OUTPUT
from search_engine.spaces.genomes import Genome

SPACE = BlueprintSpace(BlueprintConfig(max_parameters=10**9, max_megaflops=10_000), DataShape((1, 8, 8), 10))
Score = Callable[[Genome], float | None]


def begin(seed: int = 0, **options: Any) -> CoDeepNeat:
    phase = CoDeepNeat()
    chosen = CoDeepNeatConfig(**options)
    phase.begin(Context(space=SPACE, options=chosen, seed=seed, rng=random.Random(seed), metric="reward", log=EventLog("run")), None)
    return phase


def told(proposals: list[Proposal], first: int, score: Score) -> list[Result]:
    """Results of a generation whose first candidate is number `first`; a score of None is a failure."""
    found = []
    for number, proposal in enumerate(proposals, start=first):
        value = score(proposal.genome)
        status, metrics = ("failed", {}) if value is None else ("completed", {"reward": value})
        found.append(Result(number, proposal.genome, status, metrics, Cost()))  # type: ignore[arg-type]
    return found


def quality(genome: Genome) -> float:
    """Hidden: how wide its layers are, mean over each module, mean over modules."""
    modules = genome.content["modules"]
    widths = [[(allele["filters"] - 16) / 52 for node, allele in module["nodes"] if node != OUTPUT] for module in modules]
    return fmean(fmean(each) if each else 0.0 for each in widths) if widths else 0.0


def means(phase: CoDeepNeat, generations: int, score: Score = quality) -> list[float]:
    found = []
    for _ in range(generations):
        results = told(phase.ask(), phase.tally.told, score)
        phase.tell(results)
        found.append(fmean(result.metrics.get("reward", 0.0) for result in results))
    return found


def test_a_module_is_credited_once_per_network() -> None:
    """Module 1 stands for two species of the first network: counted per species it would have (0.2 + 0.2 + 0.8) / 3."""
    built = [Assembly(0, {0: 1, 1: 1}), Assembly(0, {0: 1, 1: 2})]
    assert module_fitness(built, [0.2, 0.8], {0: [1], 1: [2]}) == {1: 0.5, 2: 0.8}


def test_a_module_that_was_not_sampled_has_the_mean_of_its_species() -> None:
    built = [Assembly(0, {0: 1}), Assembly(0, {0: 2})]
    found = module_fitness(built, [0.2, 0.8], {0: [1, 2, 3], 1: [4]})
    assert found[3] == 0.5 and found[4] == 0.5, "of a species without any, the mean of all networks"


def test_every_blueprint_and_where_there_is_room_every_module_is_used() -> None:
    phase = begin(modules=12, blueprints=6, networks=18, module_species=3)
    for seed in range(5):
        built = assemblies(phase.blueprints, phase.modules, 18, random.Random(seed))
        assert {each.blueprint for each in built} == {one.number for one in phase.blueprints.individuals}
        named = {species for one in phase.blueprints.individuals for species in species_of(one.genes)}
        for species in named:
            times = sum(species in each.picks for each in built)
            members = phase.modules.members(species)
            assert len({each.picks[species] for each in built if species in each.picks}) == min(times, len(members))


def test_nodes_of_one_species_have_one_module() -> None:
    phase = begin(seed=3)
    for proposal in phase.ask():
        blueprint, modules = SPACE.parts(proposal.genome)
        assert len(modules) == len({blueprint.allele[node]["module"] for node in blueprint.live})
    for built in phase.open:
        genes = next(one.genes for one in phase.blueprints.individuals if one.number == built.blueprint)
        assert set(built.picks) == set(species_of(genes))


def test_nodes_whose_species_died_out_name_a_living_one() -> None:
    phase = begin(seed=1, modules=10, module_species=4, generations=40)
    gone = 0
    for _ in range(39):
        before = phase._living
        phase.tell(told(phase.ask(), phase.tally.told, quality))
        living = phase._living
        gone += len(set(before) - set(living))
        assert all(one.genes.allele[node]["species"] in living for one in phase.blueprints.individuals for node in one.genes.hidden)
    assert gone > 0, "the case happened"


@pytest.mark.parametrize("seed", range(5))
def test_a_planted_quality_is_found(seed: int) -> None:
    """45 modules in 4 species, 20 blueprints, 40 networks; Miikkulainen's sizes but for the networks."""
    phase = begin(seed, generations=20, networks=40, blueprints=20, modules=45, module_species=4)
    found = []
    for generation in range(15):
        found += means(phase, 1)
        assert (len(phase.modules), len(phase.blueprints)) == (45, 20)
        species = len(phase.modules.species)
        assert 2 <= species <= 8 and (generation < 10 or 4 <= species <= 5), (generation, species)
    assert found[0] < 0.6 and found[10] >= 0.88


def test_wrong_credit_does_not_find_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same with the modules' fitness dealt to others."""
    right, dealer = module_fitness, random.Random(99)

    def shuffled(*arguments: Any) -> dict[int, float]:
        found = right(*arguments)
        values = list(found.values())
        dealer.shuffle(values)
        return dict(zip(found, values, strict=True))

    monkeypatch.setattr(search_module, "module_fitness", shuffled)
    for seed in range(3):
        assert means(begin(seed, generations=20, networks=40, blueprints=20, modules=45, module_species=4), 11)[10] < 0.82


def test_graphs_stay_within_the_space_however_they_meet() -> None:
    """Edges that come back to life and equal parents that give all they have would outgrow it."""
    phase = begin(
        seed=4, generations=30, crossover=1.0, module_add_node=0.9, module_add_link=0.9, blueprint_add_node=0.9, blueprint_add_link=0.9,
        toggle=0.9,
    )
    for _ in range(30):
        phase.tell(told(phase.ask(), phase.tally.told, lambda genome: 0.5))
        assert max(len(one.genes.live) for one in phase.modules.individuals) <= SPACE.config.module_nodes
        assert max(len(one.genes.live) for one in phase.blueprints.individuals) <= SPACE.config.blueprint_nodes
    assert phase.ask() == []


def test_a_failed_network_counts_as_the_worst() -> None:
    """Networks with a wide layer fail: nobody is credited for them, and they die out."""

    def score(genome: Genome) -> float | None:
        layers = [allele for module in genome.content["modules"] for node, allele in module["nodes"] if node != OUTPUT]
        return None if any(layer["filters"] > 60 for layer in layers) else 0.5

    first, last = 0, 0
    for seed in range(4):
        phase = begin(seed, generations=12, networks=24)
        for generation in range(12):
            results = told(phase.ask(), phase.tally.told, score)
            failed = sum(not result.ok for result in results)
            first, last = first + failed * (generation == 0), last + failed * (generation >= 8)
            phase.tell(results)
    assert first >= 12 and last / 4 < first / 2, "a generation at the end has less than half as many as the first"


def test_a_generation_in_which_everything_fails_is_not_the_end() -> None:
    phase = begin(generations=3)
    means(phase, 3, lambda genome: None)
    assert phase.ask() == [] and phase.best() == []


@pytest.mark.parametrize("asked", [False, True], ids=["between generations", "in a generation"])
def test_it_goes_on_alike_from_a_checkpoint(asked: bool) -> None:
    first = begin(seed=5, generations=6)
    means(first, 2)
    proposals = first.ask() if asked else []
    restored = begin(seed=5, generations=6)
    restored.load_state_dict(checkpoint.unpack(checkpoint.pack(first.state_dict())))
    restored.context.rng.setstate(first.context.rng.getstate())
    if asked:
        for phase in (first, restored):
            phase.tell(told(proposals, 24, quality))
    for _ in range(3):
        here, there = first.ask(), restored.ask()
        assert here == there and len(here) == 12
        for phase in (first, restored):
            phase.tell(told(here, phase.tally.told, quality))
    assert repr(first.state_dict()) == repr(restored.state_dict())


def test_parents_are_candidates_of_the_generation_before() -> None:
    phase = begin(generations=4)
    assert all(proposal.parents == () and proposal.operator == "random" for proposal in phase.ask())
    phase.generation = 1
    phase.tell(told([Proposal(SPACE.genome(*_parts_of(phase, number))) for number in range(12)], 0, quality))
    following = phase.ask()
    assert all(proposal.parents and all(0 <= number < 12 for number in proposal.parents) for proposal in following)
    assert {proposal.operator for proposal in following} == {"assembled anew", "new blueprint"}


def _parts_of(phase: CoDeepNeat, number: int) -> Any:
    blueprints = {one.number: one for one in phase.blueprints.individuals}
    modules = {one.number: one for one in phase.modules.individuals}
    return search_module.parts(phase.open[number], blueprints, modules)


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"modules": 2, "module_species": 3}, "options.module_species"), ({"blueprint_species": 9}, "options.blueprint_species"),
        ({"networks": 7}, "options.networks"),
    ],
)
def test_populations_smaller_than_their_parts_are_refused(options: dict[str, Any], field: str) -> None:
    with pytest.raises(BadInput) as caught:
        check(CoDeepNeatConfig(**options), SPACE)
    assert caught.value.field == field


# ---------------------------------------------------------------- the picture


def frames_of(phase: CoDeepNeat) -> list[CoevolutionFrame]:
    return [event.payload for event in phase.context.log.drain() if isinstance(event.payload, CoevolutionFrame)]


def test_the_picture_has_the_champion_with_its_blueprint_and_both_populations() -> None:
    phase = begin(seed=2, generations=6, modules=10, module_species=3)
    told_so_far: list[Result] = []
    for generation in range(6):
        built = phase.ask()
        results = told(built, phase.tally.told, quality)
        told_so_far += results
        members = [{number: len(phase.modules.members(number)) for number in phase._living}, {}]
        members[1] = {each.number: len(each.members) for each in phase.blueprints.species}
        open_now, of_module = list(phase.open), {one.number: one.species for one in phase.modules.individuals}
        genes = {one.number: one.genes for one in phase.blueprints.individuals}
        phase.tell(results)
        [frame] = frames_of(phase)
        assert frame.generations == list(range(generation + 1))
        for table, sizes in zip((frame.modules, frame.blueprints), members, strict=True):
            now = {row.number: decode_floats(row.members)[-1] for row in table.species}
            assert {number: size for number, size in now.items() if size} == sizes
            assert {row.number for row in table.species if row.living} == set(sizes)
        used = {row.number: decode_floats(row.used)[-1] for row in frame.modules.species if row.living}
        assert used == {
            number: sum(any(of_module[module] == number for module in each.modules) for each in open_now) for number in members[0]
        }
        best = max(told_so_far, key=lambda result: (result.metrics["reward"], -result.number))
        assert (frame.candidate, frame.value) == (best.number, best.metrics["reward"])
        assert frame.network == SPACE.drawings(best.genome)["network"]
        if best in results:
            blueprint = genes[open_now[results.index(best)].blueprint]
            assert frame.species == {str(node): blueprint.allele[node]["species"] for node in blueprint.live}
        nodes = {node.id for node in frame.blueprint.nodes if node.kind == "hidden"}
        assert nodes == set(frame.species)
        assert {node.id.split(".")[0] for node in frame.network.nodes if "." in node.id} <= nodes


def test_the_picture_stays_small_however_long_the_search(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coevolution_module, "MOST_SPECIES", 5)
    phase = begin(seed=1, generations=125, networks=8, blueprints=8, modules=12, module_species=5, module_add_node=0.5)
    means(phase, 125)
    frames = frames_of(phase)
    last = frames[-1]
    assert last.generations[-1] == 124 and len(last.generations) <= 61 and len(frames) < 122
    assert len(last.modules.species) == 5 and last.modules.others > 0, "the case happened"
    assert max(len(frame.model_dump_json()) for frame in frames) < 60_000
    everybody = sum(decode_floats(row.members) for row in last.modules.species) + decode_floats(last.modules.members_of_others)
    assert everybody.tolist() == [12.0] * len(last.generations), "nobody is lost by folding"


def test_a_search_from_before_the_picture_goes_on() -> None:
    first, second = begin(seed=5, generations=5), begin(seed=5, generations=5)
    means(first, 2)
    state = first.state_dict()
    del state["coevolution"]
    second.load_state_dict(checkpoint.unpack(checkpoint.pack(state)))
    second.context.rng.setstate(first.context.rng.getstate())
    means(second, 1)
    [frame] = frames_of(second)
    assert frame.generations == [2]

"""One initial population for every arm: whoever searches, whatever else is drawn, however many trials are open."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from search_engine.algorithms.base import Context, Result
from search_engine.algorithms.codeepneat.search import CoDeepNeat, CoDeepNeatConfig
from search_engine.algorithms.hierarchical_evolution.search import HierarchicalEvolution, HierarchicalEvolutionConfig
from search_engine.base.errors import BadInput
from search_engine.base.population_config import PopulationConfig
from search_engine.catalogue import registry
from search_engine.catalogue.config import check
from search_engine.events import Cost, EventLog, Notice
from search_engine.search.local_run import Interrupted, LocalRun
from search_engine.spaces import populations
from search_engine.spaces.data_shape import DataShape
from search_engine.spaces.genomes import canonical_json
from search_engine.spaces.populations import GivenPopulation, Individuals

POPULATION = 8


def searched(folder: Path, algorithm: str, options: dict[str, Any], seed: int = 5) -> tuple[str, list[str]]:
    """The digest that the run says, and its first architectures in ask order."""
    config = {"algorithm": algorithm, "space": "sequence", "seed": seed, "budget": {"trials": POPULATION + 6}, "options": options}
    out = folder / f"{algorithm}-{seed}-{len(list(folder.iterdir()))}"
    LocalRun(check(config), folder, out).run()
    rows = [json.loads(line) for line in (out / "events.jsonl").read_text().splitlines()]
    said = [row["data"]["message"] for row in rows if row["kind"] == "notice" and row["data"]["name"] == "initial_population"]
    born = [row["data"]["genome_hash"] for row in rows if row["kind"] == "candidate_born"]
    assert len(said) <= 1
    return said[0] if said else "", born[:POPULATION]


def test_two_algorithms_begin_with_the_same_individuals(tmp_path: Path) -> None:
    shared = {"shared_start": True, "population": POPULATION, "sample": 3}
    aging = searched(tmp_path, "regularized_evolution", shared)
    found = [
        searched(tmp_path, "evo_nas", shared),
        searched(tmp_path, "evo_nas", {**shared, "training": "reinforce", "mutation_probability": 0.9}),
        searched(tmp_path, "regularized_evolution", {**shared, "window": 4, "mutation_probability": 0.5}),
    ]
    assert all(each == aging for each in found) and "digest" in aging[0]
    assert searched(tmp_path, "regularized_evolution", shared, seed=6)[0] != aging[0]


def test_without_it_everybody_begins_for_himself(tmp_path: Path) -> None:
    """The control: the policy's first individuals are its own."""
    own = {"population": POPULATION, "sample": 3}
    first, second = searched(tmp_path, "regularized_evolution", own), searched(tmp_path, "evo_nas", own)
    assert first[0] == second[0] == "" and first[1] != second[1]


@pytest.mark.parametrize("algorithm", ["hierarchical_evolution", "codeepneat"])
def test_whoever_has_an_initial_population_has_the_option(algorithm: str) -> None:
    assert "shared_start" in registry.algorithm(algorithm).config.model_fields


def test_hierarchical_evolution_begins_with_shared_motifs() -> None:
    entry = registry.space("hierarchical")
    space = entry.space(entry.config(), DataShape((1, 8, 8), 10))
    found = []
    for draws, tournament in ((0, 0.05), (9, 0.5)):
        options = HierarchicalEvolutionConfig(shared_start=True, initial=3, tournament=tournament)
        log = EventLog("run")
        phase = HierarchicalEvolution()
        phase.begin(Context(space=space, options=options, seed=2, rng=random.Random(draws), metric="reward", log=log), None)
        genomes = [phase.ask()[0].genome.key for _ in range(3)]
        [said] = [event.payload.message for event in log.drain() if isinstance(event.payload, Notice)]
        found.append((said, genomes))
    assert found[0] == found[1] and len(set(found[0][1])) == 3


# ---- kept, and given


def run(folder: Path, algorithm: str, population: Path | None = None, seed: int = 5, **options: Any) -> list[dict[str, Any]]:
    """The events of a run in `folder`; `population`: the file that it begins with."""
    config: dict[str, Any] = {"algorithm": algorithm, "space": "sequence", "seed": seed, "budget": {"trials": POPULATION + 6}}
    config["options"] = {"population": POPULATION, "sample": 3, **options}
    if population is not None:
        config["population"] = populations.read(population)[0].model_dump()
    LocalRun(check(config), folder, folder, population=population).run()
    return [json.loads(line)["data"] for line in (folder / "events.jsonl").read_text().splitlines()]


def said(events: list[dict[str, Any]]) -> list[str]:
    return [event["message"] for event in events if event["kind"] == "notice" and event["name"] == "initial_population"]


def first(events: list[dict[str, Any]]) -> list[str]:
    return [event["genome_hash"] for event in events if event["kind"] == "candidate_born"][:POPULATION]


def test_another_algorithm_of_another_seed_begins_with_what_a_run_kept(tmp_path: Path) -> None:
    mother = run(tmp_path / "a", "regularized_evolution", shared_start=True)
    for name, algorithm, seed in (("b", "evo_nas", 6), ("c", "regularized_evolution", 77)):
        child = run(tmp_path / name, algorithm, tmp_path / "a", seed=seed)
        assert first(child) == first(mother) and said(child) == said(mother)
        # And hands it on.
        assert (tmp_path / name / populations.FILE).read_bytes() == (tmp_path / "a" / populations.FILE).read_bytes()
    later = [event["genome_hash"] for event in child if event["kind"] == "candidate_born"][POPULATION:]
    own = [event["genome_hash"] for event in mother if event["kind"] == "candidate_born"][POPULATION:]
    assert later != own, "only the beginning is given"
    config, individuals = populations.read(tmp_path / "a")
    assert config.sizes == {"genomes": POPULATION} and len(individuals["genomes"]) == POPULATION
    assert config.digest[:16] in said(mother)[0]


def test_nothing_is_kept_where_nothing_is_shared(tmp_path: Path) -> None:
    run(tmp_path / "a", "regularized_evolution")
    assert not (tmp_path / "a" / populations.FILE).exists()


@pytest.mark.parametrize(("changes", "reason"), [
    ({"space_options": {"n": 7}}, "a space whose n is"),
    ({"space": "two_convolutions", "datasets": ["digits"]}, "of the space 'sequence', and this search is of 'two_convolutions'"),
    ({"options": {"population": 9}}, "it has 8 genomes, and .* begins with 9 genomes"),
    ({"algorithm": "random", "options": {}}, "does not begin with a population"),
])  # fmt: skip
def test_what_does_not_fit_is_refused_by_its_reason(changes: dict[str, Any], reason: str, tmp_path: Path) -> None:
    run(tmp_path / "a", "regularized_evolution", shared_start=True)
    given = populations.read(tmp_path / "a")[0].model_dump()
    options = {"population": POPULATION, "sample": 3}
    config = {"algorithm": "regularized_evolution", "space": "sequence", "budget": {"trials": 9}, "options": options}
    check({**config, "population": given})
    with pytest.raises(BadInput, match=reason) as caught:
        check({**config, **changes, "population": given})
    assert caught.value.field == "population"


def test_a_file_that_is_none_or_was_changed_is_refused(tmp_path: Path) -> None:
    run(tmp_path / "a", "regularized_evolution", shared_start=True)
    file = tmp_path / "a" / populations.FILE
    content = json.loads(file.read_text())
    broken = {
        "no JSON": "{", "no population": "[]", "format 9": json.dumps({**content, "format": 9}),
        "damaged": json.dumps({**content, "individuals": {"genomes": content["individuals"]["genomes"][1:]}}),
    }
    for text in broken.values():
        (tmp_path / "other.json").write_text(text)
        with pytest.raises(BadInput, match=r"other\.json"):
            populations.read(tmp_path / "other.json")
    with pytest.raises(BadInput, match="cannot be read"):
        populations.read(tmp_path / "nowhere.json")
    # Of the right form, and other individuals: the search finds it before its first trial.
    genomes = content["individuals"]["genomes"]
    (tmp_path / "other.json").write_text(json.dumps({**content, "individuals": {"genomes": [genomes[1], *genomes[1:]]}}))
    with pytest.raises(BadInput, match="the file was changed"):
        run(tmp_path / "b", "evo_nas", tmp_path / "other.json")
    (tmp_path / "other.json").write_text(json.dumps({**content, "individuals": {"genomes": [{"choices": [99]}, *genomes[1:]]}}))
    with pytest.raises(BadInput, match="individual 0 is no genome of 'sequence'"):
        run(tmp_path / "c", "evo_nas", tmp_path / "other.json")


def test_an_interrupted_run_goes_on_with_its_population(tmp_path: Path) -> None:
    run(tmp_path / "a", "regularized_evolution", shared_start=True)
    given = populations.read(tmp_path / "a")[0].model_dump()
    config = check({
        "algorithm": "evo_nas", "space": "sequence", "seed": 3, "budget": {"trials": 30}, "population": given,
        "options": {"population": POPULATION, "sample": 3},
    })  # fmt: skip
    whole = LocalRun(config, tmp_path, tmp_path / "whole", population=tmp_path / "a")
    whole.run()
    calls = iter([False, True])
    cut = LocalRun(config, tmp_path, tmp_path / "cut", population=tmp_path / "a", slice_seconds=0)
    try:
        cut.run(stop=lambda: next(calls, True))
    except Interrupted:
        LocalRun(config, tmp_path, tmp_path / "cut", resume=True).run()
    science = [
        [line for line in map(json.loads, (tmp_path / name / "events.jsonl").read_text().splitlines()) if line["science"]]
        for name in ("whole", "cut")
    ]
    assert [line["data"] for line in science[0]] == [line["data"] for line in science[1]]


def test_codeepneat_begins_with_both_populations_and_the_first_networks_of_another_one() -> None:
    entry = registry.space("blueprint")
    space = entry.space(entry.config.model_validate({"max_parameters": 10**9, "max_megaflops": 10_000}), DataShape((1, 8, 8), 10))
    kept: list[tuple[PopulationConfig, Individuals]] = []

    def begun(seed: int, given: GivenPopulation | None = None, **options: Any) -> tuple[CoDeepNeat, list[str]]:
        phase, log = CoDeepNeat(), EventLog("run")
        phase.begin(Context(
            space=space, options=CoDeepNeatConfig(**options), seed=seed, rng=random.Random(seed), metric="reward", log=log,
            population=given,
            keep_population=lambda config, individuals: kept.append((config, individuals)),
        ), None)  # fmt: skip
        proposals = phase.ask()
        genomes = [proposal.genome.key for proposal in proposals]
        phase.tell([Result(n, proposal.genome, "completed", {"reward": n / 20}, Cost()) for n, proposal in enumerate(proposals)])
        return phase, genomes

    _, networks = begun(1, shared_start=True, generations=2)
    config, individuals = kept[0]
    # As it stands in the file.
    individuals = json.loads(canonical_json(individuals))

    class Read(GivenPopulation):
        def individuals(self) -> Individuals:
            return individuals

    phase, same = begun(2, Read(config, None), compress="without_inheritance", generations=2)
    assert same == networks and kept[1][0] == config and kept[1][1] == individuals
    # Offspring get numbers that nobody has: equal numbers are equal edges.
    edges: dict[int, set[tuple[int, int]]] = {}
    for individual in phase.modules.individuals:
        for link in individual.genes.links:
            edges.setdefault(link.innovation, set()).add((link.source, link.target))
    assert all(len(each) == 1 for each in edges.values())
    assert config.sizes == CoDeepNeatConfig().initial_population
    with pytest.raises(BadInput, match="cannot be read"):
        individuals["modules"][0] = [[3]]
        begun(2, Read(config, None))

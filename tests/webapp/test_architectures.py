"""Architectures that people paste: read, drawn, trained as they are, and searched from."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from search_engine.catalogue import registry
from search_engine.catalogue.architectures import make_space, read
from search_engine.spaces import populations
from webapp.api import architectures
from webapp.api.throttles import ReadingRate
from webapp.core.models import Experiment, ModelArtefact, Run
from webapp.jobs.given import kept_population

from .api_world import browser, make_user, send
from .searches import serve_all

pytestmark = pytest.mark.django_db(transaction=True)
NB201 = "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|nor_conv_1x1~0|none~1|none~2|"
GENOTYPE = (
    "Genotype(normal=[('skip_connect', 0), ('sep_conv_3x3', 1)], normal_concat=[2], "
    "reduce=[('max_pool_3x3', 0), ('skip_connect', 1)], reduce_concat=[2])"
)
SMALL = {"epochs": 1, "train_examples": 64, "channels": 4, "layers": 1}
BODY: dict[str, Any] = {
    "space": "nb201", "datasets": ["digits"], "training": SMALL,
    "finale": {"baselines": 0, "onnx": False, "redundancy": False, "training": SMALL},
}


@pytest.fixture
def client() -> Any:
    return browser(make_user("ada"))


def asked(client: Any, text: Any, **more: Any) -> Any:
    return send(client, "POST", "architectures", {"text": text, **more})


@pytest.mark.parametrize(
    ("text", "space", "options", "drawn"),
    [(NB201, "nb201", {}, ["cell"]), (GENOTYPE, "cell", {"nodes": 1}, ["normal", "reduction"])],
)
def test_it_is_what_the_engine_reads(client: Any, text: str, space: str, options: dict[str, Any], drawn: list[str]) -> None:
    answer = asked(client, f"\n  {text} ")
    assert answer.status_code == 200, answer.content
    found, said = read(text), answer.json()
    assert (said["space"], said["space_options"]) == (space, options)
    assert sorted(said["drawings"]) == drawn
    assert said["drawings"] == {name: graph.model_dump(mode="json") for name, graph in found.drawings.items()}
    assert (said["string"], said["hash"], said["genome"]) == (found.string, found.hash, found.genome.to_json())
    assert said["text"] == found.string, "both of these spaces read what they write"
    assert said["trains"] and {"id": "regularized_evolution", "title": "Regularized evolution"} in said["searches"]
    for again in (said["text"], json.dumps(said["genome"]), json.dumps(found.to_json())):
        assert asked(client, again, space_options=options).json()["hash"] == said["hash"]
    assert not Experiment.objects.exists()


def test_a_genome_whose_space_searches_nothing_but_itself_says_so(client: Any) -> None:
    said = asked(client, "3 1 2 4", space="sequence", space_options={"n": 4}).json()
    assert said["string"] == "3 1 2 4" and said["space_options"] == {"n": 4}
    assert not said["trains"], "a formula scores it: there is nothing to train"
    assert {"id": "regularized_evolution", "title": "Regularized evolution"} in said["searches"]


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ({"text": "Genotype(normal=[('skip_connect', 0), ('sep_conv_3x3'"}, "text", "Genotype"),
        ({"text": NB201.replace("nor_conv_3x3", "nor_conv_5x5")}, "text", "nor_conv_5x5"),
        ({"text": GENOTYPE.replace("sep_conv_3x3", "transformer")}, "text", "transformer"),
        ({"text": "3 1 2"}, "space", "name it"),
        ({"text": NB201, "space": "nothing"}, "space", "nothing"),
        ({"text": GENOTYPE, "space_options": {"nodes": "many"}}, "space_options.nodes", "integer"),
        ({"text": '{"name": "ada", "age": 36}'}, "space", "name it"),
        ({"text": '{"space": "nb201", "content": {"bits": [1, 0]}}'}, "text", "nb201"),
        ({"text": '{"space": "nb201", "content": 4}'}, "text", "object"),
        ({"text": '{"space": ["nb201"], "content": {}}'}, "space", "id"),
        ({"text": "{" * 40_000}, "text", "JSON"),
        ({"text": "[1, 2]"}, "space", "name it"),
        ({"text": "  "}, "text", "empty"),
        ({"text": 5}, "text", "string"),
        ({}, "text", "required"),
        ({"text": NB201, "more": 1}, "more", "no such option"),
        ({"text": "|" * (architectures.LONGEST + 1)}, "text", "50000 characters"),
    ],
)
def test_bad_input_names_its_field(client: Any, body: dict[str, Any], field: str, words: str) -> None:
    answer = send(client, "POST", "architectures", body)
    assert answer.status_code == 400, answer.content
    assert answer.json()["field"] == field, answer.content
    assert words.lower() in answer.json()["detail"].lower()


def test_a_megabyte_is_refused_and_so_is_asking_without_end(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert asked(client, "|" * 1_000_000).status_code in (400, 413)
    monkeypatch.setattr(ReadingRate, "RATE", 2)
    grace = browser(make_user("grace"))
    assert [asked(grace, NB201).status_code for _ in range(3)] == [200, 200, 429]


def test_it_is_trained_as_it_is(client: Any) -> None:
    said = asked(client, NB201).json()
    body = {**BODY, "algorithms": [{"id": "given_architecture", "options": {"architecture": said["text"]}}]}
    answer = send(client, "POST", "experiments", {**body, "training": {}})
    assert answer.status_code == 201, answer.content
    run = Run.objects.get()
    serve_all(run)
    assert run.state == Run.State.COMPLETED, run.reason
    assert ModelArtefact.objects.get(title="given architecture").genome_hash == said["hash"]


EVOLUTION = {"id": "regularized_evolution", "options": {"population": 4, "sample": 2}}


def begun(client: Any, **changes: Any) -> Any:
    return send(client, "POST", "experiments", {**BODY, "algorithms": [EVOLUTION], "budget": {"trials": 5}, "start": [NB201], **changes})


def test_searches_begin_with_it_and_with_children_of_their_own(client: Any) -> None:
    answer = begun(client, seeds=[1, 2])
    assert answer.status_code == 201, answer.content
    assert answer.json()["config"]["start"] == [NB201], "the next experiment like it starts from it"
    firsts = [populations.read(kept_population(run.pk))[1]["genomes"] for run in Run.objects.order_by("seed")]
    wanted = read(NB201).genome.content
    assert [each[0] for each in firsts] == [wanted, wanted] and firsts[0] != firsts[1]


def test_a_search_tries_what_it_was_begun_with(client: Any) -> None:
    body: dict[str, Any] = {
        "algorithms": [EVOLUTION], "space": "sequence", "space_options": {"n": 4}, "budget": {"trials": 6}, "start": ["3 1 2 4", "4 4 4 4"],
    }
    answer = send(client, "POST", "experiments", body)
    assert answer.status_code == 201, answer.content
    run = Run.objects.get()
    [first, second, *children] = populations.read(kept_population(run.pk))[1]["genomes"]
    assert [first, second] == [read(text, "sequence", {"n": 4}).genome.content for text in body["start"]] and len(children) == 2
    serve_all(run)
    assert run.state == Run.State.COMPLETED, run.reason
    born = [row.genome.content for row in run.candidates.order_by("number").select_related("genome")[:4]]
    assert born == [first, second, *children]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"start": [NB201.replace("none", "nothing")]}, "nothing"),
        ({"start": [GENOTYPE]}, "nb201"),
        ({"start": [NB201] * 5}, "population has 4"),
        ({"algorithms": [{"id": "random"}]}, "Random search does not begin with"),
        ({"seeds": list(range(100)), "algorithms": [{"id": "regularized_evolution", "options": {"population": 1_000}}]}, "100,000"),
    ],
)
def test_what_a_search_cannot_begin_with_is_refused_before_anything_is_stored(client: Any, changes: dict[str, Any], words: str) -> None:
    answer = begun(client, **changes)
    assert answer.status_code == 400, answer.content
    assert [problem["field"] for problem in answer.json()["problems"]] == ["start"]
    assert words in answer.json()["problems"][0]["message"]
    assert not Run.objects.exists()


def test_of_two_beginnings_one_is_to_be_named(client: Any) -> None:
    assert begun(client).status_code == 201
    run = Run.objects.get()
    [problem] = begun(client, population=str(run.pk)).json()["problems"]
    assert problem["field"] == "start" and "one of the two" in problem["message"]


def test_where_a_space_does_not_read_what_it_writes_the_genome_is_given(client: Any) -> None:
    space = make_space(registry.space("plain"), {})
    genome = space.sample(random.Random(1))
    said = asked(client, json.dumps(genome.to_json())).json()
    assert said["string"] == space.to_string(genome) != said["text"]
    assert asked(client, said["text"]).json()["hash"] == said["hash"] == space.hash(genome)

"""Runs that begin with a finished model of one's own: through the API and workers to the end, and whatever can be wrong with the model."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from search_engine.algorithms.base import QUICK_TRIALS, AlgorithmEntry, Proposal, Result, SteadyConfig
from search_engine.algorithms.given import GivenModel
from search_engine.algorithms.trials.search import TrialSearch
from search_engine.base.errors import BadInput
from search_engine.events import Notice
from tests.search_engine import toys
from webapp.core.models import Event, ModelArtefact, Run
from webapp.jobs import files, states
from webapp.jobs.given import given_weights

from .api_world import browser, make_user, send
from .searches import serve_all

pytestmark = pytest.mark.django_db(transaction=True)
SMALL = {"epochs": 1, "train_examples": 128}
BODY: dict[str, Any] = {
    "algorithms": [{"id": "random"}], "space": "plain", "datasets": ["digits"], "budget": {"trials": 1}, "training": SMALL,
    "finale": {"baselines": 0, "onnx": False, "redundancy": False, "training": SMALL},
}


class Again(TrialSearch[SteadyConfig]):
    """Tries the given network's architecture, and says what its weights are."""

    finite = True
    keeps = ("over",)
    over = False

    def ask(self) -> list[Proposal]:
        assert self.context.given is not None
        if self.over:
            return []
        self.over = True
        return [Proposal(self.context.given.genome, operator="given")]

    def tell(self, results: list[Result]) -> None:
        given = self.context.given
        assert given is not None
        state = given.network().state_dict()
        said = hashlib.sha256(b"".join(value.numpy().tobytes() for _, value in sorted(state.items()))).hexdigest()
        self.context.emit(Notice(name="given", message=said), 1)
        super().tell(results)


def refuse_wide(options: SteadyConfig, space: Any, given: GivenModel) -> None:
    if given.training.epochs > 1:
        raise BadInput("model", "layer 'stem' was trained for too long")


ENTRY = AlgorithmEntry(
    id="again", title="Once more", family="sampling", summary="Tries it again.", source="a test", needs=frozenset({"trials"}),
    space_needs=frozenset({"sample"}), config=SteadyConfig, phases=lambda options: [Again()], begins_with=f"{__name__}:refuse_wide",
    begins_with_label="Repeat", quick=QUICK_TRIALS,
)


@pytest.fixture
def installed() -> Iterator[None]:
    with toys.registered(algorithms=(ENTRY,)):
        yield


@pytest.fixture
def owner() -> Any:
    return make_user("ada")


@pytest.fixture
def model(installed: None, owner: Any) -> ModelArtefact:
    """One that a search found."""
    answer = send(browser(owner), "post", "experiments", BODY)
    assert answer.status_code == 201, answer.content
    run = Run.objects.get()
    serve_all(run)
    assert run.state == Run.State.COMPLETED, run.reason
    return ModelArtefact.objects.get()


def begun(owner: Any, model_id: Any, **changes: Any) -> Any:
    return send(browser(owner), "post", "experiments", {**BODY, "algorithms": [{"id": "again"}], "model": str(model_id), **changes})


def weights_digest(model: ModelArtefact) -> str:
    from safetensors.torch import load_file

    state = load_file(files.run_dir(model.run_id) / "model" / "model.safetensors")
    return hashlib.sha256(b"".join(value.numpy().tobytes() for _, value in sorted(state.items()))).hexdigest()


def test_a_run_begins_with_it_and_so_does_its_clone_after_the_model_is_deleted(owner: Any, model: ModelArtefact) -> None:
    wanted, digest, first = model.genome_hash, weights_digest(model), model.run
    answer = begun(owner, model.pk)
    assert answer.status_code == 201, answer.content
    run = Run.objects.exclude(pk=first.pk).get()
    states.delete_experiment(first.experiment)
    files.collect_garbage()
    serve_all(run)
    copy = states.clone_run(run, seed=3)
    serve_all(copy)
    for each in (run, copy):
        assert each.state == Run.State.COMPLETED, each.reason
        assert each.best_genome_hash == wanted
        assert Event.objects.get(run=each, kind="notice", data__name="given").data["message"] == digest


def test_a_list_of_models_says_what_can_be_begun_with_each(owner: Any, model: ModelArtefact) -> None:
    [row] = browser(owner).get("/api/v1/models").json()["results"]
    assert {"algorithm": "again", "title": "Once more", "label": "Repeat"} in row["begins"]
    assert {item["algorithm"] for item in row["begins"]} >= {"morphnet", "network_morphism"}
    ModelArtefact.objects.update(bundle_damage="three bytes differ")
    [row] = browser(owner).get("/api/v1/models").json()["results"]
    assert row["begins"] == []


def problems(answer: Any) -> dict[str, str]:
    assert answer.status_code in (400, 422), answer.content
    return {problem["field"]: problem["message"] for problem in answer.json()["problems"]}


def test_what_cannot_be_begun_with_is_refused_before_anything_is_stored(owner: Any, model: ModelArtefact) -> None:
    assert "you have no model" in problems(begun(owner, uuid4()))["model"]
    assert "you have no model" in problems(begun(make_user("eve"), model.pk))["model"], "somebody else's is no one's"
    assert "does not begin with" in problems(begun(owner, model.pk, algorithms=[{"id": "random"}]))["model"]
    assert "1 x 8 x 8" in problems(begun(owner, model.pk, datasets=["breast_cancer"], space="mlp", training={}, finale={}))["model"]
    folder = files.run_dir(model.run_id) / "model"
    manifest = (folder / "manifest.json").read_text()
    (folder / "manifest.json").write_text(manifest.replace('"epochs": 1', '"epochs": 2'))
    assert "layer 'stem'" in problems(begun(owner, model.pk))["model"]
    (folder / "manifest.json").write_text("{")
    assert "damaged" in problems(begun(owner, model.pk))["model"]
    assert Run.objects.count() == 1


def test_weights_that_changed_meanwhile_end_the_run_with_the_reason(owner: Any, model: ModelArtefact) -> None:
    assert begun(owner, model.pk).status_code == 201
    run = Run.objects.exclude(pk=model.run_id).get()
    place = given_weights(run.pk)
    data = place.read_bytes()
    place.unlink()
    place.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    serve_all(run)
    assert run.state == Run.State.FAILED and "not those that the run was made with" in run.reason


# ---- an initial population


SEQUENCES: dict[str, Any] = {"space": "sequence", "datasets": ["learn_to_count"], "budget": {"trials": 12}}
POPULATION = {"population": 6, "sample": 2}


def evolved(owner: Any, algorithm: str = "regularized_evolution", seed: int = 0, more: dict[str, Any] | None = None, **changes: Any) -> Any:
    body = {**SEQUENCES, "algorithms": [{"id": algorithm, "options": {**POPULATION, **(more or {})}}], "seeds": [seed], **changes}
    return send(browser(owner), "post", "experiments", body)


def first_genomes(run: Run) -> list[str]:
    born = Event.objects.filter(run=run, kind="candidate_born").order_by("seq").values_list("data__genome_hash", flat=True)
    return list(born)[: POPULATION["population"]]


def test_a_run_begins_with_the_population_of_another_and_so_does_its_clone(owner: Any) -> None:
    assert evolved(owner, more={"shared_start": True}).status_code == 201
    mother = Run.objects.get()
    serve_all(mother)
    answer = evolved(owner, "evo_nas", seed=9, population=str(mother.pk))
    assert answer.status_code == 201, answer.content
    child = Run.objects.exclude(pk=mother.pk).get()
    wanted = first_genomes(mother)
    states.delete_experiment(mother.experiment)
    files.collect_garbage()
    serve_all(child)
    copy = states.clone_run(child, seed=3)
    serve_all(copy)
    for each in (child, copy):
        assert each.state == Run.State.COMPLETED, each.reason
        assert first_genomes(each) == wanted


def test_a_population_that_is_not_there_or_does_not_fit_is_refused_at_its_field(owner: Any) -> None:
    def reason(answer: Any) -> str:
        found = problems(answer)
        assert set(found) == {"population"}
        return found["population"]

    evolved(owner, more={"shared_start": True})
    mother = Run.objects.get()
    assert "kept no initial population" in reason(evolved(owner, population=str(mother.pk)))
    serve_all(mother)
    assert "you have no run" in reason(evolved(make_user("eve"), population=str(mother.pk)))
    assert "you have no run" in reason(evolved(owner, population=str(uuid4())))
    assert "it has 6 genomes" in reason(evolved(owner, more={"population": 7}, population=str(mother.pk)))
    assert "a space whose n is" in reason(evolved(owner, space_options={"n": 7}, population=str(mother.pk)))
    assert Run.objects.count() == 1, "nothing was begun"

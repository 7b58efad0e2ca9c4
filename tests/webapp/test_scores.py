"""Every score that the API says carries its kind, unit, direction, fidelity and selection; visits to the test split are counted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from search_engine import events as say
from webapp.api.present import run_infos, run_rows
from webapp.core.models import Run, TestVisit
from webapp.jobs import states

from .api_world import browser, fill, make_experiment, make_user, send, tell

pytestmark = pytest.mark.django_db
DOCUMENT = yaml.safe_load((Path(__file__).resolve().parents[2] / "docs" / "openapi.yaml").read_text())
SCHEMAS: dict[str, Any] = DOCUMENT["components"]["schemas"]

MEASURED = {"TrialInfo.value", "CandidateColumns.value"}
"""Bare values: their description names the run's `search_measure`, which says the rest."""
LOGGED = {
    "Champion.value", "Incumbent.value", "ClassScores.accuracy", "ClassScores.balanced_accuracy", "PathwaysFrame.fitness",
    "MotifsFrame.value", "CoevolutionFrame.value", "Morphed.value", "SchemataPart.mean_fitness", "NarrowedNetwork.value",
    "JudgedFigure.value", "CalibrationBin.accuracy",
}
"""In the log, with metric, fidelity and count beside them; by class, with the split beside them; of paths, motifs, populations and
morphisms, with the metric; of an assessment, with unit and direction beside them; of a bin, with
its confidence and count."""
NO_SCORES = {
    "Feature.value", "TargetValue.value",
    "DecodedFrame.values", "ChartMark.value", "Track.values", "StructureSeries.values", "ChartSeries.values", "AtlasEstimate.value",
}
"""Inputs of an example, what a regression answers to one, pixels, points of curves under the curve's name, and cells of a table under
its row's title and unit."""


@pytest.fixture
def owner() -> Any:
    return make_user("ada")


@pytest.fixture
def client(owner: Any) -> Any:
    return browser(owner)


@pytest.fixture
def run(owner: Any) -> Run:
    return make_experiment(owner).runs.get()


def names(node: Any) -> set[str]:
    """Schemas that a property refers to, through lists and alternatives."""
    if isinstance(node, dict):
        own = {node["$ref"].rpartition("/")[2]} if "$ref" in node else set()
        return own.union(*map(names, node.values())) if node else own
    return set().union(*map(names, node)) if isinstance(node, list) else set()


def is_number(node: Any) -> bool:
    text = str(node)
    return "'number'" in text and "additionalProperties" not in text


def test_every_score_of_the_document_is_a_score() -> None:
    wrong = []
    for schema, body in SCHEMAS.items():
        for name, prop in body.get("properties", {}).items():
            place = f"{schema}.{name}"
            scorelike = name in ("value", "values") or any(word in name for word in ("score", "accuracy", "fitness", "reward"))
            if not scorelike or schema == "Score" or place in LOGGED | NO_SCORES:
                continue
            if place in MEASURED:
                assert "search_measure" in prop["description"], place
            elif is_number(prop):
                wrong.append(place)
    assert not wrong, f"a number without its kind: make it a Score, or say its measure beside it: {wrong}"
    for schema in ("Run", "RunDetail", "Model"):
        for kind in ("search", "validation", "test"):
            assert names(SCHEMAS[schema]["properties"][f"{kind}_score"]) == {"Score"}
    required = {"kind", "metric", "name", "unit", "direction", "value", "fidelity", "selected_from"}
    assert required <= set(SCHEMAS["Score"]["required"])


def scores_in(answer: Any, at: str = "") -> list[tuple[str, Any]]:
    if isinstance(answer, list):
        return [found for place, item in enumerate(answer) for found in scores_in(item, f"{at}[{place}]")]
    if not isinstance(answer, dict):
        return []
    own = [(f"{at}.{name}", value) for name, value in answer.items() if name.endswith("_score") and value is not None]
    return own + [found for name, value in answer.items() for found in scores_in(value, f"{at}.{name}")]


def test_every_score_of_every_answer_says_what_it_is(client: Any, run: Run) -> None:
    fill(run)
    seen: set[str] = set()
    for path in ("runs", f"runs/{run.pk}", f"runs/{run.pk}/snapshot", "models", "experiments", f"experiments/{run.experiment_id}"):
        answer = send(client, "GET", path).json()
        for place, score in scores_in(answer):
            kind = place.rpartition(".")[2].removesuffix("_score")
            assert score["kind"] == kind and score["unit"] and score["name"] and score["fidelity"]["text"], place
            assert score["direction"] in ("maximise", "minimise") and score["selected_from"] >= 1, place
            seen.add(kind)
    assert seen == {"search", "validation", "test"}


def test_the_three_scores_of_a_run_are_three(client: Any, run: Run) -> None:
    fill(run)
    shown = send(client, "GET", f"runs/{run.pk}").json()
    assert [shown[f"{kind}_score"]["value"] for kind in ("search", "validation", "test")] == [0.9, 0.95, 0.97]
    assert shown["search_score"]["selected_from"] == 6 and shown["test_score"]["selected_from"] == 1
    assert shown["search_score"]["fidelity"]["epochs"] == 3 and shown["test_score"]["fidelity"]["epochs"] == 12
    (model,) = shown["models"]
    assert model["warnings"] == ["The classes are unequal."] and model["by_class"][0]["recall"] == [0.99, 0.0]


def test_the_finished_network_s_score_is_never_the_search_s(client: Any, run: Run) -> None:
    """A search on a super-network scores no architecture of its own: it has no search score, not that of its finalist."""
    genome = {"genome": {"space": "cell", "content": {}}, "genome_hash": "h"}
    tell(run, "run", [(0, say.FinalistChosen(index=0, role="finalist", title="Best", string="s", finish="retrain", **genome))])
    score = say.Score(
        kind="validation", metric="val_accuracy", name="validation accuracy", unit="share of examples", direction="maximise", value=0.97,
        fidelity=say.Fidelity(text="trained for 12 epochs", epochs=12), selected_from=1,
    )
    model = say.ModelScored(index=0, role="finalist", genome_hash="h", metrics={"val_accuracy": 0.97}, scores=[score], bundle=False)
    tell(run, "final:0", [(0, model)])
    shown = send(client, "GET", f"runs/{run.pk}").json()
    assert shown["search_score"] is None and shown["best"] is None and shown["validation_score"]["value"] == 0.97
    assert shown["test_visits"]["run"] == 0


def test_visits_to_the_test_split_count_over_clones_and_outlive_their_run(client: Any, run: Run) -> None:
    fill(run)
    clone = states.clone_run(run, seed=77)
    fill(clone)
    shown = send(client, "GET", f"runs/{run.pk}").json()
    assert shown["test_visits"] == {"run": 1, "experiment": 2, "data": 2, "part": "digits", "further": []}
    assert send(client, "GET", f"experiments/{run.experiment_id}").json()["test_visits"] == 2
    states.delete_run(clone.pk)
    assert send(client, "GET", f"runs/{run.pk}").json()["test_visits"] == shown["test_visits"]
    assert TestVisit.objects.count() == 2


def test_two_subsets_of_the_classes_are_two_test_parts_and_two_validation_shares_are_one(client: Any, owner: Any) -> None:
    """Counted is what was opened: not the data set's id, which says less, nor all its options, which say more."""
    options: list[dict[str, Any]] = [
        {"labels": [3, 8]}, {"labels": [8, 3], "validation_share": 0.5}, {"labels": [0, 1]}, {}, {"validation_share": 0.3},
    ]
    runs = [make_experiment(owner, dataset_options=[given]).runs.get() for given in options]
    for one in runs:
        fill(one)
    shown = [send(client, "GET", f"runs/{one.pk}").json()["test_visits"] for one in runs]
    assert [(item["part"], item["data"]) for item in shown] == [
        ("digits (labels 3, 8)", 2), ("digits (labels 3, 8)", 2), ("digits (labels 0, 1)", 1), ("digits", 2), ("digits", 2),
    ]
    assert [item["experiment"] for item in shown] == [1] * 5


def visit(run: Run, index: int, domains: list[int]) -> None:
    """A finalist that is scored on the test parts of these data sets."""
    genome = {"genome": {"space": "any", "content": {}}, "genome_hash": "h"}
    chosen = say.FinalistChosen(index=index, role="finalist", title="Best", string="s", finish="as_is", domains=domains, **genome)
    tell(run, "run", [(index, chosen)])
    scored = say.ModelScored(index=index, role="finalist", genome_hash="h", metrics={}, bundle=False, visits=len(domains))
    tell(run, f"final:{index}", [(0, scored)])


def test_visits_are_counted_for_each_of_several_data_sets(client: Any, owner: Any, django_assert_num_queries: Any) -> None:
    """Also those of runs on one of them alone; the same part named twice is one."""
    labels: list[dict[str, Any]] = [{"labels": [0, 1]}, {"labels": [2, 3]}, {"labels": [1, 0]}]
    small = {"algorithms": [{"id": "pathnet"}], "space": "modular", "budget": None}
    several = make_experiment(owner, **small, datasets=["digits"] * 3, dataset_options=labels).runs.get()
    alone = make_experiment(owner, dataset_options=labels[1:2]).runs.get()
    visit(alone, 0, [0])
    visit(several, 0, [0, 1, 2])
    visit(several, 1, [2])
    wanted = [{"part": "digits (labels 2, 3)", "data": 2}]
    shown = send(client, "GET", f"runs/{several.pk}").json()["test_visits"]
    assert (shown["part"], shown["data"], shown["further"]) == ("digits (labels 0, 1)", 2, wanted)
    assert send(client, "GET", f"runs/{alone.pk}").json()["test_visits"]["further"] == []
    for address in (f"runs?experiment={several.experiment_id}", f"experiments/{several.experiment_id}"):
        found = send(client, "GET", address).json()
        assert (found.get("results") or found["runs"])[0]["test_visits"]["further"] == wanted, address
    rows = list(run_rows(Run.objects.all()))
    with django_assert_num_queries(1):
        assert [len(info.test_visits.further) for info in run_infos(rows)] == [int(row.pk == several.pk) for row in rows]


def test_a_doubtful_trial_is_told_in_its_row_and_in_the_snapshot(client: Any, run: Run) -> None:
    fill(run)
    absurd = ["Validation loss 115,875 nats is absurd: ..."]
    genome = {"genome": {"space": "nb201", "content": {}}, "genome_hash": "h", "string": "s"}
    tell(run, "run", [(6, say.CandidateBorn(number=6, parents=[], operator="sample", **genome))])
    of = {"metrics": {"val_loss": 115_875.0}, "charged_samples": 0, "charged_trials": 7}
    tell(run, "run", [(6, say.TrialTold(number=6, candidate=6, status="completed", warnings=absurd, **of))])
    rows = send(client, "GET", f"trials?run={run.pk}").json()["results"]
    assert {row["number"]: row["warnings"] for row in rows if row["warnings"]} == {6: absurd} and len(rows) == 7
    assert send(client, "GET", f"runs/{run.pk}/snapshot").json()["candidates"]["warnings"] == {"6": absurd}

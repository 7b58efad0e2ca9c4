"""What an earlier version recorded is carried over: its best value only where it was the search's, and its visits to the test split."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

BEFORE, AFTER = [("core", "0005_outcome_in_row")], [("core", "0009_scores")]


@pytest.mark.django_db(transaction=True)
def test_a_best_value_becomes_a_search_score_and_models_visits() -> None:
    executor = MigrationExecutor(connection)
    newest = executor.loader.graph.leaf_nodes("core")
    executor.migrate(BEFORE)
    old = executor.loader.project_state(BEFORE).apps
    User, Experiment, Run, Model = (
        old.get_model(app, name) for app, name in (("auth", "User"), ("core", "Experiment"), ("core", "Run"), ("core", "ModelArtefact"))
    )
    owner = User.objects.create(username="ada")
    experiment = Experiment.objects.create(owner=owner, name="E", config={}, space="cell")

    def run(**values: Any) -> Any:
        more = {"algorithm": "random", "space": "cell", "datasets": ["digits"], "seed": 0, "config": {}, "metric": "val_accuracy"}
        return Run.objects.create(experiment=experiment, owner=owner, **more, **values)

    searched = run(best_value=0.9, best_metric="val_accuracy", best_candidate=4)
    gradient = run(best_value=0.97, best_metric="val_accuracy", best_candidate=None)
    Model.objects.create(run=gradient, index=0, role="finalist", genome_hash="h", metrics={"test_accuracy": 0.96}, domains=[0])
    Model.objects.create(run=gradient, index=1, role="baseline", genome_hash="h", metrics={}, domains=[0])
    try:
        executor = MigrationExecutor(connection)
        executor.migrate(AFTER)
        now = executor.loader.project_state(AFTER).apps
        Run, Visit = now.get_model("core", "Run"), now.get_model("core", "TestVisit")
        score = Run.objects.get(pk=searched.pk).search_score
        assert (score["value"], score["kind"], score["unit"]) == (0.9, "search", "share of examples")
        assert Run.objects.get(pk=gradient.pk).search_score is None, "it may have been the finished network's"
        assert [(visit.run_id, visit.data) for visit in Visit.objects.all()] == [(gradient.pk, "digits")]
    finally:
        executor = MigrationExecutor(connection)
        executor.migrate(newest)

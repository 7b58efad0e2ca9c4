"""Three scores with their kinds instead of one best value that meant two things; visits to the test split are counted."""

from typing import Any

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from search_engine.base.measures import measure_of, title_of


def carry_over(apps: Any, schema_editor: Any) -> None:
    Run, Model, Visit = (apps.get_model("core", name) for name in ("Run", "ModelArtefact", "TestVisit"))
    for run in Run.objects.only("pk", "datasets", "best_value", "best_metric", "best_candidate").iterator():
        run.data = run.datasets[0] if run.datasets else ""
        run.search_score = None
        # Without a candidate it may have been the finished network's: that is the model's to say.
        if run.best_value is not None and run.best_candidate is not None:
            try:
                measure = measure_of(run.best_metric)
                run.search_score = {
                    "kind": "search", "metric": run.best_metric, "name": title_of(run.best_metric), "unit": measure.unit,
                    "direction": measure.direction, "value": run.best_value, "selected_from": 1, "data_sets": 1,
                    "fidelity": {"text": "as an earlier version recorded it", "epochs": None, "samples": None},
                }
            except KeyError:
                pass
        run.save(update_fields=["data", "search_score"])
    for model in Model.objects.select_related("run").iterator():
        for domain in model.domains or [0]:
            if any(name.startswith("test_") for name in model.metrics):
                Visit.objects.create(
                    owner_id=model.run.owner_id, experiment_id=model.run.experiment_id, run_id=model.run_id, network=model.pk, domain=domain,
                    data=model.run.datasets[domain],
                )


class Migration(migrations.Migration):

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("core", "0008_open_recipes"),
    ]

    operations = [
        migrations.AddField(
            model_name="run",
            name="search_score",
            field=models.JSONField(null=True, help_text="search_engine.events.Score of what the search prefers; null where it scores no architecture of its own"),
        ),
        migrations.AddField(
            model_name="run",
            name="data",
            field=models.CharField(default="", help_text="the test part of the first of `datasets`, by its options: by it visits to it are counted", max_length=100),
        ),
        migrations.AddField(
            model_name="modelartefact",
            name="scores",
            field=models.JSONField(default=dict, help_text="{search, validation, test: search_engine.events.Score | null}"),
        ),
        migrations.AddField(
            model_name="modelartefact",
            name="by_class",
            field=models.JSONField(default=list, help_text="list of search_engine.events.ClassScores"),
        ),
        migrations.AddField(
            model_name="modelartefact",
            name="warnings",
            field=models.JSONField(default=list, help_text="what makes its scores say less than they seem to"),
        ),
        migrations.CreateModel(
            name="TestVisit",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("experiment_id", models.UUIDField()),
                ("run_id", models.UUIDField()),
                ("network", models.UUIDField(help_text="id of the model")),
                ("domain", models.PositiveIntegerField(help_text="place of the data set in the run")),
                ("data", models.CharField(help_text="the data set's test part that was opened: search_engine.datasets.base.DatasetEntry.test_part", max_length=100)),
                ("owner", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["run_id", "network"], name="test_visit_run"),
                    models.Index(fields=["experiment_id", "network"], name="test_visit_experiment"),
                    models.Index(fields=["owner", "data", "network"], name="test_visit_data"),
                ],
                "constraints": [models.UniqueConstraint(fields=("network", "domain"), name="test_visit_once")],
            },
        ),
        migrations.RunPython(carry_over, migrations.RunPython.noop),
        migrations.RemoveField(model_name="run", name="best_value"),
        migrations.RemoveField(model_name="run", name="best_metric"),
    ]

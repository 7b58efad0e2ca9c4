"""The training of a finale is open where nobody chose it: an experiment that was stored with the former defaults filled in did not choose
them, and a clone of it is finished by its algorithms' own recipes. Runs keep the config that they ran with."""

from typing import Any

from django.db import migrations

FORMER = {
    "epochs": 12, "batch_size": 64, "optimizer": "sgd", "learning_rate": 0.05, "final_learning_rate": 0.0005, "momentum": 0.9,
    "weight_decay": 3e-4, "gradient_clip": 5.0, "label_smoothing": 0.0, "augment": "auto", "early_stop": 0, "train_examples": 0,
    "channels": 0, "layers": 0,
}


def chosen(training: dict[str, Any]) -> dict[str, Any]:
    """What differs from the former defaults."""
    return {name: value for name, value in training.items() if name not in FORMER or FORMER[name] != value}


def open_recipes(apps: Any, schema_editor: Any) -> None:
    experiments = apps.get_model("core", "Experiment").objects
    for experiment in experiments.only("pk", "config").iterator():
        finale = experiment.config.get("finale")
        if isinstance(finale, dict) and isinstance(finale.get("training"), dict):
            finale["training"] = chosen(finale["training"])
            experiments.filter(pk=experiment.pk).update(config=experiment.config)


class Migration(migrations.Migration):
    dependencies = [("core", "0006_leases_say_who_works")]
    operations = [migrations.RunPython(open_recipes, migrations.RunPython.noop)]

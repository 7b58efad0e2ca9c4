"""An index for the order of every list; a model knows whose it is, so that an index holds a person's models in order."""

from typing import Any

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


def name_owners(apps: Any, schema_editor: Any) -> None:
    Run, Model = (apps.get_model("core", name) for name in ("Run", "ModelArtefact"))
    owner = Run.objects.filter(pk=models.OuterRef("run_id")).values("owner_id")
    Model.objects.update(owner_id=models.Subquery(owner))


class Migration(migrations.Migration):

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("core", "0014_keyframes"),
    ]

    operations = [
        migrations.AddField(
            model_name="modelartefact",
            name="owner",
            field=models.ForeignKey(db_index=False, help_text="the run's: here too, so that an index holds a person's models in the order of their list", null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL),
        ),
        migrations.RunPython(name_owners, migrations.RunPython.noop),
        migrations.AlterField(
            model_name="modelartefact",
            name="owner",
            field=models.ForeignKey(db_index=False, help_text="the run's: here too, so that an index holds a person's models in the order of their list", on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL),
        ),
        migrations.AlterField(
            model_name="modelartefact",
            name="run",
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="models", to="core.run"),
        ),
        migrations.AlterField(
            model_name="genome",
            name="run",
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="genomes", to="core.run"),
        ),
        migrations.AddIndex(model_name="genome", index=models.Index(fields=["run", "id"], name="genome_list")),
        migrations.AddIndex(model_name="modelartefact", index=models.Index(fields=["owner", "-created", "-id"], name="model_list")),
        migrations.AddIndex(model_name="modelartefact", index=models.Index(fields=["owner", "run", "-created", "-id"], name="model_list_of_run")),
        migrations.AddIndex(model_name="run", index=models.Index(fields=["owner", "experiment", "-created", "-id"], name="run_list_of_experiment")),
    ]

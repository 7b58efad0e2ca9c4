import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("core", "0013_outages")]

    operations = [
        migrations.CreateModel(
            name="Keyframe",
            fields=[
                (
                    "run",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name="keyframe", serialize=False, to="core.run"
                    ),
                ),
                ("version", models.PositiveIntegerField(help_text="webapp.events.past.fold.VERSION under which it was made")),
                ("seq", models.BigIntegerField(help_text="of the newest event in it")),
                ("body", models.BinaryField(help_text="webapp.events.past.fold.Past.written")),
            ],
        ),
    ]

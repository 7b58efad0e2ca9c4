from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("core", "0012_artefacts")]

    operations = [
        migrations.AddField(
            model_name="worker",
            name="called_at",
            field=models.DateTimeField(
                help_text="since when it is called: it lives and claims nothing although there is work; null = it is not", null=True
            ),
        ),
    ]

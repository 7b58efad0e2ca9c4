"""Repeats and distinct architectures of a run, counted as they come; those of runs made before are counted here from their rows."""

from typing import Any

from django.db import migrations, models


def count(apps: Any, schema_editor: Any) -> None:
    RunCounter = apps.get_model('core', 'RunCounter')
    Trial = apps.get_model('core', 'Trial')
    Candidate = apps.get_model('core', 'Candidate')
    for counter in RunCounter.objects.filter(candidates__gt=0).iterator():
        counter.trials_repeated = Trial.objects.filter(run_id=counter.run_id, reused_from__isnull=False).count()
        counter.architectures = Candidate.objects.filter(run_id=counter.run_id).values('genome__hash').distinct().count()
        counter.save(update_fields=['trials_repeated', 'architectures'])


class Migration(migrations.Migration):

    dependencies = [
        ('core', '0009_scores'),
    ]

    operations = [
        migrations.AddField(
            model_name='runcounter',
            name='architectures',
            field=models.BigIntegerField(default=0, help_text='distinct ones among the candidates, up to isomorphism'),
        ),
        migrations.AddField(
            model_name='runcounter',
            name='trials_repeated',
            field=models.BigIntegerField(default=0, help_text='told trials that took the result of an earlier one'),
        ),
        migrations.RunPython(count, migrations.RunPython.noop),
    ]

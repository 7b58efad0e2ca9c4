"""Runs that go on with the search of another, that are ended to have the best of them, and that finish another's best so far."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('core', '0017_opened_runs'),
    ]

    operations = [
        migrations.AddField(
            model_name='run',
            name='best_of',
            field=models.ForeignKey(help_text='the run whose best so far it finishes', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='core.run'),
        ),
        migrations.AddField(
            model_name='run',
            name='continues',
            field=models.ForeignKey(help_text='the run whose search it goes on with', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='continued_by', to='core.run'),
        ),
        migrations.AddField(
            model_name='run',
            name='ending',
            field=models.BooleanField(default=False, help_text='its owner wants what it has found: the search ends, the finale follows'),
        ),
        migrations.AddField(
            model_name='run',
            name='lineage',
            field=models.JSONField(default=list, help_text='that run and those before it, the first in front: [{run, unit, have}], have being how far each came'),
        ),
        migrations.AddField(
            model_name='run',
            name='more',
            field=models.JSONField(help_text='with what its search could go on, {unit, have} or {why_not}: said when the search is over; null = not said', null=True),
        ),
        migrations.AlterField(
            model_name='job',
            name='kind',
            field=models.CharField(choices=[('advance', 'Advance'), ('trial', 'Trial'), ('phase', 'Phase'), ('final', 'Final'), ('estimate', 'Estimate'), ('rebuild', 'Rebuild'), ('import', 'Import'), ('look', 'Look'), ('ending', 'Ending')], max_length=10),
        ),
    ]

"""Runs that are brought from elsewhere: their uploads beside those of data, and where an experiment came from."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('core', '0016_own_data'),
    ]

    operations = [
        migrations.AddField(
            model_name='dataset',
            name='purpose',
            field=models.CharField(choices=[('data', 'data to search on'), ('run', 'a run, or an experiment, to be opened')], default='data', max_length=10),
        ),
        migrations.RemoveIndex(model_name='dataset', name='dataset_list'),
        migrations.AddIndex(
            model_name='dataset',
            index=models.Index(fields=['owner', 'purpose', '-created', '-id'], name='dataset_list'),
        ),
        migrations.AddField(
            model_name='dataset',
            name='experiment',
            field=models.ForeignKey(help_text='what a run that was opened became', null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='core.experiment'),
        ),
        migrations.AddField(
            model_name='experiment',
            name='imported',
            field=models.JSONField(help_text='where its runs came from (webapp.jobs.run_imports.Origin); null = made here', null=True),
        ),
    ]

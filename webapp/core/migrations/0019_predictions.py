"""What people ask finished models."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('core', '0018_continued_runs'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name='job',
            name='kind',
            field=models.CharField(choices=[('advance', 'Advance'), ('trial', 'Trial'), ('phase', 'Phase'), ('final', 'Final'), ('estimate', 'Estimate'), ('rebuild', 'Rebuild'), ('import', 'Import'), ('look', 'Look'), ('ending', 'Ending'), ('predict', 'Predict')], max_length=10),
        ),
        migrations.CreateModel(
            name='Prediction',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('file', models.CharField(blank=True, default='', help_text="what was given, under the row's id; empty = the sample", max_length=20)),
                ('invert', models.BooleanField(default=False, help_text='of a picture: it is dark on light')),
                ('state', models.CharField(choices=[('queued', 'Queued'), ('running', 'Running'), ('done', 'Done'), ('failed', 'Failed')], default='queued', max_length=10)),
                ('reason', models.TextField(blank=True, default='', help_text='why it failed')),
                ('result', models.JSONField(help_text='search_engine.bundle.answers.Answered', null=True)),
                ('created', models.DateTimeField(auto_now_add=True)),
                ('job', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='prediction', to='core.job')),
                ('model', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='core.modelartefact')),
                ('owner', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
        ),
    ]

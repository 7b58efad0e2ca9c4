"""A person's own data, with its upload and its import; which experiments use which data; what there is to see of a data set."""

import uuid
from typing import Any

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


def note_uses(apps: Any, schema_editor: Any) -> None:
    Experiment, Use = (apps.get_model("core", name) for name in ("Experiment", "DatasetUse"))
    rows: list[Any] = []
    for experiment in Experiment.objects.only("owner_id", "datasets", "created").iterator(chunk_size=1000):
        for name in dict.fromkeys(experiment.datasets):
            rows.append(Use(owner_id=experiment.owner_id, dataset=name, experiment=experiment, created=experiment.created))
        if len(rows) >= 1000:
            Use.objects.bulk_create(rows)
            rows = []
    Use.objects.bulk_create(rows)


class Migration(migrations.Migration):

    dependencies = [
        ('core', '0015_lists'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        # Nothing ever wrote a row of it.
        migrations.DeleteModel('Dataset'),
        migrations.CreateModel(
            name='DatasetLook',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('dataset', models.CharField(help_text='its id in the registry', max_length=100)),
                ('key', models.CharField(help_text='digest of all that the answer hangs on', max_length=64, unique=True)),
                ('state', models.CharField(choices=[('queued', 'queued'), ('running', 'running'), ('done', 'done'), ('failed', 'failed')], default='queued', max_length=10)),
                ('reason', models.TextField(blank=True, default='')),
                ('result', models.JSONField(help_text='search_engine.datasets.look.Look', null=True)),
                ('created', models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.AlterField(
            model_name='job',
            name='kind',
            field=models.CharField(choices=[('advance', 'Advance'), ('trial', 'Trial'), ('phase', 'Phase'), ('final', 'Final'), ('estimate', 'Estimate'), ('rebuild', 'Rebuild'), ('import', 'Import'), ('look', 'Look')], max_length=10),
        ),
        migrations.CreateModel(
            name='Dataset',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('title', models.CharField(max_length=200)),
                ('file_name', models.CharField(help_text="as its owner's machine calls it: shown, and never a path here", max_length=200)),
                ('size', models.BigIntegerField(help_text='bytes of the upload, as said at its beginning')),
                ('received', models.BigIntegerField(default=0, help_text='bytes at the end of the last request; the file itself is the truth')),
                ('state', models.CharField(choices=[('uploading', 'uploading: bytes are missing'), ('uploaded', 'uploaded: waits for a worker'), ('examining', 'examining: a worker looks at what is in it'), ('examined', 'examined: waits for its owner, who looks at the preview and keeps it'), ('keeping', 'keeping: a worker stores it, or is about to'), ('ready', 'ready: searches can use it'), ('failed', 'Failed')], default='uploading', max_length=10)),
                ('reason', models.TextField(blank=True, default='', help_text='why it failed, or what the last try met, in plain language')),
                ('choices', models.JSONField(default=dict, help_text='search_engine.datasets.own Choices: what its owner chose; the rest is inferred')),
                ('findings', models.JSONField(help_text='search_engine.datasets.own Findings, under these choices', null=True)),
                ('progress', models.JSONField(default=dict, help_text='{done: 0..1, text} of the work under way')),
                ('registry_id', models.SlugField(blank=True, db_index=False, default='', help_text='what experiments call it, once kept', max_length=100)),
                ('digest', models.CharField(blank=True, db_index=True, default='', help_text='of content, choices and split', max_length=64)),
                ('stored', models.BigIntegerField(default=0, help_text='bytes of what is kept')),
                ('version', models.PositiveIntegerField(default=1)),
                ('created', models.DateTimeField(auto_now_add=True)),
                ('touched', models.DateTimeField(help_text='when its owner last did something with it; what is left alone is removed after a while')),
                ('owner', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='datasets', to=settings.AUTH_USER_MODEL)),
                ('previous', models.ForeignKey(help_text='the version before it', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='later', to='core.dataset')),
            ],
        ),
        migrations.AddField(
            model_name='job',
            name='dataset',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='jobs', to='core.dataset'),
        ),
        migrations.CreateModel(
            name='DatasetUse',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('dataset', models.CharField(help_text='its id in the registry', max_length=100)),
                ('created', models.DateTimeField(help_text="the experiment's")),
                ('experiment', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='uses', to='core.experiment')),
                ('owner', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.AddIndex(
            model_name='dataset',
            index=models.Index(fields=['owner', '-created', '-id'], name='dataset_list'),
        ),
        migrations.AddConstraint(
            model_name='dataset',
            constraint=models.UniqueConstraint(condition=models.Q(('registry_id', ''), _negated=True), fields=('owner', 'registry_id'), name='own_dataset_once'),
        ),
        migrations.AddIndex(
            model_name='datasetuse',
            index=models.Index(fields=['owner', 'dataset', '-created', '-id'], name='dataset_use_list'),
        ),
        migrations.AddConstraint(
            model_name='datasetuse',
            constraint=models.UniqueConstraint(fields=('experiment', 'dataset'), name='dataset_use_once'),
        ),
        migrations.RunPython(note_uses, migrations.RunPython.noop),
    ]

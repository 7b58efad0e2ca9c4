"""What is found of a model's download when it is held against its digest, and whether a rebuild of it was asked for."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('core', '0011_doors'),
    ]

    operations = [
        migrations.AddField(
            model_name='modelartefact',
            name='bundle_checked',
            field=models.DateTimeField(help_text='when the zip was last held against what is recorded', null=True),
        ),
        migrations.AddField(
            model_name='modelartefact',
            name='bundle_damage',
            field=models.TextField(blank=True, default='', help_text='what was found then; empty = it is whole'),
        ),
        migrations.AddField(
            model_name='modelartefact',
            name='rebuild',
            field=models.CharField(blank=True, choices=[('', 'not asked for, or done'), ('waiting', 'Waiting'), ('failed', 'Failed')], default='', max_length=10),
        ),
        migrations.AddField(
            model_name='modelartefact',
            name='rebuild_reason',
            field=models.TextField(blank=True, default='', help_text='why a rebuild of the zip failed'),
        ),
        migrations.AlterField(
            model_name='job',
            name='kind',
            field=models.CharField(choices=[('advance', 'Advance'), ('trial', 'Trial'), ('phase', 'Phase'), ('final', 'Final'), ('estimate', 'Estimate'), ('rebuild', 'Rebuild')], max_length=10),
        ),
    ]

"""A ticket for a WebSocket knows the token or the session that asked for it, and ends with it."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('core', '0010_run_counter_repeats'),
    ]

    operations = [
        migrations.AddField(
            model_name='wsticket',
            name='session',
            field=models.CharField(blank=True, default='', help_text='key of the session that asked for it', max_length=40),
        ),
        migrations.AddField(
            model_name='wsticket',
            name='token',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='core.apitoken'),
        ),
    ]

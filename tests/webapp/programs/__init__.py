"""Programs that tests run as processes of their own; each prints one line of JSON at its end."""

import django

django.setup()

"""The web process: HTTP by Django, WebSockets by Channels. It never trains and never imports torch."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")
_http = get_asgi_application()

# Models may be imported only after Django is set up.
from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402

from webapp.jobs.parent import die_with_parent  # noqa: E402
from webapp.live.routing import routes  # noqa: E402
from webapp.serving.bodies import BodyLimit  # noqa: E402

die_with_parent()
# The consumer checks the origin itself, because a foreign one is to be told so with a close code of its own (4403).
_socket = AuthMiddlewareStack(URLRouter(routes))  # type: ignore[arg-type]  # a path() of Django's is what Channels documents
application = ProtocolTypeRouter({"http": BodyLimit(_http), "websocket": _socket})

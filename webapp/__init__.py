"""The web application: Django models, REST, WebSocket and workers around `search_engine`, which knows nothing of it."""

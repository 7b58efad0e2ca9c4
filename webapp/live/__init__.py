"""The WebSocket: a run followed live."""

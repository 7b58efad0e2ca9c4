"""A text for many clients, made ready for the wire once."""

from __future__ import annotations

from collections.abc import Callable, Hashable


class SharedText(str):
    """What is said to all who watch a run. It is text as any other; a server that knows it (webapp.serving.sockets) keeps with it the bytes
    that it becomes, so that encoding and compression are done once and not once per client."""

    _wires: dict[Hashable, bytes] | None = None

    def wire(self, way: Hashable, make: Callable[[bytes], bytes]) -> bytes:
        """The text's bytes as `make` turns its UTF-8 into, once for each `way` to do that."""
        if self._wires is None:
            self._wires = {}
        if way not in self._wires:
            self._wires[way] = make(self.encode())
        return self._wires[way]

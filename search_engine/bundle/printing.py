"""Printing constructor expressions: on one line where they fit, one argument a line where they do not."""

from __future__ import annotations

from dataclasses import dataclass

WIDTH = 120


@dataclass(frozen=True)
class Printed:
    """`head(prefix item, ...)` with any brackets; an item is text or another expression, a prefix is `name=` or `"key": `."""

    head: str
    items: tuple[tuple[str, str | Printed], ...]
    brackets: str = "()"

    def one_line(self) -> str:
        inner = ", ".join(prefix + (item if isinstance(item, str) else item.one_line()) for prefix, item in self.items)
        return f"{self.head}{self.brackets[0]}{inner}{self.brackets[1]}"

    def render(self, indent: int, before: int) -> str:
        """The text when it starts in column `before` of a line indented by `indent` spaces."""
        line = self.one_line()
        if before + len(line) <= WIDTH or not self.items:
            return line
        if len(self.items) == 1 and not self.items[0][0] and isinstance(self.items[0][1], Printed) and not self.items[0][1].head:
            # A lone list or dict shares its brackets' lines with the call around it.
            inner = self.items[0][1].render(indent, WIDTH)
            return f"{self.head}{self.brackets[0]}{inner}{self.brackets[1]}"
        step = " " * (indent + 4)
        lines = []
        for prefix, item in self.items:
            text = item if isinstance(item, str) else item.render(indent + 4, indent + 5 + len(prefix))
            lines.append(f"{step}{prefix}{text},")
        return "\n".join([f"{self.head}{self.brackets[0]}", *lines, f"{' ' * indent}{self.brackets[1]}"])

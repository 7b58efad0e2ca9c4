"""The listener of dropout on skip connections (P-DARTS: Chen et al. 2019, section 3.3). Its rate falls within each stage (see `stages`)."""

from __future__ import annotations

from search_engine.events import Notice

from .loop import Listener


class SkipDropouts(Listener):
    """Puts dropouts into every fresh network and sets their rate."""

    name = "skip_dropout"

    def created(self) -> None:
        from search_engine.supernets.skip_dropout import install_skip_dropout

        if any(self.loop.options.skip_dropout):
            self.loop.skip_dropouts = install_skip_dropout(self.loop.network)

    def begun(self) -> None:
        given = self.loop.options.skip_dropout
        if any(given):
            rates = ", ".join(f"{rate:g}" for rate in given)
            message = f"Skip connections drop values at random: {rates} of them at the start of the stages, fewer and fewer from there on."
            self.loop.context.emit(Notice(name=self.name, message=message, step=0, values={"rate": max(given)}), 0)

    def before_step(self) -> None:
        for dropout in self.loop.skip_dropouts:
            dropout.rate = self.loop.stages.skip_dropout(self.loop.stage, self.loop.in_stage)

    def numbers(self) -> dict[str, float]:
        return {"skip_dropout": self.loop.skip_dropouts[0].rate} if self.loop.skip_dropouts else {}

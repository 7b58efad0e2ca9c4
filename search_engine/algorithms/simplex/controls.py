"""Options of the collapse controls that change what is searched, rather than only watch it: partial channels, edge normalisation,
progressive shrinking, dropout and a limit of skip connections. All are off by default; any method on the simplex can take them."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import ConfigDict, Field

from search_engine.base.errors import BadInput
from search_engine.base.works_with import WorksWith, other_than
from search_engine.spaces.base import SearchSpace

from ..base import Idle
from .habits import SimplexHabitsConfig

NO_SKIPS = Idle(
    ("options.skip_limit", "options.skip_stop", "options.skip_cap", "options.skip_dropout"), "its edges carry no skip connections",
    without="skip_connect",
)  # fmt: skip
NO_NONE = Idle(("options.shrink_keeps_none",), "its edges carry no `none` that could stay", without="none")


def _controls_and_habits_last(schema: dict[str, Any]) -> None:
    """In a form the method's own options come first, then the controls, then the habits (pydantic lists a base class first)."""
    habits, controls = SimplexHabitsConfig.model_fields, SimplexControlsConfig.model_fields
    order = schema["properties"].items()
    schema["properties"] = dict(sorted(order, key=lambda item: 2 if item[0] in habits else int(item[0] in controls)))


class SimplexControlsConfig(SimplexHabitsConfig):
    """Options that every method on the simplex shares, beside the habits."""

    model_config = ConfigDict(json_schema_extra=_controls_and_habits_last)

    works_with: ClassVar[WorksWith] = {
        "shrink_restart": {"shrink_stages": other_than(1)}, "shrink_keeps_none": {"shrink_stages": other_than(1)},
    }

    partial_channels: int = Field(
        default=1, ge=1, le=64, title="Partial channels K",
        description="Only 1/K of an edge's channels pass through its mixed operations, the others bypass them: K times less memory, and "
        "operations without weights gain less. K must divide the width of the super-network; 1 = all channels. PC-DARTS: 4. The final "
        "network has all channels.",
    )
    edge_normalisation: bool = Field(
        default=False, title="Edge normalisation",
        description="Each edge gets a learnable weight among the edges into its node, multiplied with those of its operations; steadies "
        "the choice of edges when only some channels are mixed. PC-DARTS: on.",
    )
    shrink_stages: int = Field(
        default=1, ge=1, le=4, title="Stages of shrinking",
        description="The search is cut into this many stages of equal length; after each, every edge loses its weakest operations (of "
        "eight: 5 stay, then 3, then 2), and the warm-up of the structure begins anew. 1 = no shrinking. P-DARTS: 3 stages of 25 epochs, "
        "DrNAS: 2.",
    )
    shrink_restart: bool = Field(
        default=True, title="Each stage starts afresh",
        description="on: weights, structure and learning rate begin anew in every stage (P-DARTS). off: they go on from where they are, "
        "only the dropped operations are gone (DrNAS).",
    )
    shrink_keeps_none: bool = Field(
        default=True, title="`none` stays to the end",
        description="on: `none` is dropped at the very end only, so that edges can stay weak until then (P-DARTS). off: it falls as any "
        "other operation does where it is the weakest (DrNAS).",
    )
    shrink_cells: tuple[Annotated[int, Field(ge=1, le=20)], ...] = Field(
        default=(), max_length=4, title="Cells in each stage",
        description="Depth of the super-network in each stage, which can grow as operations fall; empty = the space's own depth "
        "throughout. P-DARTS: 5, 11, 17. Needs stages that start afresh.",
    )
    shrink_partial_channels: tuple[Annotated[int, Field(ge=1, le=64)], ...] = Field(
        default=(), max_length=4, title="Partial channels in each stage",
        description="K in each stage, which can fall as operations do; empty = the K above throughout. DrNAS: 6, 4. Where stages go on, K "
        "only falls: a channel that comes in begins as a copy of another.",
    )
    skip_dropout: tuple[Annotated[float, Field(ge=0, lt=1)], ...] = Field(
        default=(), max_length=4, title="Dropout on skip connections",
        description="Share of the values that skip connections drop at the start of each stage (one number per stage). It falls linearly "
        "during the warm-up and then by a factor exp(-0.2) an epoch. Empty = none. P-DARTS on CIFAR-10: 0, 0.4, 0.7.",
    )
    skip_cap: int = Field(
        default=0, ge=0, le=100, title="Most skip connections of the result",
        description="The derived normal cell keeps at most so many skip connections: the weakest one is taken away and the cell derived "
        "again, until they fit. 0 = no limit. P-DARTS: 2.",
    )


def check_controls(options: Any, space: SearchSpace[Any]) -> None:
    """Refuse controls that do not fit each other or the space: BadInput naming the option. Torch-free; an algorithm's `check`."""
    for group in space.family():
        if group.constraint == "real":
            raise BadInput(
                "space_options.constraint", f"a method on the simplex needs shares that sum to one, not real numbers ({group.title})",
                code="incompatible",
            )
    stages = options.shrink_stages
    if options.warm_up_epochs and not options.steps and options.warm_up_epochs * max(stages, 1) >= options.epochs:
        each = " in each stage" if stages > 1 else ""
        raise BadInput(
            "options.warm_up_epochs",
            f"the structure would never move: {options.warm_up_epochs} epochs of warm-up{each} leave none of the {options.epochs}",
        )
    for name in ("shrink_cells", "shrink_partial_channels", "skip_dropout"):
        given = len(getattr(options, name))
        if given not in (0, stages):
            raise BadInput(f"options.{name}", f"give one number per stage ({stages}) or none, not {given}")
    widths = space.mixed_channels()
    for name in ("shrink_cells", "shrink_partial_channels"):
        values = getattr(options, name)
        if values and name == "shrink_cells" and stages > 1 and not options.shrink_restart:
            raise BadInput(f"options.{name}", "a super-network that gets deeper needs stages that start afresh (`shrink_restart`)")
        if values and not widths:
            raise BadInput(f"options.{name}", f"the super-network of '{space.id}' has no cells to change", code="incompatible")
    if any(options.skip_dropout) and not widths:
        raise BadInput("options.skip_dropout", f"the edges of '{space.id}' have no skip connections", code="incompatible")
    _check_partial("options.partial_channels", options.partial_channels, space)
    shares = options.shrink_partial_channels
    if not options.shrink_restart and list(shares) != sorted(shares, reverse=True):
        raise BadInput(
            "options.shrink_partial_channels",
            "where stages go on (`shrink_restart` off) operations can be widened, not narrowed: let K fall, not "
            f"{', '.join(map(str, shares))}",
        )
    for share in options.shrink_partial_channels:
        _check_partial("options.shrink_partial_channels", share, space)


def _check_partial(field: str, share: int, space: SearchSpace[Any]) -> None:
    if share == 1:
        return
    widths = sorted(set(space.mixed_channels()))
    if not widths:
        raise BadInput(field, f"the edges of '{space.id}' carry no channels of which a part could be mixed", code="incompatible")
    if any(width % share for width in widths):
        raise BadInput(field, f"{share} does not divide the super-network's widths {', '.join(map(str, widths))}")
    odd = [width for width in space.strided_mixing() if width // share % 2]
    if odd:
        raise BadInput(field, f"1/{share} of {odd[0]} channels is odd; where a cell halves the resolution, a skip needs an even number")

"""Which doors are meant to be open: what lets anybody in says so, and docs/doors.md lists it (webapp.doors)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django.contrib.admin import AdminSite, ModelAdmin

ViewT = TypeVar("ViewT", bound=Callable[..., Any])


def open_to_anybody(view: ViewT) -> ViewT:
    """Marks a view that asks nobody who they are."""
    view.open_to_anybody = True  # type: ignore[attr-defined]
    return view


def of_the_administration(view: Callable[..., Any]) -> bool:
    """Whether Django's administration made the view, which lets in staff alone: methods of its own, most of them wrapped
    in the question who asks."""
    inside: Any = view
    while inside is not None:
        if isinstance(getattr(inside, "__self__", None), AdminSite | ModelAdmin):
            return True
        inside = getattr(inside, "__wrapped__", None)
    return hasattr(view, "admin_site") or hasattr(view, "model_admin")

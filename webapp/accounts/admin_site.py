"""The administration's site: it has no login of its own, counts guesses at passwords as the login does, and reads moments with a zone."""

from __future__ import annotations

from functools import update_wrapper
from typing import Any

from django.conf import settings
from django.contrib.admin import AdminSite, ModelAdmin
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.models import User
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache

from .admin_moments import with_moments
from .guesses import too_many
from .pages import page


class Site(AdminSite):
    """Who is not logged in is led to the login page and back here; who is logged in and no staff is told so."""

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Django's own, which hands on to the database whatever the address says: PostgreSQL has no NUL."""
        inner = super().admin_view(view, cacheable)

        def refusing(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if any("\x00" in text for name, values in request.GET.lists() for text in (name, *values)):
                return page("Not an address", "The address holds a character that no text holds (NUL).", status=400)
            return inner(request, *args, **kwargs)  # type: ignore[no-any-return]

        return update_wrapper(refusing, inner)

    def register(self, model_or_iterable: Any, admin_class: type[ModelAdmin[Any]] | None = None, **options: Any) -> None:
        """Django's own, whose lists are `moments.Moments`."""
        super().register(model_or_iterable, with_moments(admin_class or ModelAdmin), **options)

    def login(self, request: HttpRequest, extra_context: Any = None) -> Any:
        return _to_the_login(request, self)

    def password_change(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """The old password that it asks for can be guessed at."""
        if request.method == "POST" and isinstance(request.user, User):
            wait = too_many(request, request.user.get_username())
            if wait:
                answer = page("Too many tries", f"Wait {wait:.0f} seconds before you try another password.", status=429)
                answer["Retry-After"] = str(int(wait) + 1)
                return answer
        return super().password_change(request, extra_context)


@never_cache
def _to_the_login(request: HttpRequest, site: Site) -> HttpResponse:
    if request.method not in ("GET", "HEAD"):
        return HttpResponseNotAllowed(["GET", "HEAD"])
    target = request.GET.get(REDIRECT_FIELD_NAME, "")
    if not url_has_allowed_host_and_scheme(target, allowed_hosts=None):
        target = reverse("admin:index", current_app=site.name)
    if site.has_permission(request):
        return HttpResponseRedirect(target)
    if request.user.is_authenticated:
        return page("Not for this account", "The administration is for staff. Log out, and log in as somebody who is.", status=403)
    return redirect_to_login(target, settings.LOGIN_URL)

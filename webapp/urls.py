"""All routes: the API, the one-time login link, the administration, and the single-page application everywhere else."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path, re_path

from webapp.accounts.pages import application, login_link
from webapp.api.problems import bad_request, no_such_route, server_error

urlpatterns = [
    path("api/v1/", include("webapp.api.urls")),
    re_path(r"^(?P<rest>(?:api|ws|static)(?:/[\s\S]*)?)\Z", no_such_route),
    path("admin/", admin.site.urls),
    path("login/<str:token>/", login_link),
    re_path(r"^(?P<path>[\s\S]*)\Z", application),
]

handler400 = bad_request
handler500 = server_error

"""`manage.py login_link`: one link, for one user, once; and what it says to who asks for one that cannot be."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.utils import timezone

from webapp.core.models import LoginToken

from .api_world import browser, make_user, send

pytestmark = pytest.mark.django_db


def printed(**options: Any) -> tuple[str, str]:
    """What the command writes to stdout and stderr."""
    out, errors = StringIO(), StringIO()
    call_command("login_link", stdout=out, stderr=errors, **options)
    return out.getvalue(), errors.getvalue()


@pytest.fixture
def admin() -> Any:
    return get_user_model().objects.create_superuser("root", password=None)


def test_it_logs_the_named_user_in_once(admin: Any) -> None:
    make_user("ada")
    link, note = printed(user="ada")
    assert link.startswith("http://127.0.0.1:8000/login/") and link.endswith("/\n")
    assert "ada" in note and "once" in note and "12 hours" in note
    path = link.strip().removeprefix("http://127.0.0.1:8000")
    client = browser()
    assert client.get(path).status_code == 302
    assert send(client, "GET", "me").json()["username"] == "ada"
    assert browser().get(path).status_code == 403


def test_without_a_name_it_is_the_first_administrator_s(admin: Any) -> None:
    make_user("ada")
    get_user_model().objects.create_superuser("second", password=None)
    link, _ = printed()
    assert LoginToken.objects.get().user == admin
    assert not admin.has_usable_password(), "no password is made along the way"
    assert link.count("\n") == 1, "stdout has the link alone"


def test_it_expires_as_that_of_up_does(admin: Any) -> None:
    before = timezone.now()
    printed()
    assert before + LoginToken.lifetime <= LoginToken.objects.get().expires <= timezone.now() + LoginToken.lifetime
    assert LoginToken.lifetime == timedelta(hours=12)


def test_the_address_is_what_browsers_use(admin: Any, settings: Any) -> None:
    assert printed(address="https://nascope.example.org/")[0].startswith("https://nascope.example.org/login/")
    settings.CSRF_TRUSTED_ORIGINS = ["https://*.example.org", "https://nascope.example.org"]
    assert printed()[0].startswith("https://nascope.example.org/login/")


@pytest.mark.parametrize(
    "address",
    [
        "nascope.example.org", "ftp://nascope.example.org", "https://", "https://nascope.example.org/app", "http://[",
        "https://nascope.example.org?next=1", "https://nascope.example.org#top",
    ],
)  # fmt: skip
def test_an_address_without_scheme_or_host_is_refused(admin: Any, address: str) -> None:
    with pytest.raises(CommandError, match=r"--address is '.*': give scheme and host"):
        printed(address=address)
    assert not LoginToken.objects.exists()


def test_an_unknown_name_is_answered_with_the_known_ones(admin: Any) -> None:
    make_user("ada")
    with pytest.raises(CommandError, match="--user: there is no user 'bob'; there are: ada, root"):
        printed(user="bob")


def test_nobody_at_all() -> None:
    with pytest.raises(CommandError, match=r"there is no administrator yet: make one with 'manage.py createsuperuser'"):
        printed()
    with pytest.raises(CommandError, match=r"no user 'ada'; there is nobody yet: make one with 'manage.py createsuperuser'"):
        printed(user="ada")


def test_somebody_deactivated_gets_none(admin: Any) -> None:
    get_user_model().objects.filter(pk=admin.pk).update(is_active=False)
    with pytest.raises(CommandError, match="'root' is deactivated"):
        printed(user="root")
    with pytest.raises(CommandError, match="there is no administrator yet"):
        printed()

"""`manage.py login_link`: a one-time link for who cannot log in with a password."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from webapp.core.commands import called
from webapp.core.models import LoginToken

from ...links import administrator, new_link

EMBEDDED = "http://127.0.0.1:8000"
"""Where `manage.py up` and the compose file serve unless told otherwise."""
MAKE_ONE = f"make one with '{called('createsuperuser')}' ('{called('up')}' makes its own)"
MANY = 20
"""As many names are listed for who mistypes one."""


class Command(BaseCommand):
    help = "Print a link that logs one user in, once. Whoever has the link is that user: send it over a safe way only."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--user", default="", metavar="NAME", help="whom it logs in (default: the first administrator)")
        parser.add_argument(
            "--address", default=_address(), metavar="URL", help="where browsers find the application (default: %(default)s)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        address = options["address"]
        if not _is_origin(address):
            raise CommandError(f"--address is '{address}': give scheme and host, as in https://nascope.example.org or {EMBEDDED}")
        user = _named(options["user"]) if options["user"] else _first()
        link = new_link(user, address)
        hours = LoginToken.lifetime.total_seconds() / 3600
        where = f"at {address} (elsewhere: --address URL)"
        self.stderr.write(f"This link logs {user.get_username()} in, once, within {hours:.0f} hours, {where}:")
        self.stdout.write(link)


def _is_origin(address: str) -> bool:
    """Whether it is a scheme and a host, and nothing behind them that a link would be lost in."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc) and not (parts.path.strip("/") or parts.query or parts.fragment)


def _address() -> str:
    """The first address that settings trust, as behind a proxy; else the embedded one."""
    return next((origin for origin in settings.CSRF_TRUSTED_ORIGINS if "*" not in origin), EMBEDDED)


def _named(name: str) -> User:
    user = User.objects.filter(username=name).first()
    if user is None:
        names = ", ".join(User.objects.order_by("username").values_list("username", flat=True)[:MANY])
        others = f"there are: {names}" if names else f"there is nobody yet: {MAKE_ONE}"
        raise CommandError(f"--user: there is no user '{name}'; {others}")
    if not user.is_active:
        raise CommandError(f"--user: '{name}' is deactivated and cannot log in; activate the account under /admin/ first")
    return user


def _first() -> User:
    user = administrator()
    if user is None:
        raise CommandError(f"there is no administrator yet: {MAKE_ONE}, or name another user with --user")
    return user

"""Login links: how somebody comes in for the first time, or without a password."""

from __future__ import annotations

from django.contrib.auth.models import User

from webapp.core.models import LoginToken


def new_link(user: User, address: str) -> str:
    """A link that logs `user` in, once, within `LoginToken.lifetime`. `address` is where browsers find the application
    (`https://nascope.example.org`)."""
    return f"{address.rstrip('/')}/login/{LoginToken.issue(user)}/"


def administrator() -> User | None:
    """Whose link it is where nobody is named: the first active superuser, None where there is none yet."""
    return User.objects.filter(is_active=True, is_superuser=True).order_by("pk").first()

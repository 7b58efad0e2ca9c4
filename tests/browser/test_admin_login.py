"""Staff who follow a link into the administration log in at the one login page and arrive where they wanted to go."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from .server import Server
from .visitor import Visitor

pytestmark = pytest.mark.services
PASSWORD = "a long password of the staff"


def test_the_administration_asks_at_the_login_page_and_is_reached(server: Server, tab: Callable[..., Visitor]) -> None:
    code = f"users().objects.create_superuser('hedy', password={PASSWORD!r})"
    server.manage("shell", "-c", f"from django.contrib.auth import get_user_model as users; {code}")
    visitor = tab()
    visitor.expected += [r"status of 401.*/api/v1/me\)"]
    page = visitor.page
    page.goto(f"{server.origin}/admin/auth/user/?q=hed")
    expect(page.get_by_label("User name")).to_be_visible()
    page.get_by_label("User name").fill("hedy")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(f"{server.origin}/admin/auth/user/?q=hed")
    expect(page.get_by_role("link", name="hedy", exact=True)).to_be_visible()

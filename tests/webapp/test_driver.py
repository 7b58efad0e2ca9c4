"""Statements that go to the driver without Django's cursors: same errors, same transaction, seen by whoever watches."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.transaction import TransactionManagementError
from django.test.utils import CaptureQueriesContext

from webapp.core import driver
from webapp.core.bulk import insert_rows
from webapp.core.models import DeletedRun

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_error_is_django_s_and_breaks_the_transaction_as_ever() -> None:
    key = uuid4()
    insert_rows(DeletedRun, ("id", "deleted"), [(key, "2026-01-01 00:00:00Z")])
    with pytest.raises(IntegrityError):
        insert_rows(DeletedRun, ("id", "deleted"), [(key, "2026-01-01 00:00:00Z")])
    with transaction.atomic():
        with pytest.raises(IntegrityError), transaction.atomic():
            insert_rows(DeletedRun, ("id", "deleted"), [(key, "2026-01-01 00:00:00Z")])
        assert driver.rows("SELECT count(*) FROM core_deletedrun WHERE 1 = %s", [1]) == [(1,)]
        transaction.set_rollback(True)
        with pytest.raises(TransactionManagementError):
            driver.rows("SELECT 1", [])


def test_what_is_rolled_back_was_never_there() -> None:
    with transaction.atomic():
        insert_rows(DeletedRun, ("id", "deleted"), [(uuid4(), "2026-01-01 00:00:00Z")])
        transaction.set_rollback(True)
    assert not DeletedRun.objects.exists()


def test_it_goes_on_with_the_next_connection() -> None:
    assert driver.rows("SELECT %s + 1", [1]) == [(2,)]
    connection.close()
    assert driver.rows("SELECT %s + 1", [1]) == [(2,)]


def test_whoever_counts_statements_sees_it() -> None:
    with CaptureQueriesContext(connection) as captured:
        driver.rows("SELECT 1", [])
    assert [query["sql"] for query in captured.captured_queries] == ["SELECT 1"]


def test_rows_that_are_there_stay_as_they_are() -> None:
    key, rows = uuid4(), ("id", "deleted")
    assert insert_rows(DeletedRun, rows, [(key, "2026-01-01 00:00:00Z")], unique=("id",)) == 1
    assert insert_rows(DeletedRun, rows, [(key, "2027-01-01 00:00:00Z"), (uuid4(), "2027-01-01 00:00:00Z")], unique=("id",)) == 1
    assert DeletedRun.objects.get(pk=key).deleted.year == 2026

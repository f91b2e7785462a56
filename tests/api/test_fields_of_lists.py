"""S20 and S21 of the list of bad inputs: lists of /v2 filter and sort by their own fields alone."""

import itertools

import httpx
import pytest

from tests.api.routes import Operation, operations

LISTS = [
    each
    for each in operations()
    if each.dialect == "v2" and each.method == "GET" and "page" in each.query_names and not each.path_names
]
OUTSIDE = ("order_by=no_such_field", "order_by=name;drop", "no_such_field=1", "id__no_such_lookup=1")
SECRETS = ("password_hash", "user__password_hash", "secret_hash", "created_by__password_hash")
FORMS = ("order_by={}", "{}=x", "{}__startswith=a", "not__{}__isnull=true")


@pytest.mark.parametrize("operation", LISTS, ids=str)
async def test_s21_a_field_outside_the_list_is_refused(operation: Operation, client: httpx.AsyncClient) -> None:
    for query in OUTSIDE:
        answer = await client.get(f"/v2{operation.path}?{query}")
        assert answer.status_code == 400, (query, answer.text)


@pytest.mark.parametrize("operation", LISTS, ids=str)
async def test_s20_a_secret_is_neither_filter_nor_order(operation: Operation, client: httpx.AsyncClient) -> None:
    for form, secret in itertools.product(FORMS, SECRETS):
        answer = await client.get(f"/v2{operation.path}?{form.format(secret)}")
        assert answer.status_code in (400, 403), (form, secret, answer.text)

"""/v2 as a dialect, and the AWX release whose clients it serves."""

from craton_inv.api.dialect import Dialect
from craton_inv.api.query import page_window
from craton_inv.api.v2.errors import Error, render

V2 = Dialect(name="v2", slash="/", window=page_window, render=render, error=Error)

# The collection warns when product or major version differ from its own.
PRODUCT = {"X-API-Product-Name": "AWX", "X-API-Product-Version": "24.6.1"}

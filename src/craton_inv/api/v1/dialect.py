"""/v1 as a dialect."""

from craton_inv.api.dialect import Dialect
from craton_inv.api.markers import marker_window
from craton_inv.api.v1.errors import Error, render

V1 = Dialect(name="v1", slash="", window=marker_window, render=render, error=Error)

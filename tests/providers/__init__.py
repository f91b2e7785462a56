"""Tests of providers. The checks that are shared by all kinds show what they compared when they fail."""

import pytest

pytest.register_assert_rewrite("tests.providers.conformance")

"""Ids in paths: digits, for a negative one (which no row has) after a minus.

Pydantic alone would also take "1 ", "+1" and "1_0" for a number.
"""

import re
from typing import Annotated, Any

from pydantic import BeforeValidator

_DIGITS = re.compile(r"-?[0-9]+", re.ASCII)


def _digits(value: Any) -> Any:
    if isinstance(value, str) and not _DIGITS.fullmatch(value):
        raise ValueError("an id is written in digits")
    return value


PathId = Annotated[int, BeforeValidator(_digits)]

"""Variables of a tenant, region, host or group as a resource of their own."""

from typing import Any

from pydantic import BaseModel


class VariablesShown(BaseModel):
    """The object's own variables."""

    variables: dict[str, Any]

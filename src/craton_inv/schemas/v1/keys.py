"""The keys that secrets are kept under, for those who operate the service. No key is shown, only what it seals."""

from datetime import datetime

from pydantic import BaseModel, Field


class RootKey(BaseModel):
    """A root key that the database knows."""

    id: str
    first: bool = Field(description="Whether it is the one that seals now.")
    configured: bool = Field(description="Whether this process was given it.")
    tenant_keys: int = Field(description="Keys of tenants that it seals; it can retire at 0.")
    created: datetime
    retired: datetime | None


class KeyVersion(BaseModel):
    """All tenants' keys of one version."""

    version: int
    tenants: int = Field(description="Tenants that have a key of this version.")
    retired: int = Field(description="How many of these keys open nothing any more.")
    secrets: int = Field(description="Secrets that they open.")


class KeyReport(BaseModel):
    """All keys, by what they still seal."""

    root_keys: list[RootKey]
    versions: list[KeyVersion]


class RewrapOrdered(BaseModel):
    """The job that seals everything under the newest keys."""

    job_id: int

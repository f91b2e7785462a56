"""Every knob of the service, read once from CRATON_INV_* environment variables."""

import logging
import os
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AliasChoices, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

DAY = 24 * 3600.0
# Below a millisecond PostgreSQL would read 0, which means no limit at all.
Seconds = Annotated[float, Field(ge=0.001, le=DAY)]
# What the query of a database URL may say: options of asyncpg that can be written as text.
URL_OPTIONS = frozenset({"host", "port", "passfile", "prepared_statement_cache_size", "ssl", "target_session_attrs"})
REDIS_SCHEMES = ("redis", "rediss", "unix")
INDEXED_ROOTS = ("ansible_facts", "variables")
MAX_INDEXED_PATHS = 16
MAX_INDEXED_PATH = 200


def default_data_dir() -> Path:
    """The XDG data home of the calling user; nothing is created here."""
    base = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(base) / "craton-inv"


class Settings(BaseSettings):
    """Settings with their defaults; the environment wins, an empty variable counts as unset.

    Times in seconds, sizes in bytes.
    """

    model_config = SettingsConfigDict(
        env_prefix="CRATON_INV_", env_ignore_empty=True, extra="ignore", frozen=True, populate_by_name=True
    )

    data_dir: Path = Field(default_factory=default_data_dir, description="Where embedded servers keep their data.")
    database_url: str | None = Field(None, description="PostgreSQL to use instead of the embedded one.")
    redis_url: str | None = Field(None, description="Redis or Valkey to use instead of the embedded one.")
    admin_token: SecretStr | None = Field(None, description="Token of the administrator made at the first start.")
    secret_key: SecretStr | None = Field(
        None, description="Signs markers and peppers tokens; kept in the data directory when unset."
    )
    root_keys: SecretStr | None = Field(
        None, description="Keys that secrets are kept under, separated by ','; the first seals, all open."
    )
    root_keys_file: Path | None = Field(
        None, description="A file with these keys, one a line; `root.keys` of the data directory when unset."
    )

    database_pool_size: int = Field(10, ge=1, description="Connections a process keeps to the database.")
    database_statement_timeout: Seconds = Field(30.0, description="Longest statement of a request.")
    filter_statement_timeout: Seconds = Field(2.0, description="Longest statement of a filtered list.")
    awx_rebuild_smart_membership: bool = Field(
        False,
        validation_alias=AliasChoices("craton_inv_awx_rebuild_smart_membership", "awx_rebuild_smart_membership"),
        description="Keep the memberships of smart inventories with each write; AWX's bare name of it is read too.",
    )

    file_roots: str = Field(
        "",
        description="Folders, separated by ':', that file sources may read beside examples and uploads.",
    )
    allow_executable_inventories: bool = Field(False, description="Run executable inventory files of file sources.")
    ansible_inventory_command: str | None = Field(
        None, description="ansible-inventory to run; found beside Python or on PATH when unset."
    )
    ansible_collections_path: str = Field(
        "",
        description="Folders of Ansible collections for inventory plugins, separated by ':'; Ansible's own if unset.",
    )
    inventory_update_timeout: float = Field(
        0, ge=0, allow_inf_nan=False, description="Default timeout of an inventory update; 0 means none."
    )
    inventory_output_limit: int = Field(256 * 1024 * 1024, gt=0, description="Largest answer of ansible-inventory.")
    inventory_memory_limit: int = Field(4 * 1024 * 1024 * 1024, gt=0, description="Address space of ansible-inventory.")
    full_refresh_threshold: int = Field(
        100, ge=0, le=100_000, description="More targets of a source than so many refresh all of it."
    )
    event_flood_limit: int = Field(30, ge=1, description="Like events of a source that are taken within a minute.")
    event_memory_hours: float = Field(
        24.0, gt=0, le=8760, description="How long an event of a source is known, so that it costs nothing again."
    )
    upload_limit: int = Field(64 * 1024 * 1024, gt=0, description="Largest uploaded inventory file.")

    projects_root: Path | None = Field(None, description="Folder below which the folders of manual projects lie.")
    project_limit: int = Field(
        256 * 1024 * 1024, gt=0, description="Largest answer of a git server, and largest tree of a project."
    )
    project_update_timeout: float = Field(
        600, gt=0, allow_inf_nan=False, description="Default timeout of a project update."
    )
    aws_own_role: bool = Field(
        False, description="Let ec2 sources without a credential use the worker's own rights at Amazon."
    )
    aws_endpoint_url: str | None = Field(None, description="Where EC2 is asked, instead of Amazon's own addresses.")
    http_out_allow: str = Field(
        "",
        description="Hosts and networks, separated by ',', that http and private addresses are allowed for.",
    )

    ssh_known_hosts: Path | None = Field(
        None, description="File of the host keys of git servers; `ssh_known_hosts` of the data directory when unset."
    )

    body_limit: int = Field(1024 * 1024, gt=0, description="Largest JSON body of a request.")
    json_depth_limit: int = Field(64, gt=0, description="Deepest nesting of a JSON body.")
    ndjson_limit: int = Field(
        1024 * 1024 * 1024, gt=0, description="Largest NDJSON body of a request; each of its lines is a JSON body."
    )
    facts_limit: int = Field(1024 * 1024, gt=0, description="Largest facts of a host, as JSON text.")
    fact_indexes: str = Field(
        "",
        description="Paths with indexes of their own, separated by ',': ansible_facts__ansible_kernel,variables__role.",
    )

    job_lease: Seconds = Field(30.0, description="How long a claimed job stays with a silent worker.")
    job_heartbeat: Seconds = Field(10.0, description="How often a worker renews its lease.")
    job_sweep_interval: Seconds = Field(15.0, description="How often lost and unrung jobs are rung again.")
    job_max_attempts: int = Field(5, ge=1, description="How often a lost job is tried before it fails.")
    change_set_days: float = Field(30.0, gt=0, le=36500, description="How long it is kept what each run changed.")
    activity_stream_enabled: bool = Field(True, description="Keep who did what in the activity stream.")
    activity_stream_days: float = Field(365.0, gt=0, le=36500, description="How long the activity stream is kept.")
    dry_run_hours: float = Field(24.0, gt=0, le=8760, description="How long what a dry run was given can be applied.")
    worker_concurrency: int = Field(4, ge=1, description="Jobs a worker runs at the same time.")
    queue_name: str = Field("craton_inv:jobs", description="Redis key of the doorbell.")

    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR.")
    log_json: bool = Field(False, description="One JSON object a line instead of text for people.")

    @field_validator("database_url")
    @classmethod
    def _asyncpg_only(cls, url: str | None) -> str | None:
        if not url:
            return None
        scheme, sep, rest = url.partition("://")
        if not sep or scheme not in ("postgresql", "postgres", "postgresql+asyncpg"):
            raise ValueError("must be a postgresql:// URL; craton-inv runs on PostgreSQL 15 to 18 only")
        return _for_asyncpg(f"postgresql+asyncpg://{rest}")

    @field_validator("redis_url")
    @classmethod
    def _redis_only(cls, url: str | None) -> str | None:
        if not url:
            return None
        try:
            address = urlsplit(url)
            port = address.port
        except ValueError:
            raise ValueError("has no readable host and port") from None
        if address.scheme not in REDIS_SCHEMES or not (address.hostname or (address.scheme == "unix" and address.path)):
            raise ValueError("must be redis://host:port/0, rediss://host:port/0 or unix:///path?db=0")
        number = address.path.strip("/")
        if address.scheme != "unix" and number and not number.isdecimal():
            raise ValueError("ends in the number of a database, 0 for instance")
        if port == 0:
            raise ValueError("has no readable host and port")
        return url

    @field_validator("fact_indexes")
    @classmethod
    def _paths_of_indexes(cls, text: str) -> str:
        _indexed_paths(text)
        return text

    @field_validator("log_level")
    @classmethod
    def _known_level(cls, level: str) -> str:
        if level.upper() not in logging.getLevelNamesMapping():
            raise ValueError("must be DEBUG, INFO, WARNING or ERROR")
        return level.upper()

    @model_validator(mode="after")
    def _lease_outlives_heartbeat(self) -> Self:
        if self.job_heartbeat >= self.job_lease:
            raise ValueError(
                "CRATON_INV_JOB_HEARTBEAT must be shorter than CRATON_INV_JOB_LEASE, a third of it at best"
            )
        return self

    def allowed_file_roots(self) -> list[Path]:
        """Folders below which a file source may lie: examples of the package, uploads, and CRATON_INV_FILE_ROOTS."""
        roots = [Path(part) for part in self.file_roots.split(":") if part]
        return [*roots, examples_dir(), self.data_dir / "files"]

    def known_ssh_hosts(self) -> Path:
        """The file of host keys that may be talked to over ssh; it need not exist."""
        return self.ssh_known_hosts or self.data_dir / "ssh_known_hosts"

    def indexed_paths(self) -> list[tuple[str, ...]]:
        """The paths of `fact_indexes` by their parts: `("ansible_facts", "ansible_lo", "mtu")`."""
        return _indexed_paths(self.fact_indexes)


def _indexed_paths(text: str) -> list[tuple[str, ...]]:
    """The parts of each path, each path once. Raises ValueError, naming the path that cannot have an index."""
    paths = list(dict.fromkeys(path.strip() for path in text.split(",") if path.strip()))
    if len(paths) > MAX_INDEXED_PATHS:
        raise ValueError(f"names {len(paths)} paths; at most {MAX_INDEXED_PATHS} are taken, every write keeps them all")
    found = []
    for path in paths:
        root, *keys = path.split("__")
        if root not in INDEXED_ROOTS:
            raise ValueError(f"names {path!r}, which does not begin with ansible_facts__ or variables__")
        if not keys or not all(keys) or len(path) > MAX_INDEXED_PATH:
            raise ValueError(f"names {path!r}, which has an empty part or over {MAX_INDEXED_PATH} characters")
        if any(mark in path for mark in "[]\"' \0"):
            raise ValueError(f"names {path!r}: an index takes keys joined by __, without [], quotes and blanks")
        found.append((root, *keys))
    return found


def _for_asyncpg(text: str) -> str:
    """The URL with options that asyncpg knows; libpq's `sslmode` is its `ssl`. Raises ValueError."""
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise ValueError("is no URL: postgresql://user:password@host:port/name, with %40 for an @ in it") from None
    options = {"ssl" if name == "sslmode" else name: value for name, value in url.query.items()}
    unknown = sorted(options.keys() - URL_OPTIONS)
    if unknown:
        raise ValueError(f"has an option {unknown[0]!r} that is not known; known: {', '.join(sorted(URL_OPTIONS))}")
    return text if options == url.query else url.set(query=options).render_as_string(hide_password=False)


def examples_dir() -> Path:
    """The examples shipped with the package: inside the wheel, or at the top of a checkout."""
    packaged = Path(__file__).parent / "_examples"
    return packaged if packaged.is_dir() else Path(__file__).parents[2] / "examples"


@lru_cache
def get_settings() -> Settings:
    """The settings of this process, read once."""
    return Settings()

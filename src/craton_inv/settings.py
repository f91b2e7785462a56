"""Every knob of the service, read once from CRATON_INV_* environment variables."""

import os
from functools import lru_cache
from pathlib import Path

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


def default_data_dir() -> Path:
    """The XDG data home of the calling user; nothing is created here."""
    base = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(base) / "craton-inv"


class Settings(BaseSettings):
    """Settings with their defaults; the environment wins. Times in seconds, sizes in bytes."""

    model_config = SettingsConfigDict(env_prefix="CRATON_INV_", extra="ignore", frozen=True)

    data_dir: Path = Field(default_factory=default_data_dir, description="Where embedded servers keep their data.")
    database_url: str | None = Field(None, description="PostgreSQL to use instead of the embedded one.")
    redis_url: str | None = Field(None, description="Redis or Valkey to use instead of the embedded one.")
    admin_token: SecretStr | None = Field(None, description="Token of the administrator made at the first start.")
    secret_key: SecretStr | None = Field(
        None, description="Signs markers and peppers tokens; kept in the data directory when unset."
    )

    database_pool_size: int = Field(10, ge=1, description="Connections a process keeps to the database.")
    database_statement_timeout: float = Field(30.0, gt=0, description="Longest statement of a request.")
    filter_statement_timeout: float = Field(2.0, gt=0, description="Longest statement of a filtered list.")

    file_roots: str = Field(
        "",
        description="Folders, separated by ':', that file sources may read beside examples and uploads.",
    )
    allow_executable_inventories: bool = Field(False, description="Run executable inventory files of file sources.")
    ansible_inventory_command: str | None = Field(
        None, description="ansible-inventory to run; found beside Python or on PATH when unset."
    )
    inventory_update_timeout: float = Field(0, description="Default timeout of an inventory update; 0 means none.")
    inventory_output_limit: int = Field(512 * 1024 * 1024, gt=0, description="Largest answer of ansible-inventory.")
    inventory_memory_limit: int = Field(4 * 1024 * 1024 * 1024, gt=0, description="Address space of ansible-inventory.")
    upload_limit: int = Field(64 * 1024 * 1024, gt=0, description="Largest uploaded inventory file.")

    body_limit: int = Field(1024 * 1024, gt=0, description="Largest JSON body of a request.")
    json_depth_limit: int = Field(64, gt=0, description="Deepest nesting of a JSON body.")

    job_lease: float = Field(30.0, gt=0, description="How long a claimed job stays with a silent worker.")
    job_heartbeat: float = Field(10.0, gt=0, description="How often a worker renews its lease.")
    job_sweep_interval: float = Field(15.0, gt=0, description="How often lost and unrung jobs are rung again.")
    job_max_attempts: int = Field(5, ge=1, description="How often a lost job is tried before it fails.")
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
            raise ValueError("database_url must be a postgresql:// URL; craton-inv runs on PostgreSQL 15 to 18 only")
        return f"postgresql+asyncpg://{rest}"

    def allowed_file_roots(self) -> list[Path]:
        """Folders below which a file source may lie: examples of the package, uploads, and CRATON_INV_FILE_ROOTS."""
        roots = [Path(part) for part in self.file_roots.split(":") if part]
        return [*roots, examples_dir(), self.data_dir / "files"]


def examples_dir() -> Path:
    """The examples shipped with the package: inside the wheel, or at the top of a checkout."""
    packaged = Path(__file__).parent / "_examples"
    return packaged if packaged.is_dir() else Path(__file__).parents[2] / "examples"


@lru_cache
def get_settings() -> Settings:
    """The settings of this process, read once."""
    return Settings()

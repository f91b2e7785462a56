"""Structured logs: one line an event, with the request or job id it belongs to, and no secrets."""

import asyncio
import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

# Values under these keys never reach a log line, whoever puts them there.
SECRET_KEYS = frozenset({"authorization", "cookie", "password", "secret", "token", "x-auth-token", "credential"})


def hide_secrets(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace the value of every key that names a secret, one level deep in mappings too."""
    for key, value in event.items():
        if key.lower() in SECRET_KEYS:
            event[key] = "***"
        elif isinstance(value, dict):
            event[key] = {k: "***" if str(k).lower() in SECRET_KEYS else v for k, v in value.items()}
    return event


def show_controls(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Write control characters as escapes, so that what a stranger sent cannot steer the terminal that shows it.

    Line feeds and tabs are left to the renderer, which quotes values that hold any; tracebacks need them.
    """
    for key, value in event.items():
        if isinstance(value, str) and not value.isprintable():
            event[key] = "".join(char if char.isprintable() or char in "\n\t" else ascii(char)[1:-1] for char in value)
    return event


def tells_more(record: logging.LogRecord) -> bool:
    """Whether arq says what no other line does: a job let go at a stop is no fault, and its runner tells it."""
    return not (record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError))


def configure_logs(level: str = "INFO", *, as_json: bool = False) -> None:
    """Send structlog and the standard library's loggers through one chain to stderr."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        hide_secrets,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    rendering: list[Any] = (
        [structlog.processors.JSONRenderer()]
        if as_json
        else [show_controls, structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                *rendering,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for noisy in ("uvicorn.access", "arq.worker", "arq.jobs", "alembic.runtime.migration"):
        logging.getLogger(noisy).setLevel("WARNING")
    logging.getLogger("arq.worker").addFilter(tells_more)


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """A logger whose lines carry what `bind_contextvars` holds (request_id, job_id, ...)."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger

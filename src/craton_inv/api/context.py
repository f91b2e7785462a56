"""What every request of one process shares: settings, the way to the database, the doorbell, the secret key."""

from dataclasses import dataclass

from fastapi import Request
from sqlalchemy.ext.asyncio import AsyncEngine

from craton_inv.db.session import SessionFactory
from craton_inv.errors import ServiceUnavailable
from craton_inv.queue.bell import Bell
from craton_inv.settings import Settings


@dataclass(frozen=True)
class AppContext:
    """Made once by `app.create_app`, found as `app.state.context`. `engine` is None when sessions came from outside."""

    settings: Settings
    secret: bytes
    bell: Bell
    sessions: SessionFactory | None = None
    engine: AsyncEngine | None = None

    @property
    def session_factory(self) -> SessionFactory:
        """Raises ServiceUnavailable when the process was started without a database."""
        if self.sessions is None:
            raise ServiceUnavailable("No database is configured: set CRATON_INV_DATABASE_URL.", code="database.away")
        return self.sessions


def context_of(request: Request) -> AppContext:
    """The context of the application that serves this request."""
    context: AppContext = request.app.state.context
    return context

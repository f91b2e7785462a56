"""/metrics for Prometheus: requests by route and status, their duration, and the jobs that wait or run."""

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from craton_inv.api.context import AppContext, context_of
from craton_inv.db.session import unit_of_work
from craton_inv.errors import CratonInvError
from craton_inv.queue.models import Job

LIVE_JOBS = ("queued", "running")


class Metrics:
    """The instruments of one application, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        labels = ("method", "route", "status")
        self.requests = Counter("craton_inv_requests_total", "Requests answered.", labels, registry=self.registry)
        self.seconds = Histogram(
            "craton_inv_request_seconds", "Time to answer.", ("method", "route"), registry=self.registry
        )
        self.jobs = Gauge("craton_inv_jobs", "Jobs by task and status.", ("task", "status"), registry=self.registry)
        self.database = Gauge("craton_inv_database_up", "1 while the database answers.", registry=self.registry)

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request. Unknown paths share one label, or a scanner would fill the memory."""
        route = route or "(none)"
        method = method if method in ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS") else "(other)"
        self.requests.labels(method, route, str(status)).inc()
        self.seconds.labels(method, route).observe(seconds)

    async def count_jobs(self, context: AppContext) -> None:
        """Read the gauges of jobs; a database that is away shows as craton_inv_database_up 0."""
        self.jobs.clear()
        try:
            async with unit_of_work(context.session_factory) as session:
                rows = await session.execute(
                    select(Job.task, Job.status, func.count())
                    .where(Job.status.in_(LIVE_JOBS))
                    .group_by(Job.task, Job.status)
                )
                for task, status, count in rows:
                    self.jobs.labels(task, status).set(count)
        except (OSError, SQLAlchemyError, CratonInvError):
            self.database.set(0)
        else:
            self.database.set(1)


def metrics_router(metrics: Metrics) -> APIRouter:
    """GET /metrics, open: it names routes and numbers, no data of any tenant."""
    router = APIRouter()

    @router.get("/metrics", include_in_schema=False)
    async def get_metrics(request: Request) -> Response:
        await metrics.count_jobs(context_of(request))
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    return router

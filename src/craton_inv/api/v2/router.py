"""Every route of /v2 and /api/v2."""

from fastapi import APIRouter

ROUTERS: tuple[APIRouter, ...] = ()

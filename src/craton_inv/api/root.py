"""GET /api/: where AWX's clients begin, before they log in."""

from fastapi import APIRouter, Request
from pydantic import BaseModel

router = APIRouter()


class ApiRoot(BaseModel):
    """Which versions there are."""

    description: str = "craton-inv: AWX's inventory API"
    current_version: str
    available_versions: dict[str, str]
    oauth2: str = ""
    custom_logo: str = ""
    custom_login_info: str = ""
    login_redirect_override: str = ""


@router.get("/api/", operation_id="get_api_root")
async def get_api_root(request: Request) -> ApiRoot:
    """Anonymous: awxkit asks before it has credentials."""
    current = f"{request.scope.get('root_path', '')}/api/v2/"
    return ApiRoot(current_version=current, available_versions={"v2": current})

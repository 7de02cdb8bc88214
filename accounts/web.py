"""What pages ask of the account behind a request."""

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from accounts.models import User


def signed_in(request: HttpRequest) -> User:
    """Return the user of a page that only the signed-in reach. Raises PermissionDenied."""
    if not isinstance(request.user, User):
        raise PermissionDenied("请先登录。")
    return request.user

"""Where a request comes from, for the log."""

from django.http import HttpRequest

from access.actions import Asker
from accounts.models import User
from accounts.web import client_address, network

STAFF_SITE, PUBLIC_SITE = "工作平台", "公示网站"  # the channels of pages, as the log and the person read them


def asker(request: HttpRequest, channel: str) -> Asker:
    """Return who asks, for the log: the signed-in user or nobody, the channel, the network."""
    user = request.user if isinstance(request.user, User) else None
    return Asker(user=user, channel=channel, address=network(client_address(request)))

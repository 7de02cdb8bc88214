"""Where a request comes from, for the log."""

import ipaddress

from django.http import HttpRequest

from access.actions import Asker
from accounts.models import User
from accounts.web import client_address

STAFF_SITE, PUBLIC_SITE = "工作平台", "公示网站"  # the channels of pages, as the log and the person read them


def network(address: str) -> str:
    """Return the /24 or /48 of an address: what the log keeps (domain §7.4, prefix only)."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return ""
    return str(ipaddress.ip_network(f"{ip}/{24 if ip.version == 4 else 48}", strict=False))


def asker(request: HttpRequest, channel: str) -> Asker:
    """Return who asks, for the log: the signed-in user or nobody, the channel, the network."""
    user = request.user if isinstance(request.user, User) else None
    return Asker(user=user, channel=channel, address=network(client_address(request)))

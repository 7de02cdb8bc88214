"""The staff site: Django's own admin in our dress."""

from django.contrib.admin import AdminSite


class StaffSite(AdminSite):
    """The admin with a dashboard that tells each role what waits for it."""

    site_header = "信用福建 · 工作平台"
    site_title = "信用福建工作平台"
    index_title = "工作台"
    site_url = "/"
    enable_nav_sidebar = True

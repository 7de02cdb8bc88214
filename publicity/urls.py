"""Addresses of the public site."""

from django.urls import path

from publicity import (
    catalogue_pages,
    consent_pages,
    institution_desk,
    institution_pages,
    pages,
    report_pages,
    statement_pages,
)

urlpatterns = [
    path("", pages.home, name="home"),
    path("lookup/", pages.lookup, name="lookup"),
    path("me/", pages.me, name="me"),
    path("me/file/", pages.me_file, name="me_file"),
    path("me/file/<str:record_no>/statement/", statement_pages.me_statement, name="me_statement"),
    path("me/access/", pages.me_access, name="me_access"),
    path("me/file/print/", report_pages.print_view, name="me_file_print"),
    path("me/reports/", report_pages.reports, name="me_reports"),
    path("me/reports/issue/", report_pages.issue, name="me_report_issue"),
    path("me/reports/<str:report>/", report_pages.fetch_again, name="me_report_again"),
    path("me/consents/", consent_pages.me_consents, name="me_consents"),
    path("me/consents/<str:consent_no>/", consent_pages.me_consent, name="me_consent"),
    path("me/messages/", consent_pages.me_messages, name="me_messages"),
    path("institutions/consents/", institution_pages.institution_consents, name="institution_consents"),
    path("institutions/consents/ask/", institution_pages.institution_ask, name="institution_ask"),
    path("institutions/consents/<str:consent_no>/", institution_pages.institution_consent, name="institution_consent"),
    path("verify/", report_pages.verify, name="verify"),
    path("sign-in/activate/", pages.activate_account, name="activate"),
    path("institutions/", institution_desk.institutions, name="institutions"),
    path("display/", pages.display_mode, name="display_mode"),
    path("about/what-we-do-not-do/", pages.what_we_do_not_do, name="what_we_do_not_do"),
    path("catalogue/", catalogue_pages.catalogue, name="catalogue"),
    path("catalogue/editions/", catalogue_pages.editions, name="editions"),
    path("catalogue/editions/<str:number>/", catalogue_pages.edition, name="edition"),
    path("catalogue/editions/<str:number>/catalogue.<str:kind>", catalogue_pages.download, name="edition_download"),
    path("catalogue/consultations/", catalogue_pages.consultations, name="consultations"),
    path("catalogue/consultations/<int:pk>/", catalogue_pages.consultation, name="consultation"),
    path("catalogue/schema.json", catalogue_pages.schema, name="catalogue_schema"),
    path("catalogue/catalogue.<str:kind>", catalogue_pages.download, name="catalogue_download"),
    path("catalogue/<str:code>/", catalogue_pages.item, name="item"),
    path("rules/", catalogue_pages.rules, name="rules"),
    path("rules/prohibited/", catalogue_pages.prohibited, name="prohibited"),
    path("accessibility/", pages.accessibility, name="accessibility"),
]

"""Addresses of the public site."""

from django.contrib.auth.views import LogoutView
from django.urls import path

from publicity import catalogue_pages, pages, report_pages, statement_pages, transparency_pages

urlpatterns = [
    path("", pages.home, name="home"),
    path("lookup/", pages.lookup, name="lookup"),
    path("me/", pages.me, name="me"),
    path("me/file/", pages.me_file, name="me_file"),
    path("me/file/<str:record_no>/statement/", statement_pages.me_statement, name="me_statement"),
    path("me/access/", pages.me_access, name="me_access"),
    path("me/access/<int:pk>/proof.json", transparency_pages.my_proof, name="me_access_proof"),
    path("transparency/", transparency_pages.transparency, name="transparency"),
    path("transparency/checkpoints.jsonl", transparency_pages.checkpoints, name="transparency_checkpoints"),
    path("transparency/keys.txt", transparency_pages.keys, name="transparency_keys"),
    path("transparency/consistency.json", transparency_pages.consistency_proof, name="transparency_consistency"),
    path("transparency/verify_log.py", transparency_pages.verifier, name="transparency_verifier"),
    path("me/file/print/", report_pages.print_view, name="me_file_print"),
    path("me/reports/", report_pages.reports, name="me_reports"),
    path("me/reports/issue/", report_pages.issue, name="me_report_issue"),
    path("me/reports/<str:report>/", report_pages.fetch_again, name="me_report_again"),
    path("verify/", report_pages.verify, name="verify"),
    path("sign-in/", pages.SignIn.as_view(), name="sign_in"),
    path("sign-in/activate/", pages.activate_account, name="activate"),
    path("sign-out/", LogoutView.as_view(), name="sign_out"),
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

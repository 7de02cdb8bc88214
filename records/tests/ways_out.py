"""What the tests of reports and exports share: a second clerk, readers of PDFs and tables."""

import io

from django.db import connection
from pypdf import PdfReader

from access.actions import Asker
from accounts.models import User
from accounts.tests.counter import colleague as second_clerk  # noqa: F401 – shared with them
from creditfujian.tests.cast import Cast


def own(cast: Cast) -> Asker:
    """The citizen, signed in."""
    return Asker(cast.citizen, "公示网站")


def staff(user: User) -> Asker:
    return Asker(user, "工作平台", "10.0.0.0/24")


def text_of(pdf: bytes) -> str:
    """The text of a PDF without white space: lines break where the paper ends."""
    return "".join("".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(pdf)).pages)


def code_on(pdf: bytes) -> str:
    """The verification code that the PDF shows."""
    return text_of(pdf).split("验证码")[1][:19]


def sql(statement: str, *values: object) -> list[tuple[object, ...]]:
    """Run SQL as the application's role."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall() if cursor.description else []

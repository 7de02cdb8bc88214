"""Twenty guesses at once are still five; the right password among them opens nothing after that."""

import threading

import pytest
from django.db import connections
from django.test import Client

from accounts.models import SignInLine
from accounts.tests.signing import password_step
from creditfujian.tests.cast import make_cast


@pytest.mark.django_db(transaction=True)
def test_parallel_guesses_are_counted_one_by_one() -> None:
    make_cast()
    start, answers = threading.Barrier(20), []

    def guess() -> None:
        client = Client()
        start.wait()
        answers.append(password_step(client, "data_officer", "错的").status_code)
        connections.close_all()

    threads = [threading.Thread(target=guess) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [422] * 5 + [429] * 15
    events = list(SignInLine.objects.values_list("event", flat=True))
    assert (events.count("wrong_password"), events.count("locked")) == (5, 15)

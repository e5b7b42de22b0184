"""The numbers by which offers and orders come before each other."""

from django.db import connection


def next_number() -> int:
    """Return the next entry number (`seq`), drawn after the round was locked.

    Numbers come from one sequence for offers and orders; a refused entry may leave a gap.
    """
    assert connection.in_atomic_block, "a number belongs to the transaction that enters"
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('exchange_entry_seq')")
        (number,) = cursor.fetchone()
    assert isinstance(number, int)
    return number

"""Clearing: a frozen book of offers and orders in, prices and trades out.

Everything here is pure: no Django, no clock, no randomness, no database. The doors are

* ``parsing.parse_book`` and ``parsing.make_book``: a checked, canonical ``book.Book``;
* ``book.digest`` and ``Book.canonical_bytes``: the name and the bytes of a snapshot;
* ``engine.clear``: the outcome, its certificate and what goes into the round's record;
* ``verify.verify``: the rules again, in integers, written apart from the engine.
"""

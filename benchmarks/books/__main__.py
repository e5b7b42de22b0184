"""Write published books, and check that they are still the published ones.

    python -m benchmarks.books list
    python -m benchmarks.books write 6000x400x96-4h --out book.json
    python -m benchmarks.books check [NAME ...]

``check`` makes each book again and compares its SHA-256 with the stored one; it exits 1 if any differs.
"""

import argparse
import json
import sys
import time
from pathlib import Path

from benchmarks.books import published
from exchange.clearing import book as books


def main() -> int:
    """Run one command and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list")
    write = commands.add_parser("write")
    write.add_argument("name", choices=published.every(), metavar="NAME")
    write.add_argument("--out", type=Path, required=True)
    check = commands.add_parser("check")
    check.add_argument("names", nargs="*", metavar="NAME")
    check.add_argument("--store", action="store_true", help="store the digests instead, after a change of the recipe")
    options = parser.parse_args()
    if options.command == "list":
        stored = published.digests()
        for name in published.every():
            print(f"{name:26} {stored[name]}")
        return 0
    if options.command == "write":
        options.out.write_bytes(published.every()[options.name].make().canonical_bytes())
        return 0
    return _check(options.names or list(published.every()), store=options.store)


def _check(names: list[str], *, store: bool) -> int:
    found, stored = {}, dict(published.digests()) if published.DIGESTS.exists() else {}
    for name in names:
        began = time.perf_counter()
        book = published.every()[name].make()
        made = time.perf_counter() - began
        found[name] = books.digest(book)
        verdict = "same" if stored.get(name) == found[name] else "DIFFERENT"
        print(f"{name:26} {found[name]} {verdict} (made in {made:.2f} s)", flush=True)
    if store:
        published.DIGESTS.write_text(json.dumps(stored | found, indent=2) + "\n", encoding="utf-8")
        return 0
    return 0 if all(stored.get(name) == sha256 for name, sha256 in found.items()) else 1


if __name__ == "__main__":
    sys.exit(main())

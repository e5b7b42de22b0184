"""A Chromium to test with: the machine's own, or one from npm unpacked into the environment.

`python -m tests.browser.chromium` makes it ready and prints where it is.
"""

import fcntl
import hashlib
import json
import os
import shutil
import stat
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_HERE: Final = Path(__file__).resolve().parent
_LOCK: Final = _HERE / "package-lock.json"
_PLACE: Final = Path(sys.prefix) / "browser"
_PROGRAMS: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

# Node unpacks what the package holds: Python's standard library has no brotli.
_UNPACK: Final = """
const fs = require('fs'), zlib = require('zlib');
fs.writeFileSync(process.argv[2], zlib.brotliDecompressSync(fs.readFileSync(process.argv[1])));
"""


class NoBrowser(Exception):
    """No browser can be had; the message says how to get one."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"No browser for the browser tests: {reason}. Install Chromium (on Debian: apt install chromium), or set "
            "CHROMIUM to the program, or let npm reach a registry that has @sparticuz/chromium and axe-core."
        )


@dataclass(frozen=True)
class Browser:
    """A program to start, the libraries it needs beside the system's, and the accessibility checker's source."""

    program: Path
    libraries: Path | None
    axe: Path

    def environment(self) -> dict[str, str]:
        """Return the environment in which the program finds its libraries and fonts."""
        environment = dict(os.environ)
        if self.libraries is not None:
            environment["LD_LIBRARY_PATH"] = str(self.libraries)
        return environment


def provide() -> Browser:
    """Return a browser, fetching what is missing first; raises NoBrowser with the remedy."""
    _PLACE.mkdir(exist_ok=True)
    with (_PLACE / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # test workers ask at the same time
        packages = _packages()
        axe = packages / "axe-core" / "axe.min.js"
        own = _own()
        if own is not None:
            return Browser(own, None, axe)
        return _unpacked(packages / "@sparticuz" / "chromium", axe)


def _own() -> Path | None:
    """Return the machine's browser, if it names or has one."""
    named = os.environ.get("CHROMIUM", "")
    if named:
        if not os.access(named, os.X_OK):
            raise NoBrowser(f"CHROMIUM is {named!r}, which is not a program")
        return Path(named)
    found = next(filter(None, map(shutil.which, _PROGRAMS)), None)
    return Path(found) if found else None


def _packages() -> Path:
    """Return the directory of the locked npm packages, installed when the lock has changed."""
    stamp = _PLACE / "installed"
    fingerprint = hashlib.sha256(_LOCK.read_bytes()).hexdigest()
    if not stamp.exists() or stamp.read_text() != fingerprint:
        stamp.unlink(missing_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(_HERE / name, _PLACE / name)
        _run([_tool("npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund"], "npm could not install its packages")
        stamp.write_text(fingerprint)
    return _PLACE / "node_modules"


def _unpacked(package: Path, axe: Path) -> Browser:
    version = json.loads((package / "package.json").read_text())["version"]
    place = _PLACE / f"chromium-{version}"
    if not place.exists():
        fresh = place.with_name(place.name + ".new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir()
        program = fresh / "chromium"
        _decompress(package / "bin/chromium.br", program)
        program.chmod(program.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
        for archive in ("al2023.tar.br", "swiftshader.tar.br"):
            plain = fresh / "archive.tar"
            _decompress(package / "bin" / archive, plain)
            _extract(plain, fresh)
            plain.unlink()
        fresh.rename(place)
    return Browser(place / "chromium", place / "lib", axe)


def _extract(archive: Path, directory: Path) -> None:
    """Write the regular files of an archive; Python 3.11.2 cannot yet be told to refuse names that lead outside."""
    with tarfile.open(archive) as members:
        for member in members:
            target = (directory / member.name).resolve()
            content = members.extractfile(member) if member.isfile() else None
            if content is not None and target.is_relative_to(directory.resolve()):
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content.read())
                target.chmod(member.mode & 0o755)


def _decompress(source: Path, target: Path) -> None:
    _run([_tool("node"), "-e", _UNPACK, str(source), str(target)], f"node could not unpack {source.name}")


def _tool(name: str) -> str:
    return str(Path(sys.prefix) / "bin" / name)


def _run(command: list[str], failure: str) -> None:
    # The environment's own node first: the system's may be too old for the package.
    path = os.pathsep.join([str(Path(sys.prefix) / "bin"), os.environ.get("PATH", "")])
    # Trust what the machine trusts, as pip does: a company's network may have a certificate of its own.
    environment = {"NODE_USE_SYSTEM_CA": "1"} | os.environ | {"PATH": path}
    try:
        subprocess.run(command, check=True, cwd=_PLACE, env=environment, capture_output=True, text=True)
    except FileNotFoundError as error:
        raise NoBrowser(f"{failure}: {error}") from error
    except subprocess.CalledProcessError as error:
        raise NoBrowser(f"{failure}: {error.stderr.strip()[-2000:]}") from error


if __name__ == "__main__":
    try:
        sys.stdout.write(f"{provide().program}\n")
    except NoBrowser as error:
        sys.exit(str(error))

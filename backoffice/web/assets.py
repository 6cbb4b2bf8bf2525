"""Static files at addresses that change with their content: kept for good, sent compressed.

`asset("css/backoffice.css")` gives `/assets/<edition>/css/backoffice.css`. The edition is a hash
over all files, not over one, so that the relative import of a module and the `url()` of a
stylesheet stay within it. The files are held in memory, compressed once: nothing is written, and
nothing of the application (session, log, database) takes part in sending one.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from flask import Flask, request
from werkzeug.wrappers import Request, Response

PREFIX = "/assets/"
# What we use of Bootstrap-Flask's own files.
BOOTSTRAP = ("css/bootstrap.min.css",)
_FOR_GOOD = "public, max-age=31536000, immutable"
_FIXED = {
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Vary": "Accept-Encoding",
}


@dataclass(frozen=True)
class Asset:
    """One file, as it is and compressed."""

    content: bytes
    mimetype: str

    @cached_property
    def packed(self) -> bytes | None:
        """The file compressed, or None when that does not make it smaller."""
        packed = gzip.compress(self.content, mtime=0)
        return packed if len(packed) < len(self.content) else None


@dataclass(frozen=True)
class Edition:
    """All files as they were at one time."""

    name: str
    files: dict[str, Asset]


class Assets:
    """Serves the files in front of a WSGI application; in development an edited file is seen."""

    def __init__(
        self, application: Callable[..., Iterable[bytes]], sources: Sources, *, watches: bool
    ) -> None:
        self._application = application
        self._sources = sources
        self._watches = watches
        self._seen: tuple[Any, ...] = ()
        self._edition: Edition | None = None

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer what is below the prefix; hand everything else on."""
        if not str(environ.get("PATH_INFO", "")).startswith(PREFIX):
            return self._application(environ, start_response)
        return self._answer(Request(environ))(environ, start_response)

    def url(self, name: str) -> str:
        """Return the present address of a file; raises LookupError when there is none."""
        edition = self.edition()
        if name not in edition.files:
            raise LookupError(f"There is no static file {name!r}.")
        return f"{request.script_root}{PREFIX}{edition.name}/{name}"

    def edition(self) -> Edition:
        """Return the files, read once, or in development again when one was edited."""
        if self._edition is None or self._watches:
            seen = self._sources.stamps() if self._watches else ()
            if self._edition is None or seen != self._seen:
                self._edition, self._seen = self._sources.read(), seen
        return self._edition

    def _answer(self, asked: Request) -> Response:
        if asked.method not in ("GET", "HEAD"):
            return _refusal(405, "This address can only be read.\n", Allow="GET, HEAD")
        edition = self.edition()
        named, _, name = asked.path.removeprefix(PREFIX).partition("/")
        file = edition.files.get(name) if named == edition.name else None
        if file is None:
            return _refusal(404, "There is nothing at this address.\n")
        packed = file.packed if asked.accept_encodings.quality("gzip") else None
        response = Response(packed or file.content, mimetype=file.mimetype, headers=_FIXED)
        response.headers["Cache-Control"] = _FOR_GOOD
        response.set_etag(f"{edition.name}-gzip" if packed else edition.name)
        if packed:
            response.headers["Content-Encoding"] = "gzip"
        response.make_conditional(asked)
        return response


class Sources:
    """Where the files are: a folder of ours, and single files of others under a prefix."""

    def __init__(self, folder: Path, others: dict[str, Path]) -> None:
        self._folder = folder
        self._others = others

    def read(self) -> Edition:
        """Return all files; their edition's name is a hash over names and contents."""
        files, digest = {}, hashlib.sha256()
        for name, path in self._paths():
            content = path.read_bytes()
            kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
            files[name] = Asset(content, kind)
            digest.update(f"{name}\0{hashlib.sha256(content).hexdigest()}\0".encode())
        return Edition(digest.hexdigest()[:16], files)

    def stamps(self) -> tuple[Any, ...]:
        """Return what changes when a file is edited, added or removed."""
        stats = [(name, path.stat()) for name, path in self._paths()]
        return tuple((name, stat.st_mtime_ns, stat.st_size) for name, stat in stats)

    def _paths(self) -> Iterator[tuple[str, Path]]:
        for path in sorted(self._folder.rglob("*")):
            if path.is_file():
                yield path.relative_to(self._folder).as_posix(), path
        yield from self._others.items()


def init_app(app: Flask) -> None:
    """Serve the files in front of the app, and offer `asset()` to templates."""
    bootstrap = Path(str(app.blueprints["bootstrap"].static_folder))
    sources = Sources(
        Path(str(app.static_folder)),
        {f"bootstrap/{name}": bootstrap / name for name in BOOTSTRAP},
    )
    watches = app.config["APP_ENV"] == "development"
    assets = Assets(app.wsgi_app, sources, watches=watches)
    app.wsgi_app = assets  # type: ignore[method-assign]
    app.jinja_env.globals["asset"] = assets.url


def _refusal(status: int, sentence: str, **headers: str) -> Response:
    kept = {**_FIXED, "Cache-Control": "no-store", **headers}
    return Response(sentence, status, headers=kept, mimetype="text/plain")

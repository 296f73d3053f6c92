"""Static files: named by their content, compressed once, cached for ever.

The build writes plain names into `static/`; here each gets a name with its hash, so that a browser may keep it for a
year and a new build is seen at once. Chunks that the bundler already named by content keep their names.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from functools import cached_property
from pathlib import Path

import zstandard
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

STATIC = Path(__file__).parent / "static"
_COMPRESSIBLE = {".css", ".js", ".json", ".svg", ".txt"}


class Asset:
    """One static file with its bytes, its hash and its compressed forms (made on first use)."""

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self.body = path.read_bytes()
        self.digest = hashlib.sha256(self.body).hexdigest()[:12]
        self.media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        self._compressible = path.suffix in _COMPRESSIBLE

    @property
    def address(self) -> str:
        """Returns the path under which browsers ask for this file, with the hash in it."""
        stem, dot, suffix = self.name.rpartition(".")
        return f"/static/{stem}.{self.digest}{dot}{suffix}"

    @cached_property
    def gzip(self) -> bytes:
        """Returns the file in gzip, at the highest level."""
        return gzip.compress(self.body, 9, mtime=0)

    @cached_property
    def zstd(self) -> bytes:
        """Returns the file in Zstandard, at level 19."""
        return zstandard.ZstdCompressor(level=19).compress(self.body)

    def encoded(self, accepted: str) -> tuple[bytes, str]:
        """Returns the bytes to send and their Content-Encoding, for an Accept-Encoding header."""
        if self._compressible and "zstd" in accepted:
            return self.zstd, "zstd"
        if self._compressible and "gzip" in accepted:
            return self.gzip, "gzip"
        return self.body, ""


class Assets:
    """The static files of one folder. A folder that was not built is empty: pages then show as plain text."""

    def __init__(self, folder: Path = STATIC) -> None:
        files = sorted(folder.glob("*")) if folder.is_dir() else []
        self._by_name = {path.name: Asset(path) for path in files if path.is_file()}
        self._by_address = {item.address: item for item in self._by_name.values()}

    def url(self, name: str) -> str:
        """Returns the address of a file, or "" where the file was not built."""
        item = self._by_name.get(name)
        return item.address if item else ""

    async def serve(self, request: Request) -> Response:
        """Answers `/static/<name>`: under its hashed name for a year, under its plain name after asking again."""
        name = request.path_params["name"]
        hashed = self._by_address.get(f"/static/{name}")
        item = hashed or self._by_name.get(name)
        if item is None:
            raise HTTPException(404)
        fixed = hashed is not None or _named_by_content(name)
        headers = {
            "cache-control": "public, max-age=31536000, immutable" if fixed else "no-cache",
            "etag": f'"{item.digest}"',
            "vary": "Accept-Encoding",
        }
        if request.headers.get("if-none-match") == headers["etag"]:
            return Response(status_code=304, headers=headers)
        body, encoding = item.encoded(request.headers.get("accept-encoding", ""))
        if encoding:
            headers["content-encoding"] = encoding
        return Response(body, media_type=item.media_type, headers=headers)


def _named_by_content(name: str) -> bool:
    """Says whether the bundler named this chunk by its content: `chart-X4HKNJPB.js`."""
    stem, _, suffix = name.rpartition(".")
    tail = stem.rpartition("-")[2]
    return suffix == "js" and len(tail) == 8 and tail.isalnum() and tail.isupper()

"""A file arrives whole and checked, or not at all, whatever the server does."""

from __future__ import annotations

import dataclasses
import hashlib
import random
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from lib_instantstyle.errors import CancelledDownloadError, DownloadError, UnreachableError
from lib_instantstyle.fetch.catalogue import FileKind, RemoteFile
from lib_instantstyle.fetch.download import Download, Pace, Watch
from lib_instantstyle.fetch.part_file import PartFile
from tests.support.server import CERTIFICATE, Mood, Shelf, serve

WHOLE = random.Random(1).randbytes(1_000_000)
HALF = len(WHOLE) // 2
FILE = RemoteFile("m", "m.safetensors", FileKind.ADAPTER, len(WHOLE), hashlib.sha256(WHOLE).hexdigest())
QUICK = Pace(timeout=0.5, pauses=(0.0, 0.0, 0.0))


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    with serve() as shelf:
        shelf.files["/m"] = WHOLE
        yield shelf


@pytest.fixture
def part(tmp_path: Path) -> Path:
    return tmp_path / "parts" / "m.safetensors"


def fetch(shelf: Shelf, part: Path, file: RemoteFile = FILE, watch: Watch | None = None) -> None:
    Download(f"{shelf.url}/m", file, PartFile(part), watch or Watch(), QUICK).run()


def ranges(shelf: Shelf) -> list[str | None]:
    return [asked for _, asked in shelf.requests]


def test_a_good_server(shelf: Shelf, part: Path) -> None:
    counts: list[int] = []
    fetch(shelf, part, watch=Watch(counts.append))
    assert part.read_bytes() == WHOLE
    assert counts == sorted(counts)
    assert counts[-1] == len(WHOLE)
    assert [path.name for path in part.parent.iterdir()] == [part.name]


@pytest.mark.parametrize(
    "mood",
    [
        Mood(bytes=HALF),
        Mood(bytes=HALF, stall=30),
        Mood(bytes=HALF, length=False),
        Mood(bytes=HALF, chunked=True),
    ],
    ids=["drops", "stalls", "drops without a length", "ends too early, in chunks"],
)
def test_what_broke_off_is_resumed(shelf: Shelf, part: Path, mood: Mood) -> None:
    shelf.moods = [mood, Mood(status=503), Mood(bytes=1000), Mood()]
    fetch(shelf, part)
    assert part.read_bytes() == WHOLE
    assert ranges(shelf) == [None, f"bytes={HALF}-", f"bytes={HALF}-", f"bytes={HALF + 1000}-"]


def test_a_later_attempt_resumes_too(shelf: Shelf, part: Path) -> None:
    shelf.moods = [Mood(bytes=HALF), *[Mood(bytes=0)] * 4]
    with pytest.raises(DownloadError, match=r"broke 4 times in a row.*500 KB.*is kept"):
        fetch(shelf, part)
    fetch(shelf, part)
    assert part.read_bytes() == WHOLE
    assert ranges(shelf)[-1] == f"bytes={HALF}-"


def test_a_file_that_changed_meanwhile_is_fetched_anew(shelf: Shelf, part: Path) -> None:
    shelf.moods = [Mood(bytes=HALF, content=bytes(len(WHOLE)))]
    fetch(shelf, part)
    assert part.read_bytes() == WHOLE


def test_a_server_without_ranges_starts_again(shelf: Shelf, part: Path) -> None:
    shelf.moods = [Mood(bytes=HALF), Mood(ranges=False)]
    fetch(shelf, part)
    assert part.read_bytes() == WHOLE


def test_a_server_that_never_gets_further_is_left(shelf: Shelf, part: Path) -> None:
    shelf.moods = [Mood(bytes=HALF, ranges=False)] * 20
    with pytest.raises(DownloadError, match="broke 4 times"):
        fetch(shelf, part)
    assert len(shelf.requests) == 5


def test_without_a_validator_only_a_hash_allows_resuming(shelf: Shelf, part: Path) -> None:
    shelf.moods = [Mood(bytes=HALF, etag='W/"weak"'), Mood(etag="")]
    fetch(shelf, part)
    part.unlink()
    shelf.moods = [Mood(bytes=HALF, etag='W/"weak"'), Mood(etag="")]
    fetch(shelf, part, dataclasses.replace(FILE, sha256=None))
    assert part.read_bytes() == WHOLE
    assert ranges(shelf) == [None, f"bytes={HALF}-", None, None]


@pytest.mark.parametrize("claim", [-1, 1, 10**12])
def test_another_length_than_expected_is_refused(shelf: Shelf, part: Path, claim: int) -> None:
    shelf.moods = [Mood(claim=claim)]
    with pytest.raises(DownloadError, match=f"offers {len(WHOLE) + claim} bytes where {len(WHOLE)} were expected"):
        fetch(shelf, part)
    assert not part.exists()


def test_a_server_that_says_no_length_cannot_fill_the_disk(shelf: Shelf, part: Path) -> None:
    shelf.moods = [Mood(content=WHOLE + b"more", length=False)]
    with pytest.raises(DownloadError, match="sends more than"):
        fetch(shelf, part)
    unknown = dataclasses.replace(FILE, bytes=None, sha256=None)
    shelf.moods = [Mood(content=bytes(2 << 20))]
    with pytest.raises(DownloadError, match="offers 2097152 bytes where 1048576"):
        fetch(shelf, part, unknown)


def test_wrong_bytes_are_thrown_away(shelf: Shelf, part: Path) -> None:
    shelf.moods = [Mood(content=WHOLE[:-1] + b"x" if WHOLE[-1:] != b"x" else WHOLE[:-1] + b"y")]
    with pytest.raises(DownloadError, match=r"instead of .*thrown away"):
        fetch(shelf, part)
    assert not list(part.parent.iterdir())


def test_a_part_longer_than_the_file_begins_anew(shelf: Shelf, part: Path) -> None:
    part.parent.mkdir()
    part.write_bytes(WHOLE + b"more")
    fetch(shelf, part)
    assert part.read_bytes() == WHOLE


def test_redirects_are_followed_with_the_range(shelf: Shelf, part: Path) -> None:
    shelf.files["/cdn"] = WHOLE
    redirect = Mood(location=f"{shelf.url}/cdn")
    shelf.moods = [redirect, Mood(bytes=HALF), redirect, Mood()]
    fetch(shelf, part)
    assert part.read_bytes() == WHOLE
    assert shelf.requests[-1] == ("/cdn", f"bytes={HALF}-")


@pytest.mark.parametrize("location", ["file:///etc/passwd", "ftp://example.org/m"])
def test_redirects_elsewhere_are_not(shelf: Shelf, part: Path, location: str) -> None:
    shelf.moods = [Mood(location=location)]
    with pytest.raises(DownloadError):
        fetch(shelf, part)
    assert not part.exists()


# --- the host's transport


@pytest.fixture
def clean(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """No proxy, no mirror and no certificates from this machine's environment."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "requests_ca_bundle", "curl_ca_bundle"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    return monkeypatch


def test_a_bundle_of_certificates_is_used(clean: pytest.MonkeyPatch, part: Path) -> None:
    """Of a company's network that signs for every server, say."""
    with serve(tls=True) as shelf:
        shelf.files["/m"] = WHOLE
        with pytest.raises(UnreachableError, match=r"\(certificate verify failed|\(.*CERTIFICATE_VERIFY_FAILED"):
            fetch(shelf, part)
        assert shelf.requests == []
        clean.setenv("REQUESTS_CA_BUNDLE", str(CERTIFICATE))
        shelf.moods = [Mood(bytes=HALF)]
        fetch(shelf, part)
    assert part.read_bytes() == WHOLE


def test_a_bundle_that_is_not_there_is_named(clean: pytest.MonkeyPatch, part: Path) -> None:
    clean.setenv("REQUESTS_CA_BUNDLE", "/no/such.pem")
    with (
        serve(tls=True) as shelf,
        pytest.raises(UnreachableError, match=r"cannot be reached .*invalid path: /no/such\.pem"),
    ):
        fetch(shelf, part)


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "ALL_PROXY"])
def test_a_proxy_is_asked(clean: pytest.MonkeyPatch, shelf: Shelf, part: Path, name: str) -> None:
    address = "http://models.invalid/m"
    shelf.files[address] = WHOLE
    shelf.moods = [Mood(bytes=HALF)]
    clean.setenv(name, shelf.url)
    Download(address, FILE, PartFile(part), Watch(), QUICK).run()
    assert part.read_bytes() == WHOLE
    assert shelf.requests == [(address, None), (address, f"bytes={HALF}-")]


def test_a_proxy_that_is_not_there_is_blamed(clean: pytest.MonkeyPatch, part: Path) -> None:
    clean.setenv("http_proxy", "http://127.0.0.1:9")
    with pytest.raises(UnreachableError, match=r"cannot be reached \(proxy: Connection refused\)"):
        Download("http://models.invalid/m", FILE, PartFile(part), Watch(), QUICK).run()


def test_no_proxy_is_asked_for_what_it_shall_not_be(clean: pytest.MonkeyPatch, shelf: Shelf, part: Path) -> None:
    clean.setenv("http_proxy", "http://127.0.0.1:9")
    clean.setenv("no_proxy", "127.0.0.1")
    fetch(shelf, part)
    assert part.read_bytes() == WHOLE


def test_a_proxy_of_a_kind_that_nothing_here_speaks_is_told(clean: pytest.MonkeyPatch, part: Path) -> None:
    clean.setenv("ALL_PROXY", "gopher://127.0.0.1:9")
    with pytest.raises(UnreachableError, match="cannot be reached"):
        Download("http://models.invalid/m", FILE, PartFile(part), Watch(), QUICK).run()


def test_encryption_is_not_given_up(clean: pytest.MonkeyPatch, shelf: Shelf, part: Path) -> None:
    clean.setenv("REQUESTS_CA_BUNDLE", str(CERTIFICATE))
    with serve(tls=True) as secure:
        secure.moods = [Mood(location="/m"), Mood(location=f"{shelf.url}/m")]
        with pytest.raises(DownloadError, match=rf"127\.0\.0\.1 redirects to {shelf.url}/m, which is not secure"):
            fetch(secure, part)
    assert shelf.requests == []


def test_redirects_in_a_circle_end(shelf: Shelf, part: Path) -> None:
    shelf.moods = [Mood(location="/m")] * 40
    with pytest.raises(UnreachableError, match="30 redirects"):
        fetch(shelf, part)


def test_a_server_that_hangs_up_at_first_is_asked_again(shelf: Shelf, part: Path) -> None:
    shelf.moods = [Mood(hangs_up=True)] * 2
    fetch(shelf, part)
    assert part.read_bytes() == WHOLE
    part.unlink()
    shelf.moods, shelf.requests = [Mood(hangs_up=True)] * 9, []
    with pytest.raises(UnreachableError, match=r"cannot be reached \(.*[Rr]emote end closed"):
        fetch(shelf, part)
    assert len(shelf.requests) == 3


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_a_refusal_is_final(shelf: Shelf, part: Path, status: int) -> None:
    shelf.moods = [Mood(status=status)]
    with pytest.raises(DownloadError, match=f"answers {status}.*mirror"):
        fetch(shelf, part)
    assert len(shelf.requests) == 1


def test_nobody_there(part: Path) -> None:
    with serve() as shelf:
        pass
    with pytest.raises(UnreachableError, match="cannot be reached"):
        fetch(shelf, part)


def test_cancelling_keeps_what_was_received(shelf: Shelf, part: Path) -> None:
    cancelled = threading.Event()
    with pytest.raises(CancelledDownloadError):
        fetch(shelf, part, watch=Watch(lambda _count: cancelled.set(), cancelled))
    kept = part.stat().st_size
    assert 0 < kept < len(WHOLE)
    fetch(shelf, part)
    assert part.read_bytes() == WHOLE
    assert ranges(shelf)[-1] == f"bytes={kept}-"

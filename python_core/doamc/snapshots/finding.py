"""The inputs that paths, folders, patterns and URLs stand for.

Of a folder: SigMF recordings, collections and archives, .npz files, and bare samples whose names tell their type.
Recordings that a collection beside them names are part of it, and an archive of several stands for each of them.
"""

import fnmatch
import glob
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from doamc.errors import RecordingError
from doamc.files.remote import file_at, filesystem, is_url
from doamc.snapshots.raw_files import SUFFIXES
from doamc.snapshots.sigmf_archive import ARCHIVE, member_of, recordings_in
from doamc.snapshots.sigmf_collection import COLLECTION, streams_of
from doamc.text import reason, shown

_META = ".sigmf-meta"
TAKEN = (_META, COLLECTION, ARCHIVE, ".npz", *SUFFIXES)
_MAGIC = frozenset("*?[")


class Found(NamedTuple):
    """An input: where it lies, path or URL, and its name below what was searched, with / between folders."""

    where: str
    name: str


def find_inputs(
    words: Iterable[str], include: str | None = None, without: str | None = None, taken: tuple[str, ...] = TAKEN
) -> list[Found]:
    """Inputs of paths, folders, patterns (``*``, ``?``, ``[...]``, ``**``) and URLs of these, in order of their names.

    include: pattern of names, or of paths below a folder; what it fits is taken whatever it is. without: a folder here
    that is passed over. taken: endings of names of which files of a folder are taken. Raises RecordingError where a
    word stands for nothing, a store does not answer, or two inputs have one name.
    """
    found = dict[str, Found]()
    for word in words:
        some = list(_parts_of(_chosen(_listed(word), include, without, taken)))
        if not some and without is not None and any(_chosen(_listed(word), include, None, taken)):
            raise RecordingError(
                f"{word}: expected inputs outside of the folder of results, found all of them in {without}; name "
                "another folder for results"
            )
        if not some:
            wanted = f"inputs that fit {shown(include)}" if include else "an input, or a folder with some"
            raise RecordingError(f"{word}: expected {wanted}, found none")
        for one in some:
            if not all(part.strip(". ") for part in one.name.split("/")):
                raise RecordingError(
                    f"{one.where}: expected a name without empty parts and '..', found {shown(one.name)}"
                )
            other = found.setdefault(one.name, one)
            if other.where != one.where:
                raise RecordingError(
                    f"expected inputs with names of their own, found {other.where} and {one.where}, both "
                    f"{shown(one.name)}; name a folder above both, or estimate one after the other"
                )
    return [found[name] for name in sorted(found)]


def is_many(word: str) -> bool:
    """Whether a word may stand for several inputs: a folder, a pattern or a URL."""
    return is_url(word) or os.path.isdir(word) or (bool(_MAGIC & set(word)) and not os.path.exists(word))


def _listed(word: str) -> Iterator[tuple[Found, bool]]:
    """Files of a word, and whether each was named by itself."""
    if is_url(word) and not word.startswith("file://"):
        yield from _listed_far(word)
        return
    path = str(file_at(word))
    if os.path.isdir(path):
        for folder, folders, files in os.walk(path):
            folders[:] = sorted(f for f in folders if not f.startswith("."))
            for file in sorted(files):
                whole = os.path.join(folder, file)
                yield Found(whole, Path(os.path.relpath(whole, path)).as_posix()), False
    elif os.path.exists(path) or member_of(Path(path))[1] is not None:
        yield Found(path, Path(path).name), True
    elif _MAGIC & set(path):
        start = _fixed(Path(path).as_posix())
        for whole in sorted(glob.glob(path, recursive=True)):
            if os.path.isfile(whole):
                yield Found(whole, Path(os.path.relpath(whole, start)).as_posix()), False


def _listed_far(url: str) -> Iterator[tuple[Found, bool]]:
    store, scheme = filesystem(url), url.partition("://")[0]
    far = file_at(url)
    try:
        if _MAGIC & set(url):
            names, start = store.glob(url), _fixed(url)
        elif url.endswith("/") or (scheme not in ("http", "https") and store.isdir(url)):
            names, start = store.find(url), url.rstrip("/")
        else:
            yield Found(url, far.name), True
            return
    except Exception as error:
        raise RecordingError(f"{url}: cannot be listed ({reason(error)})") from error
    bare = start.partition("://")[2].rstrip("/") + "/"
    for name in sorted(str(n) for n in names):
        whole = name if is_url(name) else f"{scheme}://{name.lstrip('/')}"
        yield Found(whole, whole.partition("://")[2].removeprefix(bare)), False


def _fixed(pattern: str) -> str:
    """The folder of a pattern above its first part that varies."""
    parts = pattern.split("/")
    first = next(i for i, part in enumerate(parts) if _MAGIC & set(part))
    return "/".join(parts[:first]) or ("/" if pattern.startswith("/") else ".")


def _chosen(
    listed: Iterable[tuple[Found, bool]], include: str | None, without: str | None, taken: tuple[str, ...]
) -> Iterator[Found]:
    away = None if without is None else os.path.join(os.path.realpath(without), "")
    for one, named in listed:
        name = one.name.rpartition("/")[2]
        if away and not named and not is_url(one.where) and os.path.realpath(one.where).startswith(away):
            continue
        if include is not None:
            if fnmatch.fnmatch(name, include) or fnmatch.fnmatch(one.name, include):
                yield one
        elif named or (not name.startswith(".") and name.lower().endswith(taken)):
            yield one


def _parts_of(some: Iterable[Found]) -> Iterator[Found]:
    """Inputs, without recordings that belong to a collection among them, and each of an archive of several."""
    files = list(some)
    streams = set[str]()
    for one in files:
        if one.where.lower().endswith(COLLECTION):
            folder = one.where.rpartition("/")[0]
            streams |= {f"{folder}/{name.removesuffix(_META)}{_META}".lstrip("/") for name in _streams(one)}
    for one in files:
        if one.where.lstrip("/") in streams:
            continue
        inside = _inside(one) if one.where.lower().endswith(ARCHIVE) else []
        yield from (Found(f"{one.where}/{n}", f"{one.name}/{n}") for n in inside) if len(inside) > 1 else (one,)


def _quietly(read: Callable[[Path], list[str]], one: Found) -> list[str]:
    """What is read of a file; nothing where it cannot be, which whoever opens it later will say."""
    try:
        return read(file_at(one.where))
    except RecordingError:
        return []


def _streams(one: Found) -> list[str]:
    return _quietly(lambda path: [name for name, _ in streams_of(path)], one)


def _inside(one: Found) -> list[str]:
    return [str(PurePosixPath(name)) for name in _quietly(recordings_in, one)]

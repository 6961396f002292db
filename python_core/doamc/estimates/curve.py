"""Keys of CURVE, ZMQ's encryption: a pair in two files, one to give away and one to keep.

A publisher with a key pair talks only to readers that know its public key, and these can be sure that it is the one
they hear. Where it is given a folder of public keys, it talks only to readers whose key lies there. The files are those
of CZMQ and pyzmq (ZPL), ``NAME.key`` and ``NAME.key_secret``; the latter, only its owner can read.
"""

import os
import stat
from pathlib import Path
from typing import Any

import zmq
from zmq.utils import z85

from doamc.errors import PublishError
from doamc.files.atomic import check_named, whole_file
from doamc.text import shown

PUBLIC, SECRET = ".key", ".key_secret"


def make_keys(path: str | Path) -> tuple[Path, Path]:
    """Make a key pair in ``PATH.key`` and ``PATH.key_secret`` (mode 0600); both paths.

    Raises PublishError when one of the files exists or has no name, RecordingError when one cannot be written or the
    name is an ending alone.
    """
    if os.path.basename(path) in ("", ".", ".."):
        raise PublishError(f"expected a name for the keys, found {shown(str(path))}")
    check_named(path)
    _require_curve()
    public, secret = zmq.curve_keypair()
    lines = f'curve\n    public-key = "{public.decode()}"\n'
    files = {
        Path(f"{path}{SECRET}"): f'# keep this file to yourself\n{lines}    secret-key = "{secret.decode()}"\n',
        Path(f"{path}{PUBLIC}"): f"# give this file away\n{lines}",
    }
    for name in files:
        if os.path.exists(name):  # Path's own raises where the name is too long
            raise PublishError(f"expected a new name for the keys, found {name}; take another or remove it")
    for name, text in files.items():
        with whole_file(name, private=name.suffix == SECRET) as file:
            file.write(text.encode())
    return Path(f"{path}{PUBLIC}"), Path(f"{path}{SECRET}")


def load_public(path: str | Path) -> bytes:
    """Public key (40 characters of Z85) of either file of a pair. Raises PublishError when it is none."""
    return _load(path)[0]


def load_secret(path: str | Path) -> tuple[bytes, bytes]:
    """Public and secret key of a ``.key_secret`` file. Raises PublishError when it is none, or others can read it."""
    public, secret = _load(path)
    if secret is None:
        raise PublishError(f"expected a secret key in {path}, found none; name the file NAME{SECRET} of doamc keys")
    mode = stat.S_IMODE(os.stat(path).st_mode)
    if os.name == "posix" and mode & 0o077:
        raise PublishError(f"expected a secret key that only you can read, found mode {mode:04o}: chmod 600 {path}")
    return public, secret


def load_folder(path: str | Path) -> Path:
    """The folder, if it holds the public keys of readers. Raises PublishError when it does not."""
    folder = Path(path)
    keys = sorted(folder.glob(f"*{PUBLIC}")) if folder.is_dir() else []
    if not keys:
        raise PublishError(f"expected a folder with the public keys of readers (*{PUBLIC}), found none in {folder}")
    for key in keys:
        load_public(key)
    return folder


def serve(socket: "zmq.Socket[bytes]", keys: str | Path) -> None:
    """Let a socket that will be bound demand CURVE, with the pair of a ``.key_secret`` file."""
    _require_curve()
    public, secret = load_secret(keys)
    socket.curve_server = True
    socket.curve_publickey, socket.curve_secretkey = public, secret


def join(socket: "zmq.Socket[bytes]", server_key: str | Path, keys: str | Path | None) -> None:
    """Let a socket that will connect expect a server by its public key.

    keys: the reader's own pair, a ``.key_secret`` file; None makes one for the occasion.
    """
    _require_curve()
    socket.curve_serverkey = load_public(server_key)
    socket.curve_publickey, socket.curve_secretkey = zmq.curve_keypair() if keys is None else load_secret(keys)


def admit_only(context: "zmq.Context[Any]", folder: str | Path) -> Any:
    """Authenticator that lets in readers whose public key lies in a folder now; ``stop()`` it in the end."""
    from zmq.auth.thread import ThreadAuthenticator

    folder = load_folder(folder)
    authenticator = ThreadAuthenticator(context)
    authenticator.start()
    authenticator.configure_curve(domain="*", location=folder)
    return authenticator


def _require_curve() -> None:
    if not zmq.has("curve"):
        raise PublishError("expected a ZMQ library with CURVE, found one without; install pyzmq from its wheel")


def _load(path: str | Path) -> tuple[bytes, bytes | None]:
    from zmq.auth import load_certificate

    try:
        if os.stat(path).st_size > 1 << 16 or not os.path.isfile(path):
            raise ValueError("too long for a key, or no plain file")
        public, secret = load_certificate(path)
        for key in (public, secret or public):
            if len(key) != 40:
                raise ValueError(f"{len(key)} characters instead of 40")
            z85.decode(key)
    except OSError as error:
        raise PublishError(f"cannot read the key {path}: {error.strerror or error}; see doamc keys") from error
    except (ValueError, KeyError) as error:
        raise PublishError(f"expected a key of doamc keys in {path}, found none ({error})") from error
    return public, secret

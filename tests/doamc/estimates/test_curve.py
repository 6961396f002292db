"""Keys: who may read a publisher that has them, over real sockets; which files are keys."""

import os
import shutil
import stat

import pytest
import zmq

from doamc.errors import PublishError, RecordingError
from doamc.estimates import Publisher, Subscriber
from doamc.estimates.address import check_exposure
from doamc.estimates.curve import load_public, load_secret, make_keys

FREE = "tcp://127.0.0.1:*"


@pytest.fixture
def keys(tmp_path):
    """Pairs of a publisher and of two readers: NAME.key and NAME.key_secret."""
    for name in ("roof", "ada", "eve"):
        make_keys(tmp_path / name)
    return tmp_path


def heard(subscriber):
    """Whether a message came; else the publisher refused, which is waited for."""
    while not subscriber.refused:
        if subscriber.receive(0.1) is not None:
            return True
    return False


def test_a_pair_is_one_and_only_its_owner_reads_the_secret(keys):
    public, secret = load_secret(keys / "roof.key_secret")
    assert load_public(keys / "roof.key") == public == load_public(keys / "roof.key_secret") == zmq.curve_public(secret)
    assert stat.S_IMODE((keys / "roof.key_secret").stat().st_mode) == 0o600
    assert secret not in (keys / "roof.key").read_bytes() and load_public(keys / "ada.key") != public
    assert sorted(p.name for p in keys.iterdir() if "roof" in p.name) == ["roof.key", "roof.key_secret"]


def test_who_has_the_public_key_may_read(keys):
    with Publisher(FREE, 0.02, keys=keys / "roof.key_secret") as publisher:
        with Subscriber(publisher.address, server_key=keys / "roof.key") as ada:
            assert heard(ada) and ada.refused == 0
        with Subscriber(publisher.address) as eve:
            assert not heard(eve) and eve.received == 0
        with Subscriber(publisher.address, server_key=keys / "eve.key") as eve:
            assert not heard(eve)


def test_with_a_folder_of_readers_only_they_may_read(keys, tmp_path):
    readers = tmp_path / "readers"
    readers.mkdir()
    shutil.copy(keys / "ada.key", readers)
    with Publisher(FREE, 0.02, keys=keys / "roof.key_secret", readers=readers) as publisher:
        known = {"server_key": keys / "roof.key"}
        with Subscriber(publisher.address, **known, keys=keys / "ada.key_secret") as ada:
            assert heard(ada)
        for stranger in ({}, known, known | {"keys": keys / "eve.key_secret"}):
            with Subscriber(publisher.address, **stranger) as eve:
                assert not heard(eve)


def test_a_publisher_without_keys_is_not_believed_by_who_expects_them(keys):
    with Publisher(FREE, 0.02) as publisher, Subscriber(publisher.address, server_key=keys / "roof.key") as ada:
        assert not heard(ada)


@pytest.mark.parametrize("host", ["*", "0.0.0.0", "[::]", "192.0.2.7", "eth0", "example.org"])
def test_beyond_this_computer_keys_or_a_word_are_needed(host):
    with pytest.raises(PublishError, match=r"--keys.*--insecure"):
        Publisher(f"tcp://{host}:5577")
    check_exposure(f"tcp://{host}:5577", guarded=True)


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "tcp://127.9.9.9:*", "tcp://[::1]:1", "tcp://localhost:1",
                                     "ipc:///tmp/x", "inproc://x"])  # fmt: skip
def test_on_this_computer_they_are_not(address):
    check_exposure(address, guarded=False)


def test_all_interfaces_with_keys_or_with_the_word(keys):
    for options in ({"keys": keys / "roof.key_secret"}, {"insecure": True}):
        with Publisher("tcp://0.0.0.0:*", 0.02, **options) as publisher:
            address = publisher.address.replace("0.0.0.0", "127.0.0.1")
            guard = {"server_key": keys / "roof.key"} if "keys" in options else {}
            with Subscriber(address, **guard) as reader:
                assert heard(reader)


def test_files_that_are_no_keys_are_named(keys, tmp_path):
    texts = {"a": "", "b": 'public-key = "short"', "c": f'public-key = "{40 * "~"}"', "d": "x" * 10**5}
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
        with pytest.raises(PublishError, match=rf"expected a key of doamc keys in .*{name}"):
            load_public(tmp_path / name)
    with pytest.raises(PublishError, match="cannot read the key"):
        load_public(tmp_path / "none")
    with pytest.raises(PublishError, match="no plain file"):
        load_public(tmp_path)
    with pytest.raises(PublishError, match="expected a secret key in"):
        load_secret(keys / "roof.key")
    os.chmod(keys / "roof.key_secret", 0o640)
    with pytest.raises(PublishError, match="found mode 0640: chmod 600"):
        Publisher(FREE, keys=keys / "roof.key_secret")
    os.chmod(keys / "roof.key_secret", 0o600)
    with pytest.raises(PublishError, match="folder with the public keys"):
        Publisher(FREE, keys=keys / "roof.key_secret", readers=tmp_path / "none")
    with pytest.raises(PublishError, match="--keys"):
        Publisher(FREE, readers=keys)
    with pytest.raises(PublishError, match="--server-key"):
        Subscriber("tcp://127.0.0.1:9", keys=keys / "ada.key_secret")


def test_keys_are_never_replaced(keys):
    before = (keys / "roof.key_secret").read_bytes()
    with pytest.raises(PublishError, match="take another"):
        make_keys(keys / "roof")
    (keys / "roof.key").unlink()
    with pytest.raises(PublishError, match="take another"):
        make_keys(keys / "roof")
    assert (keys / "roof.key_secret").read_bytes() == before
    with pytest.raises(RecordingError, match="no folder"):
        make_keys(keys / "no" / "roof")

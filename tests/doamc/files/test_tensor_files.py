"""Tensor files of others: finite real numbers and a JSON object are read, everything else is refused in one line."""

import json

import pytest
import torch
from safetensors.torch import save_file

from doamc.errors import CheckpointError
from doamc.files.tensor_files import read_head, read_tensors

WHAT = "x: expected tensors"


def saved(tmp_path, tensors, head='{"a": 1}'):
    save_file(tensors, tmp_path / "x.safetensors", None if head is None else {"doamc": head})
    return tmp_path / "x.safetensors"


@pytest.mark.parametrize("kind", [torch.float32, torch.float64, torch.bfloat16])
def test_tensors_and_head_come_back(tmp_path, kind):
    values = torch.arange(6.0).reshape(2, 3).to(kind)
    path = saved(tmp_path, {"w": values, "empty": torch.zeros(0)})
    tensors, head = read_tensors(path, CheckpointError, WHAT)
    assert tensors.keys() == {"w", "empty"} and torch.equal(tensors["w"], values) and tensors["w"].dtype == kind
    assert head == read_head(path, CheckpointError, WHAT) == {"a": 1}
    assert torch.view_as_complex(tensors["w"].double()[:, :2].contiguous()).shape == (2,)


def test_without_a_head_it_is_empty(tmp_path):
    assert read_tensors(saved(tmp_path, {"w": torch.ones(1)}, None), CheckpointError, WHAT)[1] == {}


@pytest.mark.parametrize(
    ("tensors", "head", "words"),
    [
        ({"w": torch.tensor([1.0, float("nan")])}, "{}", "expected finite numbers, found others in 'w'"),
        ({"w": torch.tensor([float("inf")])}, "{}", "expected finite numbers"),
        ({"w": torch.ones(2, dtype=torch.int64)}, "{}", "expected finite numbers"),
        ({"w": torch.ones(2)}, "[1]", "expected a JSON object"),
        ({"w": torch.ones(2)}, "{", WHAT),
    ],
)
def test_other_numbers_and_heads_are_refused(tmp_path, tensors, head, words):
    path = saved(tmp_path, tensors, head)
    with pytest.raises(CheckpointError, match=words) as caught:
        read_tensors(path, CheckpointError, WHAT)
    assert str(caught.value).startswith(WHAT) and "\n" not in str(caught.value)


def test_what_is_no_such_file_is_refused_before_it_is_read(tmp_path):
    path = saved(tmp_path, {"w": torch.ones(100)})
    data = path.read_bytes()
    for content in (b"", data[:-1], b"\xff" * 50, json.dumps({"w": [1]}).encode()):
        path.write_bytes(content)
        with pytest.raises(CheckpointError, match=WHAT):
            read_tensors(path, CheckpointError, WHAT)
    with path.open("wb") as file:
        file.truncate(300 << 20)  # sparse
    with pytest.raises(CheckpointError, match="at most 256 MiB, found 300"):
        read_tensors(path, CheckpointError, WHAT)
    with pytest.raises(CheckpointError, match=WHAT):
        read_tensors(tmp_path / "none", CheckpointError, WHAT)

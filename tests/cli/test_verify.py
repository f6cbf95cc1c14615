# SPDX-License-Identifier: Apache-2.0
"""`edgegrf verify` on the shipped student and on models from elsewhere."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from edgegrf.cli.verify import command
from edgegrf.errors import ModelError, UnsupportedError
from edgegrf.parity.files import find_chain
from edgegrf.resources import DEFAULT_STUDENT, shipped_file

#: the integer links on the host
LINKS = [("tflm", "window"), ("tflm", "stream"), ("tflm-steps", "stream")]


def _links(*arguments: str) -> dict[tuple[str, str, str], dict[str, object]]:
    result = CliRunner().invoke(command, [*arguments, "--json"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    record = json.loads(result.stdout)
    assert record["ok"] is True
    return {(link["from"], link["to"], link["mode"]): link for link in record["links"]}


def test_the_default_student_holds_every_link(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without walks at hand, so that it holds on any machine; real walks are in test_main_job."""
    monkeypatch.delenv("EDGEGRF_DATA", raising=False)
    links = _links("--outputs", "5000")
    assert set(links) == {
        ("torch", "onnx", "window"),
        ("onnx", "int8", "window"),
        ("tflm", "c-host", "window"),
        ("tflm", "c-host", "stream"),
        ("tflm-steps", "c-host", "stream"),
        ("c-host", "virtual:nrf52840dk", "window"),
        ("c-host", "virtual:nrf52840dk", "stream"),
    }
    for (source, _, _), link in links.items():
        assert link["mismatches"] == 0
        if source in ("tflm", "tflm-steps", "c-host"):
            assert link["max_lsb"] == 0
            assert int(str(link["outputs"])) >= 5000


@pytest.mark.parametrize("net", ["conv", "ds"])
def test_a_model_without_a_manifest_is_verified_on_random_bits(net: str, reference_nets: Path) -> None:
    """1 000 windows of random bits, window and stream, as the reference nets come without a manifest."""
    links = _links(str(reference_nets / f"{net}.tflite"), "--outputs", "200000", "--port", "none")
    assert set(links) == {(name, "c-host", mode) for name, mode in LINKS}
    assert all(link["outputs"] >= 20_000 and link["max_lsb"] == 0 for link in links.values())
    assert all(links["tflm", "c-host", mode]["outputs"] == 200_000 for mode in ("window", "stream"))


def test_one_mode_alone(reference_nets: Path) -> None:
    links = _links(
        str(reference_nets / "ds.tflite"), "--outputs", "2000", "--port", "none", "--mode", "stream"
    )
    assert set(links) == {("tflm", "c-host", "stream"), ("tflm-steps", "c-host", "stream")}
    with pytest.raises(UnsupportedError, match="no window mode"):
        _links("insole4-gru32", "--port", "none", "--mode", "window")


def test_a_changed_model_is_refused(tmp_path: Path) -> None:
    model = Path(shutil.copy(shipped_file(DEFAULT_STUDENT, "student_int8.tflite"), tmp_path))
    shutil.copy(shipped_file(DEFAULT_STUDENT, "student_int8.tflite.json"), tmp_path)
    model.write_bytes(model.read_bytes() + b"\0")
    with pytest.raises(ModelError, match="not the file"):
        find_chain(model)


def test_a_missing_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such model"):
        find_chain(tmp_path / "absent.tflite")

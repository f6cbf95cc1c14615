# SPDX-License-Identifier: Apache-2.0
"""The reference nets and the shipped students: bit-exact windows and streams, self-contained C."""

from __future__ import annotations

import shutil
import sys

import numpy as np
import pytest

from edgegrf.compiler import compile_model
from edgegrf.errors import DataError, ModelError, OutputError, UsageError
from edgegrf.parity.host import WARNINGS, HostModel
from edgegrf.parity.tflm_c import check_stream, check_window
from edgegrf.process import run
from edgegrf.resources import shipped_file, shipped_students
from edgegrf.toolchain import Compiler, host_compiler

RNG = np.random.default_rng(8)


def noise(*shape):
    return RNG.integers(-128, 128, shape).astype(np.int8)


@pytest.mark.parametrize("net", ["conv", "ds"])
def test_a_thousand_windows_and_a_long_walk(net, reference_nets):
    pytest.importorskip("tflite_micro")
    tflite = reference_nets / f"{net}.tflite"
    host = HostModel(tflite)
    windows = check_window(tflite, host, noise(1000, 200, 8))
    assert windows.ok and windows.outputs == 200_000 and windows.max_lsb == 0
    walk = check_stream(tflite, host, noise(3000, 8))
    assert walk.ok and walk.outputs == 3000


@pytest.mark.parametrize("student", shipped_students())
def test_shipped_students(student):
    pytest.importorskip("tflite_micro")
    tflite = shipped_file(student, "student_int8.tflite")
    if not tflite.is_file():
        pytest.skip(f"{student} has no .tflite")
    host = HostModel(tflite)
    plan = host.info.plan
    if host.modes & 1:
        assert check_window(tflite, host, noise(10, plan.samples, plan.input_channels)).ok
    if host.modes & 2:
        length = 400 if plan.samples == 1 or plan.receptive_field <= plan.samples else plan.samples
        assert check_stream(tflite, host, noise(length, plan.input_channels)).ok


def test_an_untrue_library_is_caught(reference_nets):
    pytest.importorskip("tflite_micro")
    host = HostModel(reference_nets / "conv.tflite")
    link = check_window(reference_nets / "ds.tflite", host, noise(2, 200, 8))
    assert not link.ok and link.mismatches > 0


def test_each_instance_has_its_own_stream(reference_nets):
    one, two = HostModel(reference_nets / "ds.tflite"), HostModel(reference_nets / "ds.tflite")
    x = noise(60, 8)
    want = one.stream(x)
    one.reset()
    first = one.stream(x[:30])
    two.stream(noise(17, 8))
    one.window(noise(1, 200, 8))  # a window leaves the stream alone
    np.testing.assert_array_equal(np.concatenate([first, one.stream(x[30:])]), want)


def test_shapes_that_do_not_fit_are_refused(reference_nets):
    host = HostModel(reference_nets / "ds.tflite")
    with pytest.raises(DataError):
        host.stream(noise(4, 7))
    with pytest.raises(DataError):
        host.window(np.zeros((1, 200, 8), np.float32))


@pytest.mark.parametrize("compiler", ["host", "arm-none-eabi-gcc", "zig"])
def test_the_folder_compiles_by_itself(compiler, reference_nets, tmp_path):
    if compiler == "zig":
        pytest.importorskip("ziglang")
        argv = [sys.executable, "-m", "ziglang", "cc"]
    else:
        argv = list(host_compiler().argv) if compiler == "host" else [compiler]
        if shutil.which(argv[0]) is None:
            pytest.skip(f"{argv[0]} is not here")
    compiled = compile_model(reference_nets / "ds.tflite", tmp_path / "c", name="insole")
    for source in compiled.sources:
        run([*argv, *WARNINGS, "-c", str(source), "-o", str(tmp_path / f"{source.stem}.o")])


def test_zig_builds_the_host_library(reference_nets, tmp_path, monkeypatch):
    pytest.importorskip("ziglang")
    monkeypatch.setenv("EDGEGRF_CACHE", str(tmp_path))
    zig = Compiler("zig", (sys.executable, "-m", "ziglang", "cc"), "zig")
    x, tflite = noise(3, 200, 8), reference_nets / "conv.tflite"
    np.testing.assert_array_equal(HostModel(tflite, compiler=zig).window(x), HostModel(tflite).window(x))


def test_the_same_file_gives_the_same_bytes(reference_nets, tmp_path):
    for folder in ("a", "b"):
        compile_model(reference_nets / "conv.tflite", tmp_path / folder)
    files = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert "model.c.json" in files
    for name in files:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_memory_is_shared_by_lifetime(reference_nets, tmp_path):
    compiled = compile_model(reference_nets / "conv.tflite", tmp_path / "c")
    assert compiled.window is not None and compiled.stream is not None
    assert compiled.window.ram_bytes <= 8000  # two of three activations of 200 x 16 at a time
    assert compiled.stream.ram_bytes <= 700  # rings of 4 x 8, 8 x 16 and 16 x 16
    assert compiled.plan.receptive_field == 1 + 4 * (1 + 2 + 4)


def test_modes_and_names_that_cannot_be(reference_nets, tmp_path):
    with pytest.raises(UsageError):
        compile_model(reference_nets / "conv.tflite", tmp_path / "c", name="9lives")
    window = compile_model(reference_nets / "conv.tflite", tmp_path / "w", mode="window")
    assert window.modes == 1 and "model_step" not in (tmp_path / "w" / "model.h").read_text()
    stream = compile_model(reference_nets / "conv.tflite", tmp_path / "s", mode="stream")
    assert stream.modes == 2 and "model_window" not in (tmp_path / "s" / "model.h").read_text()


def test_bad_input_leaves_nothing_behind(reference_nets, tmp_path):
    data = (reference_nets / "conv.tflite").read_bytes()
    bad = tmp_path / "bad.tflite"
    for damaged in (b"", data[:100], data[:4000], b"not a model at all, but long enough"):
        bad.write_bytes(damaged)
        with pytest.raises(ModelError):
            compile_model(bad, tmp_path / "c")
        assert not (tmp_path / "c").exists()
    with pytest.raises(ModelError):
        compile_model(tmp_path / "absent.tflite", tmp_path / "c")


def test_a_folder_that_cannot_be_written(reference_nets, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        compile_model(reference_nets / "conv.tflite", tmp_path / "file")
    assert (tmp_path / "file").is_file()
    with pytest.raises(OutputError):
        compile_model(reference_nets / "conv.tflite", tmp_path / "file" / "c")


def test_a_manifest_of_another_model_is_refused(reference_nets, tmp_path):
    from edgegrf.files import sha256_file
    from edgegrf.manifest import Interface, Manifest

    tflite = tmp_path / "net.tflite"
    shutil.copy(reference_nets / "conv.tflite", tflite)
    interface = Interface(("heel", "toe"), "BW", ("force",), "BW", 100.0, 200)
    Manifest("tflite", "net", sha256_file(tflite), interface).write(tflite)
    with pytest.raises(ModelError, match="takes 8 values"):
        compile_model(tflite, tmp_path / "c")
    interface = Interface(tuple(f"s{i}" for i in range(8)), "BW", ("force",), "BW", 100.0, 200)
    Manifest("tflite", "net", sha256_file(tflite), interface).write(tflite)
    compile_model(tflite, tmp_path / "c")
    header = (tmp_path / "c" / "model.h").read_text()
    assert "MODEL_SAMPLE_RATE_HZ 100.0f" in header and "s7" in header

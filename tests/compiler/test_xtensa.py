# SPDX-License-Identifier: Apache-2.0
"""The generated C on a Xtensa core: golden windows and streams under qemu, bit for bit tflite-micro's.

The core is the lx106 of Debian's compiler; those of ESP32 and ESP32-S3 take Espressif's own.  By hand:
`pytest tests/compiler/test_xtensa.py` with gcc-xtensa-lx106 and qemu-system-xtensa installed.
"""

from __future__ import annotations

import shutil
import zlib
from pathlib import Path

import numpy as np
import pytest

from edgegrf.compiler import compile_model
from edgegrf.graph.reader import read_tflite
from edgegrf.parity.judge import TfliteMicro, run_windows
from edgegrf.process import run
from edgegrf.resources import DEFAULT_STUDENT, firmware_folder, shipped_file

GCC, QEMU = "xtensa-lx106-elf-gcc", "qemu-system-xtensa"
WINDOWS = 3
_HERE = Path(__file__).with_name("xtensa")
_MAIN = """\
#include "model.h"
void put(const void *data, unsigned length);
void run(void);
static const int8_t windows[] = {{{data}}};
static int8_t estimates[{outputs}], one[{channels}];
void run(void) {{
    for (int i = 0; i < {count}; i++) {{
        model_window(windows + i * {inputs}, estimates);
        put(estimates, sizeof estimates);
    }}
    model_reset();
    for (int i = 0; i < {samples}; i++) {{
        model_step(windows + i * {width}, one);
        put(one, sizeof one);
    }}
}}
"""


@pytest.fixture(params=[DEFAULT_STUDENT, "conv", "ds"])
def tflite(request) -> Path:
    if request.param == DEFAULT_STUDENT:
        return shipped_file(DEFAULT_STUDENT, "student_int8.tflite")
    folder: Path = request.getfixturevalue("reference_nets")
    return folder / f"{request.param}.tflite"


def test_golden_windows_and_the_stream_of_the_first(tflite, tmp_path):
    for tool in (GCC, QEMU):
        if not shutil.which(tool):
            pytest.skip(f"{tool} is not installed")
    pytest.importorskip("tflite_micro")
    compiled = compile_model(tflite, tmp_path / "c")
    data = tflite.read_bytes()
    graph, plan = read_tflite(data), compiled.plan
    shape = (WINDOWS, plan.samples * plan.input_channels)
    x = np.random.default_rng(7).integers(-128, 128, shape).astype(np.int8)
    golden = run_windows(TfliteMicro(data, graph), graph, x).tobytes()
    stream = golden[: plan.estimates * plan.output_channels]  # a stream after a reset is its first window
    got = _run(_program(compiled, x, tmp_path))
    assert len(got) == len(golden) + len(stream)
    assert zlib.crc32(got) == zlib.crc32(golden + stream)


def _program(compiled, x, folder: Path) -> Path:
    plan = compiled.plan
    main = folder / "main.c"
    main.write_text(
        _MAIN.format(
            data=",".join(map(str, x.reshape(-1).tolist())),
            outputs=plan.estimates * plan.output_channels,
            channels=plan.output_channels,
            count=len(x),
            inputs=x.shape[1],
            samples=plan.samples,
            width=plan.input_channels,
        )
    )
    port = firmware_folder() / "port"
    sources = [main, *compiled.sources, port / "bare" / "string.c"]
    sources += [_HERE / "start.S", _HERE / "muldi3.c"]
    flags = [
        "-O2",
        "-std=c11",
        "-ffreestanding",
        "-fno-builtin",
        "-nostdlib",
        "-mlongcalls",
        "-Wall",
        "-Werror",
    ]
    include = [f"-I{compiled.folder}", f"-I{port / 'bare' / 'include'}", "-fno-tree-loop-distribute-patterns"]
    flags.append("-ffunction-sections")  # or what nobody calls would want more of libgcc than there is
    target = folder / "program.elf"
    script = [
        "-T",
        str(_HERE / "link.ld"),
        "-Wl,--gc-sections,--no-warn-rwx-segments",
        "-lgcc",
        "-o",
        str(target),
    ]
    run([GCC, *flags, *include, *map(str, sources), *script])
    return target


def _run(program: Path) -> bytes:
    machine = [
        "-cpu",
        "lx106",
        "-M",
        "sim",
        "-semihosting",
        "-nographic",
        "-monitor",
        "none",
        "-serial",
        "none",
    ]
    out = program.with_suffix(".out")
    run(["sh", "-c", f'exec "$0" "$@" > {out}', QEMU, *machine, "-kernel", str(program)])
    return out.read_bytes()

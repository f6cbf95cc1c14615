# SPDX-License-Identifier: Apache-2.0
"""Many compiled models in one program on the virtual nRF52840: inputs in flash, checksums out."""

from __future__ import annotations

import re
import zlib
from pathlib import Path

import numpy as np

from edgegrf.boards import board
from edgegrf.process import run
from edgegrf.resources import firmware_folder
from edgegrf.toolchain import arm_compiler
from edgegrf.virtual import VirtualBoard

STEPS = 12
_FIRMWARE = Path(__file__).parent.parent / "virtual" / "firmware"
_TARGET = {
    "gcc": ("-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"),
    "zig": ("-target", "thumb-freestanding-eabihf", "-mcpu=cortex_m4+vfp4d16sp", "-fno-sanitize=undefined"),
}
#: zig brings its own
_LIBRARIES = {
    "gcc": ("-nostdlib", "-fno-tree-loop-distribute-patterns", "-lgcc"),
    "zig": ("-Wl,--entry=start",),
}
_MAIN = """\
#include "chip.h"
{includes}
static uint32_t sums[{count}];
static void add(uint32_t *sum, const int8_t *x, uint32_t n) {{
    while (n--) {{
        *sum ^= (uint8_t)*x++;
        for (int bit = 0; bit < 8; bit++) *sum = *sum >> 1 ^ (*sum & 1 ? 0xEDB88320u : 0);
    }}
}}
{data}
void program(void) {{
{body}    uart_on();
    uart_send(sums, sizeof sums);
    for (;;) __asm__ volatile("wfe");
}}
"""


def checksums(models, inputs, folder: Path, kind: str) -> list[int]:
    """CRC-32 of each model's estimates of its `inputs`, a window or some samples, as the board has it."""
    compiler = arm_compiler(kind)
    data = body = ""
    for index, (model, x) in enumerate(zip(models, inputs, strict=True)):
        plan, name = model.plan, model.name
        data += (
            f"static const int8_t x{index}[{x.size}] = {{{','.join(map(str, x.reshape(-1).tolist()))}}};\n"
        )
        size = plan.output_channels * (plan.estimates if model.modes == 1 else 1)
        data += f"static int8_t y{index}[{size}];\n"
        body += f"    sums[{index}] = ~0u;\n"
        if model.modes == 1:
            body += f"    {name}_window(x{index}, y{index}); add(&sums[{index}], y{index}, {size});\n"
        else:
            call = f"{name}_step(x{index} + i * {plan.input_channels}, y{index})"
            body += f"    {name}_reset();\n    for (int i = 0; i < {len(x)}; i++)"
            body += f" {{ {call}; add(&sums[{index}], y{index}, {size}); }}\n"
        body += f"    sums[{index}] = ~sums[{index}];\n"
    includes = "".join(f'#include "{model.name}.h"\n' for model in models)
    main = folder / f"main-{kind}.c"
    main.write_text(_MAIN.format(includes=includes, count=len(models), data=data, body=body))
    image = _link(compiler, models, main, folder / f"all-{kind}.elf")
    one = VirtualBoard(image, board("nrf52840dk"), strict=True)
    sent = one.run(30.0, until="idle")
    one.close()
    return np.frombuffer(sent, np.uint32).tolist()


def _link(compiler, models, main: Path, target: Path) -> Path:
    sources = {path.name: path for model in models for path in model.sources}
    own = [firmware_folder() / "port" / "nrf52840" / "string.c", _FIRMWARE / "start.c", main]
    include = [f"-I{path}" for path in (firmware_folder() / "port" / "bare" / "include", _FIRMWARE)]
    flags = ("-std=c11", "-O2", "-ffreestanding", "-fno-builtin", "-Wall", "-Wextra", "-Werror")
    files = [*map(str, own), *map(str, sources.values())]
    folders = [f"-I{model.folder}" for model in models]
    script = ["-T", str(_FIRMWARE / "link.ld"), "-o", str(target)]
    libraries = _LIBRARIES[compiler.kind]
    run([*compiler.argv, *_TARGET[compiler.kind], *flags, *include, *folders, *files, *script, *libraries])
    return target


def checksum(estimates) -> int:
    """CRC-32 of int8 estimates."""
    return zlib.crc32(estimates.tobytes())


def uses(model) -> set[str]:
    """The kernels that a compiled model calls."""
    text = (model.folder / f"{model.name}.c").read_text()
    return set(re.findall(r"^    (eg_\w+)\(", text, re.MULTILINE))

# SPDX-License-Identifier: Apache-2.0
"""Many compiled models in one program: inputs on stdin, estimates on stdout, sanitizers on."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np

from edgegrf.compiler import Compiled, compile_model
from edgegrf.errors import ModelError
from edgegrf.graph.model import Graph
from edgegrf.graph.writer import write_tflite
from edgegrf.parity.host import WARNINGS
from edgegrf.parity.judge import TfliteMicro, run_steps, run_windows
from edgegrf.process import run
from edgegrf.toolchain import host_compiler

WINDOWS = 8
STEPS = 60

_RUN = """\
    for (int i = 0; i < {times}; i++) {{
        static {type} in[{size}], out[{size_out}];
        get(in, sizeof in);
        {call}
    }}
"""
_MAIN = """\
#include <stdio.h>
#include <stdlib.h>
{includes}
static void get(void *to, size_t n) {{ if (fread(to, 1, n, stdin) != n) exit(9); }}
int main(void)
{{
{body}    return 0;
}}
"""


def compile_all(graphs: list[Graph], folder: Path) -> list[tuple[Graph, bytes, Compiled]]:
    """The graphs that the compiler accepts, each in its own folder and under its own name."""
    compiled = []
    for index, graph in enumerate(graphs):
        data = write_tflite(graph)
        path = folder / f"m{index}.tflite"
        path.write_bytes(data)
        try:
            compiled.append((graph, data, compile_model(path, folder / f"m{index}", name=f"m{index}")))
        except ModelError:
            continue
    return compiled


def steps_of(model: Compiled) -> int:
    """How many samples of a stream the judge can follow: all, unless its window is too short for them."""
    plan, clock = model.plan, model.plan.clock
    fresh = (plan.timing.sound - plan.timing.warm) * clock.period
    follows = plan.samples == 1 or fresh >= plan.grain
    return STEPS if follows else clock.first + clock.period * (plan.timing.sound - 1) + 1


def program(models: list[Compiled], folder: Path, *, sanitize: bool, pairs: bool = False) -> Path:
    """One program that runs WINDOWS windows and STEPS samples of every model, in order; `pairs`: as where two
    int16 are multiplied at a time."""
    includes, body, sources, kernels = "", "", [], {}
    for model in models:
        plan, name = model.plan, model.name
        includes += f'#include "{name}.h"\n'
        for source in model.sources:
            if source.name.startswith("eg_"):
                kernels[source.name] = source
            else:
                sources.append(source)
        if model.modes & 1:
            size, out = plan.samples * plan.input_channels, plan.estimates * plan.output_channels
            call = f"{name}_window(in, out); fwrite(out, sizeof *out, {out}, stdout);"
            body += _RUN.format(times=WINDOWS, type=f"{plan.dtype}_t", size=size, size_out=out, call=call)
        if model.modes & 2:
            size, out = plan.input_channels, plan.output_channels
            call = f"if ({name}_step(in, out) == 1) fwrite(out, sizeof *out, {out}, stdout);"
            body += f"    {name}_reset();\n"
            times = steps_of(model)
            body += _RUN.format(times=times, type=f"{plan.dtype}_t", size=size, size_out=out, call=call)
    main = folder / "main.c"
    main.write_text(_MAIN.format(includes=includes, body=body))
    flags = ["-O0", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"] if sanitize else ["-O1"]
    flags.append(f"-DEG_PAIRS={int(pairs)}")
    compiler = host_compiler()
    include = [f"-I{model.folder}" for model in models]
    target = folder / "all"
    files = [str(path) for path in (main, *sources, *kernels.values())]
    run([*compiler.argv, *WARNINGS, *flags, *include, *files, "-o", str(target)])
    return target


def mismatches(models: list[tuple[Graph, bytes, Compiled]], target: Path, rng: np.random.Generator):
    """(values that differ from tflite-micro's, models with more than two different estimates), both modes."""
    feed, want, lively = [], [], 0
    for graph, data, compiled in models:
        judge, plan = TfliteMicro(data, graph), compiled.plan
        if compiled.modes & 1:
            x = noise(rng, plan, WINDOWS, plan.samples * plan.input_channels)
            feed.append(x)
            want.append(run_windows(judge, graph, x))
        if compiled.modes & 2:
            samples, estimates = streamed(graph, judge, plan, steps_of(compiled), rng)
            feed.append(samples)
            want.append(estimates)
        lively += len(np.unique(want[-1])) > 2
    stdin = b"".join(map(np.ndarray.tobytes, feed))
    done = subprocess.run([target], input=stdin, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    assert len(done.stdout) == sum(part.nbytes for part in want)
    wrong, at = 0, 0
    for part in want:
        got = np.frombuffer(done.stdout, part.dtype, part.size, at)
        wrong, at = wrong + int((got != part.reshape(-1)).sum()), at + part.nbytes
    return wrong, lively


def noise(rng, plan, *shape):
    """Random codes of the type that a model takes."""
    ends = np.iinfo(plan.dtype)
    return rng.integers(ends.min, ends.max + 1, shape).astype(plan.dtype)


def streamed(graph, judge, plan, steps, rng):
    """Samples and the judge's estimates: step by step, or by windows that overlap."""
    x = noise(rng, plan, steps, plan.input_channels)
    if plan.samples == 1:
        return x, run_steps(judge, graph, x)
    from edgegrf.parity.tflm_c import overlapped

    return x, overlapped(judge, graph, plan, x)

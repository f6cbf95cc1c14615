# SPDX-License-Identifier: Apache-2.0
"""Thousands of random models: C = tflite-micro, 0 LSB, window and stream, on the host and a virtual board.

    python tests/compiler/many_models.py --models 2000 --virtual 200

Every family in turn.  A model runs 8 windows and some 60 samples of a stream in C on the host, and its stream
as a step model in tflite-micro; on the board, one of its modes.  Ends with 1 when a bit differs.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from batch import compile_all, mismatches, noise, program
from more_models import MORE_FAMILIES
from random_models import FAMILIES
from timed_models import timed
from virtual_models import checksum, checksums, wanted

from edgegrf.compiler import compile_model, step_model
from edgegrf.errors import ModelError, UnsupportedError
from edgegrf.graph.writer import write_tflite
from edgegrf.parity.judge import TfliteMicro, run_steps
from edgegrf.parity.tflm_c import overlapped

ALL = FAMILIES | MORE_FAMILIES | {"timed": timed}
BATCH = 40


def graphs(seed, first, count):
    """Models `first`, `first` + 1, ... of a seed, whichever batch they come in."""
    families = [*ALL.values(), timed, timed]
    return [
        families[index % len(families)](np.random.default_rng([seed, index]))
        for index in range(first, first + count)
    ]


def step_models_differ(graph, data, plan, rng):
    """Estimates of the step model that differ from the windows'; None where the stream has none."""
    if plan.samples == 1 or not plan.stream:
        return None
    try:
        steps = step_model(graph)
    except UnsupportedError:
        return None
    seen = min(plan.samples, plan.clock.first + plan.clock.period * (plan.timing.sound - 1) + 1)
    x = noise(rng, plan, seen // steps.samples * steps.samples, plan.input_channels)
    if not len(x):
        return None
    want = overlapped(TfliteMicro(data, graph), graph, plan, x)
    calls = x.reshape(len(x) // steps.samples, -1)
    got = run_steps(TfliteMicro(write_tflite(steps.graph), steps.graph), steps.graph, calls)
    got = got.reshape(-1, plan.output_channels)[steps.skipped :]
    return int((got != want).sum()) if got.shape == want.shape else want.size


def on_the_host(seed, first, count):
    """How many models of a batch did what, and how many values were wrong."""
    rng = np.random.default_rng([seed, first])
    with tempfile.TemporaryDirectory() as folder:
        models = compile_all(graphs(seed, first, count), Path(folder))
        target = program([compiled for _, _, compiled in models], Path(folder), sanitize=False)
        wrong, lively = mismatches(models, target, rng)
    found = Counter(models=len(models), wrong=wrong, lively=lively)
    for graph, data, compiled in models:
        plan = compiled.plan
        found["windows"] += compiled.modes & 1
        found["streams"] += compiled.modes >> 1
        found["strided streams"] += plan.clock.period > 1
        found["streams that look ahead"] += plan.lookahead > 0
        differ = step_models_differ(graph, data, plan, rng)
        found["step models"] += differ is not None
        found["wrong"] += differ or 0
    return found


def on_the_board(seed, first, count, name):
    """The same for one mode of each model on a virtual board."""
    rng = np.random.default_rng([seed, first])
    with tempfile.TemporaryDirectory() as folder:
        models = []
        for index, graph in enumerate(graphs(seed, first, count)):
            path = Path(folder) / f"m{index}.tflite"
            path.write_bytes(write_tflite(graph))
            for mode in rng.permutation(["window", "stream"]):
                try:
                    compiled = compile_model(path, path.with_suffix(""), name=path.stem, mode=str(mode))
                except ModelError:
                    continue
                models.append((graph, path.read_bytes(), compiled))
                break
        pairs = [wanted(*model, rng) for model in models]
        got = checksums([model for _, _, model in models], [x for x, _ in pairs], Path(folder), "gcc", name)
    wrong = sum(sum_ != checksum(y) for sum_, (_, y) in zip(got, pairs, strict=True))
    streams = sum(compiled.modes == 2 for _, _, compiled in models)
    return Counter({f"models on {name}": len(models), f"streams on {name}": streams, "wrong": wrong})


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", type=int, default=2000)
    parser.add_argument("--virtual", type=int, default=200, help="models on the virtual board as well")
    parser.add_argument("--board", default="nrf52840dk")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    began, found = time.monotonic(), Counter()
    for first in range(0, given.models, BATCH):
        found += on_the_host(given.seed, first, min(BATCH, given.models - first))
        print(f"{time.monotonic() - began:6.0f} s  {dict(found)}", flush=True)
    for first in range(0, given.virtual, BATCH):
        found += on_the_board(given.seed, first, min(BATCH, given.virtual - first), given.board)
        print(f"{time.monotonic() - began:6.0f} s  {dict(found)}", flush=True)
    print(f"{found['wrong']} wrong")
    return int(found["wrong"] > 0)


if __name__ == "__main__":
    sys.exit(main())

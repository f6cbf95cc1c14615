# SPDX-License-Identifier: Apache-2.0
"""Damaged `.tflite` files: a ModelError of a line or three, or a model whose C is bit-exact."""

from __future__ import annotations

import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgegrf.compiler.planning import make_plan
from edgegrf.errors import ModelError, UnsupportedError
from edgegrf.graph.model import Graph, Operator, Quantization, Tensor
from edgegrf.graph.reader import read_tflite
from edgegrf.graph.writer import write_tflite
from edgegrf.parity.host import HostModel

WORDS = (b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", b"\0\0\0\x80", b"\0\0\0\0", b"\0\0\xc0\x7f", b"\1\0\0\0")

# TFLite Micro ends the process on some models: it judges in one of its own, a line per model judged
_JUDGE = """
import sys, numpy as np
from pathlib import Path
from edgegrf.graph.reader import read_tflite
from edgegrf.parity.judge import TfliteMicro, run_windows
folder, x = Path(sys.argv[1]), np.load(Path(sys.argv[1]) / "x.npy")
for name in sys.argv[2:]:
    data = (folder / f"{name}.tflite").read_bytes()
    graph = read_tflite(data)
    np.save(folder / f"{name}.npy", run_windows(TfliteMicro(data, graph), graph, x))
"""


def mutate(data: bytes, chance: random.Random) -> bytes:
    raw = bytearray(data)
    kind = chance.randrange(5)
    if kind == 0:
        return bytes(raw[: chance.randrange(len(raw))])
    if kind == 1:
        for _ in range(chance.choice([1, 2, 8])):
            raw[chance.randrange(len(raw))] ^= 1 << chance.randrange(8)
    elif kind == 2:
        raw[chance.randrange(len(raw))] = chance.choice([0, 255, 127, 128])
    elif kind == 3:
        place = chance.randrange(0, len(raw) - 4, 4)
        raw[place : place + 4] = chance.choice(WORDS)
    else:
        target, source = (chance.randrange(len(raw) - 64) for _ in range(2))
        length = chance.randrange(1, 64)
        raw[target : target + length] = raw[source : source + length]
    return bytes(raw)


def accepted(data: bytes) -> bool:
    """True if the compiler takes the model; a refusal must be short and of the right kind."""
    try:
        make_plan(read_tflite(data))
    except ModelError as error:
        assert 1 <= len(error.lines()) <= 3
        assert all("\n" not in line and len(line) < 700 for line in error.lines())
        return False
    return True


@pytest.mark.parametrize("net", ["conv", "ds"])
def test_damage_is_refused_or_harmless(net, reference_nets):
    data = (reference_nets / f"{net}.tflite").read_bytes()
    chance = random.Random(1)
    outcomes = [accepted(mutate(data, chance)) for _ in range(600)]
    assert 100 < sum(outcomes) < 500


def test_every_truncation_is_refused(reference_nets):
    data = (reference_nets / "ds.tflite").read_bytes()
    for length in (*range(64), *range(64, len(data) - 8, 37)):
        try:
            graph = read_tflite(data[:length])
        except ModelError:
            continue
        assert graph == read_tflite(data), length  # only bytes that nothing points at were cut


def test_what_is_accepted_is_bit_exact(reference_nets, tmp_path):
    pytest.importorskip("tflite_micro")
    chance = random.Random(5)
    np.save(tmp_path / "x.npy", np.random.default_rng(1).integers(-128, 128, (2, 200, 8)).astype(np.int8))
    names = []
    data = (reference_nets / "ds.tflite").read_bytes()
    while len(names) < 40:
        damaged = mutate(data, chance)
        if damaged != data and accepted(damaged):
            names.append(str(len(names)))
            (tmp_path / f"{names[-1]}.tflite").write_bytes(damaged)
    judged = _judge(tmp_path, names)
    assert len(judged) >= 36
    for name in judged:
        host = HostModel(tmp_path / f"{name}.tflite")
        if host.modes & 1:
            want = np.load(tmp_path / f"{name}.npy")
            np.testing.assert_array_equal(host.window(np.load(tmp_path / "x.npy")), want)


def _judge(folder: Path, names: list[str]) -> list[str]:
    """The models that TFLite Micro runs; one that ends it is left out."""
    todo = list(names)
    while todo:
        subprocess.run([sys.executable, "-c", _JUDGE, str(folder), *todo], capture_output=True, check=False)
        stuck = next((i for i, name in enumerate(todo) if not (folder / f"{name}.npy").is_file()), len(todo))
        todo = todo[stuck + 1 :]
    return [name for name in names if (folder / f"{name}.npy").is_file()]


def dense_graph(**changes):
    """[1, 4, 2] times [3, 2], to be bent out of shape."""
    one = Quantization(np.array([0.1], np.float32), np.array([0]))
    parts = {
        "x": Tensor("x", (1, 4, 2), "int8", one),
        "w": Tensor("w", (3, 2), "int8", one, np.ones((3, 2), np.int8)),
        "b": Tensor(
            "b",
            (3,),
            "int32",
            Quantization(np.array([0.01], np.float32), np.array([0])),
            np.ones(3, np.int32),
        ),
        "y": Tensor("y", (1, 4, 3), "int8", one),
    }
    for name, change in changes.items():
        parts[name] = replace(parts[name], **change)
    operator = Operator("FULLY_CONNECTED", (0, 1, 2), (3,), {"activation": "NONE"}, 4)
    return Graph(tuple(parts.values()), (operator,), (0,), (3,))


def scales(value, zero=0):
    return {"quantization": Quantization(np.array([value], np.float32), np.array([zero]))}


BENT = {
    "negative size": {"x": {"shape": (1, -4, 2)}},
    "zero size": {"x": {"shape": (1, 0, 2)}},
    "huge shape": {"x": {"shape": (1, 1 << 30, 2)}},
    "many dimensions": {"x": {"shape": (1,) * 9}},
    "zero scale": {"x": scales(0.0)},
    "infinite scale": {"y": scales(np.inf)},
    "scale that is no number": {"w": scales(np.nan)},
    "negative scale": {"w": scales(-1.0)},
    "zero point outside": {"x": scales(0.1, 300)},
    "no quantisation": {"y": {"quantization": None}},
    "asymmetric weights": {"w": scales(0.1, 3)},
    "another bias scale": {"b": scales(1.0)},
    "short buffer": {"w": {"data": np.ones((2, 2), np.int8)}},
    "long buffer": {"b": {"data": np.ones(4, np.int32)}},
    "shapes that do not meet": {"y": {"shape": (1, 4, 2)}},
    "weights that are computed": {"w": {"data": None}},
    "scales beyond float32": {"x": scales(3e38), "w": scales(3e38)},
    "a multiplier of 2^60 on nothing": {
        "x": scales(1e9),
        "w": {**scales(1e9), "data": np.zeros((3, 2), np.int8)},
        "y": scales(1.0),
        "b": {**scales(1e18), "data": np.zeros(3, np.int32)},
    },
    "accumulator overflow": {"b": {"data": np.full(3, 2**31 - 1, np.int32)}},
}


def test_the_unbent_graph_is_accepted():
    assert accepted(write_tflite(dense_graph()))


@pytest.mark.parametrize("bend", BENT)
def test_bent_graphs_are_refused(bend):
    assert not accepted(write_tflite(dense_graph(**BENT[bend])))


def test_float_models_are_named_as_such():
    graph = dense_graph()
    raw = bytearray(write_tflite(graph))
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(bytes(raw), 0))
    for tensor in model.subgraphs[0].tensors:
        tensor.type, tensor.quantization = 0, None
    with pytest.raises(UnsupportedError, match="float32"):
        read_tflite(packed(model))


def test_unknown_operators_are_named():
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(write_tflite(dense_graph()), 0))
    code = model.operatorCodes[0]
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.FLOOR
    with pytest.raises(UnsupportedError, match="FLOOR"):
        read_tflite(packed(model))


@pytest.mark.parametrize("wiring", ["cycle", "use before definition", "twice", "wild", "missing"])
def test_wiring_that_cannot_run(wiring):
    graph = dense_graph()
    operator = graph.operators[0]
    bent = {
        "cycle": replace(operator, inputs=(3, 1, 2)),
        "use before definition": replace(operator, inputs=(4, 1, 2)),
        "twice": replace(operator, outputs=(0,)),
        "wild": replace(operator, inputs=(70000, 1, 2)),
        "missing": replace(operator, inputs=(-1, 1, 2)),
    }[wiring]
    later = Tensor("later", (1, 4, 2), "int8", graph.tensors[0].quantization)
    signature = Graph((*graph.tensors, later), (bent,), graph.inputs, graph.outputs)
    assert not accepted(write_tflite(signature))


def packed(model) -> bytes:
    import flatbuffers

    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())

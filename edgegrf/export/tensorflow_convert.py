# SPDX-License-Identifier: Apache-2.0
"""TensorFlow's own conversion of a lowered graph; run by an interpreter that has tensorflow, and by itself.

    python tensorflow_convert.py FOLDER

FOLDER holds graph.json and arrays.npz (see tensorflow_check.py) and gets model.tflite.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np


def convert(folder: Path) -> None:
    """graph.json and arrays.npz to model.tflite: int8, per channel, calibrated on "windows"."""
    tf: Any = importlib.import_module("tensorflow")
    graph = json.loads((folder / "graph.json").read_text())
    arrays = dict(np.load(folder / "arrays.npz"))
    specs = [
        tf.TensorSpec(graph["shapes"][name], tf.float32, name=f"x{i}")
        for i, name in enumerate(graph["inputs"])
    ]

    @tf.function(input_signature=specs)  # type: ignore[untyped-decorator]
    def forward(*given: Any) -> Any:
        values = dict(zip(graph["inputs"], given, strict=True))
        for i, node in enumerate(graph["nodes"]):
            inputs = [values[name] for name in node["inputs"]]
            values[node["output"]] = _operator(tf, node, inputs, arrays, i)
        return [values[name] for name in graph["outputs"]]

    def calibration() -> Any:
        for window in range(len(arrays["given_0"])):
            yield [arrays[f"given_{i}"][window] for i in range(len(graph["inputs"]))]

    converter = tf.lite.TFLiteConverter.from_concrete_functions([forward.get_concrete_function()])
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = calibration
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    (folder / "model.tflite").write_bytes(converter.convert())
    (folder / "version.txt").write_text(tf.__version__)


def _operator(tf: Any, node: dict[str, Any], given: list[Any], arrays: dict[str, Any], i: int) -> Any:
    options = node["options"]
    kind = node["kind"]
    if kind == "CONV_2D":
        kernel = arrays[f"weights_{i}"].transpose(1, 2, 3, 0)
        y = tf.nn.conv2d(
            given[0], kernel, options["stride"], options["padding"], dilations=options["dilation"]
        )
        y = tf.nn.bias_add(y, arrays[f"bias_{i}"])
    elif kind == "DEPTHWISE_CONV_2D":
        weights, channels = arrays[f"weights_{i}"][0], given[0].shape[-1]
        kernel = weights.reshape(*weights.shape[:2], channels, -1)
        strides = [1, *options["stride"], 1]
        y = tf.nn.depthwise_conv2d(
            given[0], kernel, strides, options["padding"], dilations=options["dilation"]
        )
        y = tf.nn.bias_add(y, arrays[f"bias_{i}"])
    elif kind == "FULLY_CONNECTED":
        y = tf.matmul(given[0], arrays[f"weights_{i}"].T) + arrays[f"bias_{i}"]
    elif kind == "AVERAGE_POOL_2D":
        y = tf.nn.avg_pool2d(given[0], options["filter"], options["stride"], options["padding"])
    elif kind == "PAD":
        y = tf.pad(given[0], options["pads"])
    elif kind == "RESHAPE":
        y = tf.reshape(given[0], options["new_shape"])
    else:
        simple = {
            "ADD": tf.add,
            "SUB": tf.subtract,
            "MUL": tf.multiply,
            "LOGISTIC": tf.sigmoid,
            "TANH": tf.tanh,
        }
        y = simple[kind](*given)
    activation = options.get("activation", "NONE")
    if activation == "RELU_N1_TO_1":
        return tf.clip_by_value(y, -1.0, 1.0)
    return {"NONE": lambda x: x, "RELU": tf.nn.relu, "RELU6": tf.nn.relu6}[activation](y)


if __name__ == "__main__":
    convert(Path(sys.argv[1]))

# SPDX-License-Identifier: Apache-2.0
"""Projects for ESP-IDF and Zephyr: whole, consistent, and compiled against declared prototypes of the SDKs.

tests/sdk/{esp-idf,zephyr,tflm} declare exactly what is used, after the SDKs' documentation; no SDK is here.
"""

from __future__ import annotations

import csv
import importlib.util
import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from edgegrf.boards import board, boards
from edgegrf.compiler.interpreted import interpret_model, method_of
from edgegrf.errors import (
    MissingToolError,
    OutputError,
    UnknownNameError,
    UnsupportedError,
    UsageError,
)
from edgegrf.graph.schema import OPERATORS
from edgegrf.image.project import write_project
from edgegrf.image.sdk import SDKS, sdk_for
from edgegrf.manifest import Manifest
from edgegrf.process import ToolFailedError, run
from edgegrf.resources import shipped_file
from edgegrf.toolchain import host_compiler

HERE = Path(__file__).parent
DSTCN, GRU = (shipped_file(name, "student_int8.tflite") for name in ("insole4-dstcn16", "insole4-gru32"))
WARNINGS = ["-Wall", "-Wextra", "-Werror"]
DEFINED = {
    "esp-idf": [],
    "zephyr": [
        "-DCONFIG_EDGEGRF_RX_RING=4096",
        "-DCONFIG_EDGEGRF_WATCHDOG_MS=8000",
        "-DCONFIG_MAIN_STACK_SIZE=4096",
        "-DCONFIG_CLOCK_CONTROL_NRF=1",
    ],
}
PROJECTS = [
    ("esp32", "aot", DSTCN),
    ("esp32s3", "tflm", DSTCN),
    ("esp32c3", "aot", DSTCN),
    ("esp32c6", "tflm", GRU),
    ("nrf52840dk", "tflm", DSTCN),
    ("nrf52840dk", "aot", GRU),
]


@pytest.fixture(autouse=True)
def no_sdk(monkeypatch):
    for sdk in SDKS.values():
        monkeypatch.delenv(sdk.variable, raising=False)


def written(tmp_path, name, engine, model):
    sdk, target = sdk_for(board(name), "zephyr" if name == "nrf52840dk" else "esp-idf", engine)
    return write_project(board(name), model, tmp_path / name, sdk, target, engine=engine)


def sources_of(project, tmp_path):
    """The sources, include folders and definitions that project.cmake gives the SDK, by CMake itself."""
    root = project.folder / project.sdk.root
    script = tmp_path / "list.cmake"
    script.write_text(
        f"set(CMAKE_CURRENT_BINARY_DIR {tmp_path}/binary)\ninclude({root}/cmake/project.cmake)\n"
        'message("S=${EDGEGRF_SOURCES}")\nmessage("I=${EDGEGRF_INCLUDES}")\nmessage("D=${EDGEGRF_DEFINITIONS}")\n'
    )
    said = run([str(Path(sys.executable).parent / "cmake"), "-P", str(script)]).stderr
    return [re.search(rf"^{key}=(.*)$", said, re.MULTILINE).group(1).split(";") for key in "SID"]


@pytest.mark.parametrize(("name", "engine", "model"), PROJECTS)
def test_a_project_compiles_against_declared_prototypes(tmp_path, name, engine, model):
    project = written(tmp_path, name, engine, model)
    root, sdk = project.folder / project.sdk.root, project.sdk.name
    sources, includes, defined = sources_of(project, tmp_path)
    sources += [str(file) for file in (root / "port" / sdk).glob("*.c")]
    sources.append(str(next(project.folder.rglob("main/main.c" if sdk == "esp-idf" else "src/main.c"))))
    folders = [*includes, *(str(root / part) for part in ("core", "engine", "port", "include"))]
    options = [f"-I{folder}" for folder in folders] + [f"-D{each}" for each in defined] + DEFINED[sdk]
    options += [f"-isystem{HERE / sdk}", f"-isystem{HERE / 'tflm'}"]
    assert any(source.endswith(f"engine_{engine}.{'cc' if engine == 'tflm' else 'c'}") for source in sources)
    c = [source for source in sources if source.endswith(".c")]
    cpp = ["-xc++", "-std=c++17", "-fno-rtti", "-fno-exceptions"]
    compiler = host_compiler().argv
    run([*compiler, "-std=gnu17", *WARNINGS, "-fsyntax-only", *options, *c])
    for source in set(sources) - set(c):
        run([*compiler, *cpp, *WARNINGS, "-fsyntax-only", *options, source])
    if importlib.util.find_spec("ziglang"):  # clang sees other things; only what is not compiled elsewhere
        zig = [sys.executable, "-m", "ziglang", "cc", "-c", "-o", str(tmp_path / "zig.o")]
        for source in sources:
            if source.endswith(".cc"):
                run([*zig, *cpp, *WARNINGS, *options, source])
            elif f"/port/{sdk}/" in source:
                run([*zig, "-std=gnu17", *WARNINGS, *options, source])


def test_everything_that_is_compiled_lies_in_the_project(tmp_path):
    project = written(tmp_path, "esp32", "aot", DSTCN)
    root = project.folder / project.sdk.root
    names = {
        file.relative_to(project.folder).as_posix() for file in project.folder.rglob("*") if file.is_file()
    }
    listed = re.findall(r"port/[\w/-]+\.c", (root / "CMakeLists.txt").read_text())
    assert listed and {f"components/edgegrf/{name}" for name in listed} <= names
    assert {"CMakeLists.txt", "partitions.csv", "sdkconfig.defaults", "sdkconfig.defaults.esp32"} <= names
    assert not [name for name in names if "nrf52840" in name or "native" in name]
    values = (tmp_path / "binary" / "generated" / "build_values.h") if sources_of(project, tmp_path) else None
    digits = re.findall(r"0x([0-9a-f]{2})", values.read_text())
    assert "".join(digits) == project.firmware_sha256


def test_the_same_project_twice_another_one_and_a_folder_of_other_things(tmp_path):
    first = written(tmp_path, "esp32", "aot", DSTCN)
    (first.folder / "build").mkdir()
    again = written(tmp_path, "esp32", "aot", DSTCN)
    assert (
        again.cached and again.firmware_sha256 == first.firmware_sha256 and (first.folder / "build").is_dir()
    )
    other = written(tmp_path, "esp32", "aot", GRU)
    assert not other.cached and other.firmware_sha256 != first.firmware_sha256
    (tmp_path / "esp32s3").mkdir()
    (tmp_path / "esp32s3" / "mine").write_text("")
    with pytest.raises(OutputError, match="holds other files"):
        written(tmp_path, "esp32s3", "aot", DSTCN)
    assert [path.name for path in (tmp_path / "esp32s3").iterdir()] == ["mine"]


def test_the_store_is_where_the_board_says(tmp_path):
    rows = csv.reader((HERE.parents[1] / "firmware/port/esp-idf/project/partitions.csv").open())
    table = {row[0].strip(): [cell.strip() for cell in row] for row in rows if row and row[0][0] != "#"}
    for name in ("esp32", "esp32s3", "esp32c3", "esp32c6"):
        row = board(name)
        assert [int(each, 16) for each in table["edgegrf"][3:]] == [row.store_origin, row.store_size]


def test_the_devicetree_has_the_boards_pins():
    row = board("nrf52840dk")
    text = (HERE.parents[1] / "firmware/port/zephyr/app/boards/nrf52840dk_nrf52840.overlay").read_text()
    inputs = [int(each) for each in re.findall(r"input-positive = <NRF_SAADC_AIN(\d)>", text)]
    assert [2 + each if each < 4 else 24 + each for each in inputs] == list(row.scan.columns)
    assert re.findall(r"<&adc (\d)>", text) == re.findall(r"channel@(\d)", text) == list("01234567")
    driven = [32 * int(port) + int(pin) for port, pin in re.findall(r"<&gpio(\d) (\d+) ROW_DRIVE>", text)]
    assert driven == list(row.scan.rows)
    wires = {name: int(pin) for name, pin in re.findall(r"NRF_PSEL\(UART_(\w+), 0, (\d+)\)", text)}
    assert wires == {"TX": row.pin_txd, "RX": row.pin_rxd}
    assert f"held-gpios = <&gpio0 {row.pin_rts} " in text and f"current-speed = <{row.baud}>" in text


def test_which_sdk_is_taken():
    assert sdk_for(board("nrf52840dk"), None, "aot") is None
    assert sdk_for(board("nrf52840dk"), None, "tflm")[0].name == "zephyr"
    assert [
        part if isinstance(part, str) else part.name for part in sdk_for(board("esp32"), None, "aot")
    ] == [
        "esp-idf",
        "esp32",
    ]
    for name, sdk, engine, error in [
        ("nrf52840dk", "esp-idf", "aot", UsageError),
        ("native", None, "tflm", UsageError),
        ("esp32", "arduino", "aot", UnknownNameError),
        ("esp32", None, "onnx", UnknownNameError),
    ]:
        with pytest.raises(error):
            sdk_for(board(name), sdk, engine)


def test_every_operator_has_a_kernel_in_tflite_micro():
    declared = (HERE / "tflm/tensorflow/lite/micro/micro_mutable_op_resolver.h").read_text()
    methods = set(re.findall(r"Add\w+(?=\(\))", declared))
    assert {method_of(kind) for kind in OPERATORS} <= methods
    assert method_of("DEPTHWISE_CONV_2D") == "AddDepthwiseConv2D" and method_of("PADV2") == "AddPadV2"


def test_the_step_model_of_a_window_model_streams_in_tflite_micro(tmp_path):
    from edgegrf.compiler.step_file import write_step_model

    write_step_model(DSTCN, tmp_path / "step.tflite")
    made = interpret_model(tmp_path / "step.tflite", tmp_path / "model", kernels="cmsis-nn")
    window = interpret_model(DSTCN, tmp_path / "window", kernels="cmsis-nn")
    assert (made.modes, window.modes) == (2, 1) and made.arena.total < window.arena.total
    header = (tmp_path / "model" / "model.h").read_text()
    assert "#define MODEL_INPUT_CHANNELS 4\n" in header and "#define MODEL_TFLM_STATES 4\n" in header
    manifest = Manifest.read(tmp_path / "step.tflite")
    replace(manifest, model={**manifest.model, "skipped": 2}).write(tmp_path / "step.tflite")
    with pytest.raises(UnsupportedError, match="first estimates do not count"):
        interpret_model(tmp_path / "step.tflite", tmp_path / "model", kernels="cmsis-nn")


def fake_tool(folder, name, image):
    """A build program that notes its arguments and leaves `image`."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(
        f"#!{sys.executable}\nimport pathlib, sys\n"
        f"with open({str(folder / 'calls')!r}, 'a') as log: log.write(' '.join(sys.argv[1:]) + '\\n')\n"
        f"if 'set-target' in sys.argv: sys.exit()\nimage = pathlib.Path({str(image)!r})\n"
        "image.parent.mkdir(parents=True, exist_ok=True)\nimage.write_text('{}')\n"
    )
    (folder / name).chmod(0o755)


@pytest.mark.parametrize(("name", "program"), [("esp32", "idf.py"), ("nrf52840dk", "west")])
def test_with_the_sdk_at_hand_the_project_is_built(tmp_path, monkeypatch, name, program):
    sdk, target = sdk_for(board(name), None, "tflm")
    fake_tool(tmp_path / "bin", program, tmp_path / name / sdk.image)
    monkeypatch.setenv(sdk.variable, "/opt/sdk")
    with pytest.raises(MissingToolError, match="is not on the PATH"):
        written(tmp_path, name, "tflm", DSTCN)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    project = written(tmp_path, name, "tflm", DSTCN)
    assert project.image == tmp_path / name / sdk.image and project.image.is_file()
    assert target in (tmp_path / "bin" / "calls").read_text()
    (tmp_path / "bin" / program).write_text("#!/bin/sh\necho 'error: no' >&2\nexit 1\n")
    with pytest.raises(ToolFailedError):
        written(tmp_path, name, "tflm", GRU)


def test_a_board_of_an_sdk_says_how_to_get_it(tmp_path):
    main = [sys.executable, "-c", "from edgegrf.cli import main; main()"]
    done = subprocess.run([*main, "build", "--board", "esp32"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0 and "To get ESP-IDF" in done.stderr, done.stderr
    assert len(done.stdout.splitlines()) == 5
    done = subprocess.run([*main, "flash", "--board", "esp32"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 4 and "which is not at hand" in done.stderr


@pytest.mark.parametrize("name", [name for name, row in boards().items() if row.port in SDKS])
def test_every_board_of_an_sdk_has_a_project(tmp_path, name):
    sdk, target = sdk_for(board(name), None, "aot")
    project = write_project(board(name), DSTCN, tmp_path / name, sdk, target)
    assert project.image is None and board(name).chip == target
    assert (project.folder / f"sdkconfig.defaults.{target}").is_file()


def test_build_prints_the_project_as_json(tmp_path):
    main = [sys.executable, "-c", "from edgegrf.cli import main; main()"]
    words = ["build", "--engine", "tflm", "--json", "-o", "p"]
    record = json.loads(subprocess.run([*main, *words], cwd=tmp_path, capture_output=True, check=True).stdout)
    assert record["sdk"] == "zephyr" and record["image"] is None and record["arena_bytes"] > 16_000
    assert len(record["to_get_the_sdk"]) == 3 and (tmp_path / "p" / "prj.conf").is_file()


# ---- the SDKs' own readers of manifests and Kconfig, where they are installed


def test_the_component_manifest_is_valid(tmp_path):
    manager = pytest.importorskip("idf_component_tools.manager", reason="pip install 'edgegrf[sdk]'")
    for name, engine in (("esp32", "aot"), ("esp32s3", "tflm")):
        project = written(tmp_path / engine, name, engine, DSTCN)
        manifest = manager.ManifestManager(str(project.folder / project.sdk.root), "edgegrf").load()
        names = {requirement.name for requirement in manifest.requirements}
        assert names == {"idf"} | ({"espressif/esp-tflite-micro"} if engine == "tflm" else set())
        assert set(manifest.targets) >= {"esp32", "esp32s3", "esp32c3", "esp32c6"}


@pytest.mark.parametrize("sdk", ["esp-idf/component", "zephyr/module"])
def test_kconfig_is_read_without_a_warning(sdk, monkeypatch):
    kconfiglib = pytest.importorskip("kconfiglib", reason="pip install 'edgegrf[sdk]'")
    folder = HERE.parents[1] / "firmware" / "port" / sdk
    read = kconfiglib.Kconfig(str(folder / "Kconfig"), warn_to_stderr=False)
    mine = {name: symbol for name, symbol in read.syms.items() if name.startswith("EDGEGRF")}
    assert mine and all(symbol.nodes[0].prompt for symbol in mine.values())
    outside = ("RING_BUFFER", "UART_0_NRF_HW_ASYNC")  # Zephyr's own
    assert [text for text in read.warnings if not any(name in text for name in outside)] == []


def test_the_module_names_itself_to_zephyr():
    yaml = pytest.importorskip("yaml", reason="pip install 'edgegrf[sdk]'")
    text = (HERE.parents[1] / "firmware/port/zephyr/module/zephyr/module.yml").read_text()
    assert yaml.safe_load(text) == {"name": "edgegrf", "build": {"cmake": ".", "kconfig": "Kconfig"}}


def test_a_board_without_that_sdk(tmp_path):
    assert sdk_for(replace(board("esp32"), port="bare"), None, "aot") is None

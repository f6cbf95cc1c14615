# SPDX-License-Identifier: Apache-2.0
"""A training's log: the CSV, the TensorBoard events, and what a full disk leaves."""

from __future__ import annotations

import dataclasses
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from edgegrf.distill.log import TrainingLog
from edgegrf.distill.trainer import Epoch
from edgegrf.errors import MissingToolError, OutputError

EPOCHS = [Epoch(n, 0.5 / n, 0.25 / n, 0.01, 0.125) for n in (1, 2, 3)]


def rows(folder: Path) -> list[str]:
    return [",".join(line.split(",")[::5]) for line in (folder / "training.csv").read_text().splitlines()[1:]]


def test_int8_epochs_stand_behind_the_float_epochs(tmp_path: Path) -> None:
    TrainingLog(tmp_path).write(EPOCHS)
    assert (tmp_path / "training.csv").read_text().splitlines()[1] == "1,0.5,0.25,0.01,0.125,float"
    for count in (1, 2):  # the second: killed and gone on
        log = TrainingLog(tmp_path, "int8")
        log.write(EPOCHS[:count])
        assert (log.placed(EPOCHS[0]).epoch, log.placed(EPOCHS[0]).arithmetic) == (4, "int8")
    assert rows(tmp_path) == ["1,float", "2,float", "3,float", "4,int8", "5,int8"]
    TrainingLog(tmp_path / "elsewhere", "int8").write(EPOCHS[:1])
    assert rows(tmp_path / "elsewhere") == ["1,int8"]


def events(folder: Path) -> list[dict[str, float]]:
    """What TensorBoard shows of a run: records of all files in time, without what a restart purged."""
    event_pb2 = pytest.importorskip("tensorboardX.proto.event_pb2")
    told: list[dict[str, float]] = []
    for path in sorted(folder.iterdir(), key=lambda one: one.stat().st_mtime_ns):
        data = path.read_bytes()
        while data:
            (length,) = struct.unpack("<Q", data[:8])
            event = event_pb2.Event.FromString(data[12 : 12 + length])
            data = data[16 + length :]
            if event.session_log.status:
                told = [one for one in told if one["step"] < event.step]
            if event.summary.value:
                told.append({"step": event.step, **{v.tag: v.simple_value for v in event.summary.value}})
    return told


def test_events_say_what_the_csv_says_and_a_restart_repeats_nothing(tmp_path: Path) -> None:
    pytest.importorskip("tensorboardX")
    board = tmp_path / "board"
    with TrainingLog(tmp_path, tensorboard=board) as log:
        for count in (1, 2):
            log.add(EPOCHS[:count])
    for file in (board / "float").iterdir():  # as if another process had written it
        file.rename(file.with_name(file.name + ".before"))
    with TrainingLog(tmp_path, tensorboard=board) as log:
        for count in (2, 3):
            log.add(EPOCHS[:count])
    with TrainingLog(tmp_path, "int8", board) as log:
        log.add(EPOCHS[:1])
    told = events(board / "float")
    assert [one["step"] for one in told] == [1, 2, 3]
    assert told[2] == {
        "step": 3, "rmse_bw/training": pytest.approx(0.5 / 3), "rmse_bw/validation": pytest.approx(0.25 / 3),
        "learning_rate": pytest.approx(0.01), "loss": 0.125,
    }  # fmt: skip
    assert [one["step"] for one in events(board / "int8")] == [4]


def test_without_the_package_the_extra_is_named_before_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    with pytest.raises(MissingToolError) as caught:
        TrainingLog(tmp_path, tensorboard=tmp_path / "board")
    assert "edgegrf[tensorboard]" in caught.value.fix
    TrainingLog(tmp_path).write(EPOCHS)


def test_a_place_for_events_that_cannot_be_written(tmp_path: Path) -> None:
    pytest.importorskip("tensorboardX")
    (tmp_path / "board").mkdir()
    (tmp_path / "board" / "float").write_text("a file where the run's folder should be")
    with pytest.raises(OutputError, match="cannot write") as caught:
        TrainingLog(tmp_path, tensorboard=tmp_path / "board").add(EPOCHS[:1])
    assert "--tensorboard" in caught.value.fix
    with pytest.raises(OutputError, match="cannot write"):  # before training
        TrainingLog(tmp_path, tensorboard=tmp_path / "board" / "float" / "x")


FULL = """
import resource, sys
from pathlib import Path
from edgegrf.distill.plans import INSOLE4, Plan
from edgegrf.distill.settings import Settings
from edgegrf.distill.studio import train_student
from edgegrf.distill.watch import Watch
from edgegrf.errors import EdgegrfError
from edgegrf.gait.choice import synthetic_walks

walks = synthetic_walks(INSOLE4, range(1, 8))
plan = Plan("dstcn", INSOLE4, {"channels": 6, "dilations": [1, 2]}, Settings(epochs=3, batch=8))

def full(epoch):
    if sys.argv[2] == "full" and epoch.epoch == 2:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))

try:
    train_student("small", plan, walks, Path(sys.argv[1]), data="x", threads=1,
                  watch=Watch(on_resume=lambda epoch: print("behind", epoch), on_epoch=full))
except EdgegrfError as error:
    print(type(error).__name__, *error.lines(), sep="\\n")
"""


def test_a_full_disk_keeps_the_last_whole_epoch_and_says_how_to_go_on(tmp_path: Path) -> None:
    """Files cannot grow beyond 1 000 bytes from the second epoch on, as on a disk with that much room."""
    if sys.platform == "win32":
        pytest.skip("no resource limits here")

    def run(folder: str, mode: str) -> list[str]:
        program = [sys.executable, "-c", FULL, str(tmp_path / folder), mode]
        return subprocess.run(program, capture_output=True, text=True, check=True).stdout.splitlines()

    assert run("whole", "roomy") == []
    kind, what, why, fix = run("full", "full")
    assert (kind, what) == ("OutputError", f"cannot write {tmp_path / 'full' / 'training.state'}")
    assert "too large" in why and "make room" in fix and "behind epoch 2" in fix
    left = {path.name for path in (tmp_path / "full").iterdir()}
    assert left == {"training.state", "training.csv"}  # nothing half written
    assert rows(tmp_path / "full") == ["1,float", "2,float"]
    assert run("full", "roomy") == ["behind 2"]
    for name in ("student.pt", "training.csv"):
        assert (tmp_path / "full" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_the_state_of_an_epoch_is_a_plain_record() -> None:
    assert Epoch(**dataclasses.asdict(EPOCHS[0])) == EPOCHS[0]

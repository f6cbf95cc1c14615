# SPDX-License-Identifier: Apache-2.0
"""The card of a trained student: its manifest, told to a person; written, never typed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from edgegrf.errors import ModelError
from edgegrf.files import write_file
from edgegrf.gait.split import BY_SEVEN
from edgegrf.manifest import Interface, Manifest
from edgegrf.resources import MODEL_FILE
from edgegrf.students.registry import ARCHITECTURES

__all__ = ["add_cross_validation", "card", "has_card", "write_card"]

_CARD = "README.md"

_UNITS = (
    ("rmse_bw", "RMSE", "BW"),
    ("rmse_n", "RMSE", "N"),
    ("nrmse", "RMSE / range", ""),
    ("range_bw", "range of the reference", "BW"),
    ("r", "Pearson's r", ""),
    ("r2", "R2", ""),
    ("r2_unseen", "R2 of the unseen part (total minus the inputs)", ""),
    ("stance_rmse_bw", "RMSE in stance", "BW"),
    ("bias_bw", "bias", "BW"),
    ("peak1_error_bw", "first peak, mean absolute error", "BW"),
    ("peak2_error_bw", "second peak, mean absolute error", "BW"),
    ("impulse_error", "stance impulse, mean absolute error", "of the reference"),
    ("contact_time_error_ms", "contact time, mean absolute error", "ms"),
    ("heel_strike_error_ms", "heel strike, mean absolute error", "ms"),
    ("toe_off_error_ms", "toe off, mean absolute error", "ms"),
    ("stances", "stances", ""),
    ("samples", "samples", ""),
)


def write_card(checkpoint: Path) -> Path:
    """Write README.md beside a checkpoint from its manifest, and from its int8 model's where that exists.

    Raises ModelError without a manifest.
    """
    path = checkpoint.with_name(_CARD)
    write_file(path, _card_of(checkpoint))
    return path


def has_card(checkpoint: Path) -> bool:
    """Whether the README.md beside a checkpoint is its card, as `write_card` would write it."""
    path = checkpoint.with_name(_CARD)
    try:
        return path.is_file() and path.read_text() == _card_of(checkpoint)
    except (ModelError, UnicodeDecodeError):
        return False


def _card_of(checkpoint: Path) -> str:
    exported = checkpoint.with_name(MODEL_FILE)
    int8 = Manifest.read(exported) if exported.is_file() else None
    return card(Manifest.read(checkpoint), int8)


def add_cross_validation(checkpoint: Path, figures: Mapping[str, Any]) -> Path:
    """Put a cross-validation's figures into the manifest of a checkpoint, and so on its card.

    `figures`: folds, recipe, epochs, `float` and `int8` (subjects, mean_bw, low_bw, high_bw), fold_spread_bw.
    Raises ModelError without a manifest.
    """
    manifest = Manifest.read(checkpoint)
    replace(manifest, model={**manifest.model, "cross_validation": dict(figures)}).write(checkpoint)
    return write_card(checkpoint)


def card(manifest: Manifest, int8: Manifest | None = None) -> str:
    """The card as Markdown: what it is, what it learnt from, how good it is, what it is not."""
    if manifest.interface is None or "architecture" not in manifest.model:
        raise ModelError(f"the manifest of {manifest.name} describes no student")
    training = manifest.model.get("training", {})
    sections = (
        ["<!-- SPDX-License-Identifier: Apache-2.0 -->", f"# {manifest.name}", ""],
        _what(manifest, manifest.interface),
        _size(manifest.model),
        _data(training),
        _accuracy(manifest, training),
        _int8_epochs(manifest, training),
        _int8(int8) if int8 else [],
        _cross_validation(manifest.model.get("cross_validation")),
        _limits(manifest, training),
        ["## Licence", "", *_licence(training), ""],
        [f"Made by `{manifest.command}`." if manifest.command else "", ""],
    )
    return "\n".join(line for section in sections for line in section).rstrip() + "\n"


def _what(manifest: Manifest, interface: Interface) -> list[str]:
    name = str(manifest.model["architecture"])
    line = ARCHITECTURES[name].line if name in ARCHITECTURES else "a user's own network"
    shown = (
        ", ".join(interface.sensors) if len(interface.sensors) <= 16 else f"{len(interface.sensors)} sensors"
    )
    frame = f" ({interface.frame[0]} x {interface.frame[1]} matrix)" if interface.frame else ""
    ahead = {0: "none: causal", -1: "sees whole windows only"}.get(
        interface.lookahead, f"{interface.lookahead} samples"
    )
    partial = manifest.model.get("training", {}).get("ended") == "interrupted"
    return [
        *(["**Partial: training was interrupted.**", ""] if partial else []),
        f"Estimates {', '.join(interface.outputs)} ({interface.output_unit}) from {shown}{frame} of one foot "
        f"({interface.sensor_unit}), {interface.sample_rate_hz:g} Hz. Architecture: `{name}`, {line}.",
        "",
        f"Window {interface.window} samples, look-ahead {ahead}.",
        "",
    ]


def _size(model: Any) -> list[str]:
    field = model["receptive_field"]
    hyper = ", ".join(f"{key} {value}" for key, value in model["hyper"].items())
    return [
        "## Size",
        "",
        "| | |",
        "|---|---:|",
        f"| parameters | {model['parameters']} |",
        f"| multiply-accumulates a sample | {model['macs_per_sample']:.9g} |",
        f"| receptive field, samples | {'all since the reset' if field is None else field} |",
        f"| hyper-parameters | {hyper} |",
        "",
    ]


def _data(training: Any) -> list[str]:
    if not training:
        return []
    gain, noise = training["gain_spread"], training.get("step_noise", 0)
    hit, few = training.get("disturbed", 0), training.get("teachers", 0)
    said = (
        ("walks", training["data"]),
        ("training", _side(training, "training")),
        ("validation", _side(training, "validation")),
        ("split", training.get("split", BY_SEVEN.line)),
        ("target", training["force_source"]),
        ("recipe", training["recipe"]),
        *([("taught by", "one network" if few == 1 else f"the mean of {few} networks")] if few else []),
        ("seed", training["seed"]),
        (
            "epochs",
            f"{training['epochs_run']} of {training['epochs']}; the "
            f"{'last' if training.get('keep_last') else 'best'}, {training['best_epoch']}, is kept",
        ),
        (
            "optimiser",
            f"AdamW (beta2 {training.get('beta2', 0.999):.9g}), one cycle to {training['rate']:.9g}, "
            f"weight decay {training['weight_decay']:.9g}",
        ),
        ("batch", training["batch"]),
        ("augmentation", f"gain of each sensor, spread {gain:.9g}" if gain else "none"),
        *([("disturbed", f"{hit:.0%} of the examples, one disturbance each")] if hit else []),
        *([("noise", f"{noise:.9g} int8 steps on each batch norm's output")] if noise else []),
    )
    return ["## Training", "", "| | |", "|---|---|", *(f"| {key} | {value} |" for key, value in said), ""]


def _side(training: Any, side: str) -> str:
    return f"{training[f'walks_{side}']} feet's walks, {training[f'subjects_{side}']} subjects"


def _accuracy(manifest: Manifest, training: Any) -> list[str]:
    outputs = manifest.interface.outputs if manifest.interface else ()
    rows = []
    for index, output in enumerate(outputs):
        for known, text, unit in _UNITS:
            value = manifest.metrics.get(f"{known}:{output}" if index else known)
            if value is not None:
                shown = f"{value:.4g}" if isinstance(value, float) else str(value)
                rows.append(f"| {text}{f', {output}' if index else ''} | {shown} | {unit} |")
    synthetic = " Synthetic walks: nobody walked these." if training.get("synthetic") else ""
    return [
        "## Accuracy",
        "",
        "Float, pooled over the validation subjects, after the first 200 samples of each 1000-sample chunk; "
        "one run." + synthetic,
        "",
        "| | value | unit |",
        "|---|---:|---|",
        *rows,
        "",
    ]


def _int8_epochs(manifest: Manifest, training: Any) -> list[str]:
    """What the epochs with the rounding in place brought."""
    figures = manifest.metrics
    if "ptq_rmse_bw" not in figures:
        return []
    trained = figures.get("qat_rmse_bw")
    told = "not better: not kept" if trained is None else f"{trained:.4g}"
    return [
        "## int8 epochs",
        "",
        "The last epochs, in which the student computed as its int8 model: "
        f"{figures['qat_epochs']}, recipe `{training.get('qat_recipe', '-')}`. Judged as above.",
        "",
        "| RMSE | value | unit |",
        "|---|---:|---|",
        f"| float | {figures['float_rmse_bw']:.4g} | BW |",
        f"| int8, by the export alone | {figures['ptq_rmse_bw']:.4g} | BW |",
        f"| int8, trained | {told} | BW |",
        "",
    ]


def _int8(int8: Manifest) -> list[str]:
    """What quantisation costs, as the export measured it on the walks that it was given."""
    metrics, model = int8.metrics, int8.model
    operators = ", ".join(f"{count} {kind}" for kind, count in model.get("operators", {}).items())
    return [
        "## int8",
        "",
        "Both columns on the same samples of the validation subjects, window after window"
        + (", synthetic walks." if model.get("synthetic") else "."),
        "",
        "| | float | int8 | unit |",
        "|---|---:|---:|---|",
        f"| RMSE | {metrics['float_rmse_bw']:.4g} | {metrics['int8_rmse_bw']:.4g} | BW |",
        "",
        f"{metrics['samples']} samples. Operators: {operators}.",
        "",
    ]


def _cross_validation(figures: Mapping[str, Any] | None) -> list[str]:
    """Everyone held out once: the mean of the subjects' own RMSE."""
    if not figures:
        return []
    rows = [
        f"| {kind} | {one['mean_bw']:.4f} | {one['low_bw']:.4f} to {one['high_bw']:.4f} | BW |"
        for kind, one in ((kind, figures[kind]) for kind in ("float", "int8"))
    ]
    return [
        "## Cross-validation",
        "",
        f"{figures['folds']} folds by subject, {figures['int8']['subjects']} subjects, everyone held out "
        f"once: trained anew in each fold for {figures['epochs']} epochs, recipe `{figures['recipe']}`. The "
        "mean of the subjects' own RMSE over whole walks; the interval is a bootstrap over subjects.",
        "",
        "| | RMSE | 95 % interval | unit |",
        "|---|---:|---:|---|",
        *rows,
        "",
        f"Pooled int8 RMSE of the folds: standard deviation {figures['fold_spread_bw']:.4f} BW.",
        "",
    ]


def _limits(manifest: Manifest, training: Any) -> list[str]:
    limits = []
    if training.get("synthetic"):
        limits.append(
            "Trained and judged on a synthetic walker: it shows that the chain works, not how people walk."
        )
    elif training:
        limits.append(f"The target is {training['force_source']}.")
    if "r2_unseen" in manifest.metrics:
        limits.append("The target contains the inputs; read the R2 of the unseen part beside the plain one.")
    if training and training["best_epoch"] < training["epochs_run"]:
        limits.append("The epoch was chosen on the validation subjects: their error is slightly flattered.")
    if "gaitpdb" in str(training.get("data", "")):
        limits.append(
            "Learnt from level walking at a self-chosen pace, with and without Parkinson's disease."
        )
    limits.append("A research tool, not a medical device.")
    return ["## Limits", "", *(f"- {limit}" for limit in limits), ""]


def _licence(training: Any) -> list[str]:
    text = ["Weights: Apache-2.0."]
    if "gaitpdb" in str(training.get("data", "")):
        text.append(
            "The walks are PhysioNet's (Gait in Parkinson's Disease 1.0.0, Open Data Commons Attribution "
            "licence as its page states it) and are not shipped: `edgegrf data fetch gaitpdb`."
        )
    return text

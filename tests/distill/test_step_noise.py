# SPDX-License-Identifier: Apache-2.0
"""Noise as 8 bits make it: only in training, only within the block, and in proportion to the range."""

from __future__ import annotations

import torch

from edgegrf.distill.noise import step_noise


def test_noise_is_in_proportion_to_the_range_and_ends_with_the_block() -> None:
    torch.manual_seed(1)
    norm = torch.nn.BatchNorm1d(4)
    signal = torch.randn(64, 4, 100)
    with torch.no_grad(), step_noise(norm, 2.0):
        noisy = norm.train()(signal)
        within = norm.eval()(signal)
    with torch.no_grad():
        assert torch.equal(norm(signal), within)
        plain = norm.train()(signal)
    step = float(plain.max() - plain.min()) / 255
    assert abs(float((noisy - plain).std()) / (2 * step) - 1) < 0.05


def test_the_gradient_narrows_the_range() -> None:
    torch.manual_seed(1)
    norm = torch.nn.BatchNorm1d(1)
    with step_noise(norm, 20.0):
        norm(torch.randn(64, 1, 100)).square().mean().backward()
    noisy = float(norm.weight.grad)
    norm.zero_grad()
    norm(torch.randn(64, 1, 100)).square().mean().backward()
    assert noisy > 1.1 * float(norm.weight.grad)

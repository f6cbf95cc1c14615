# SPDX-License-Identifier: Apache-2.0
"""`edgegrf profile`: the table, the JSON, the page, and the refusals with their exit codes."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import pytest

from edgegrf.parity.host import HostModel
from edgegrf.virtual.cortexm.cycles import ERROR_BAND


def test_the_table_ends_with_the_total_and_the_band(edgegrf, tmp_path):
    code, out, err = edgegrf("profile", "--report", str(tmp_path / "p.html"))
    rows = [line for line in out.splitlines() if line.startswith("│")]
    assert code == 0 and "total" in rows[-1] and "100.0 %" in rows[-1] and "rest" in rows[-2]
    assert "cycles (est.)" in out and ERROR_BAND in out and "0 of 512 estimates differ" in out
    assert f"report: {tmp_path / 'p.html'}" in err


def test_json_has_the_promised_keys(edgegrf):
    code, out, _ = edgegrf("profile", "insole4-gru32", "--json")
    record = json.loads(out)
    assert code == 0
    assert list(record)[:6] == ["instructions", "cycles", "macs", "flash_bytes", "ram_bytes", "mismatches"]
    assert record["mismatches"] == 0 and len(record["layers"]) > 3


class _Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.seen = []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))


def test_the_page_is_whole_and_says_estimate(edgegrf, tmp_path):
    pytest.importorskip("matplotlib")
    path = tmp_path / "profile.html"
    code, out, err = edgegrf("profile", "--json", "--report", str(path))
    page = path.read_text()
    tags = _Tags()
    tags.feed(page)
    assert code == 0 and not err  # people's notes keep quiet beside JSON
    assert ERROR_BAND in page and "estimated cycles per sample" in page
    assert len([tag for tag, _ in tags.seen if tag == "svg"]) == 1
    assert [tag for tag, attrs in tags.seen if tag in ("script", "link", "img") or "src" in attrs] == []
    assert not re.search(r"https?://(?!www\.w3\.org)", page)
    for name in (*(layer["name"] for layer in json.loads(out)["layers"]), "total"):
        assert f">{name}<" in page


def test_another_bit_is_found_and_ends_with_exit_code_1(edgegrf, monkeypatch):
    class OneOff(HostModel):
        def stream(self, x):
            out = super().stream(x)
            out[7] ^= 1
            return out

    monkeypatch.setattr("edgegrf.profile.run.HostModel", OneOff)
    code, out, err = edgegrf("profile", "--json")
    assert code == 1 and json.loads(out)["mismatches"] == 1
    assert "1 of 512 estimates differ from the host's, by up to 1 LSB" in err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--port", "/dev/ttyACM0"), 2, "edgegrf bench --port /dev/ttyACM0"),
        (("--port", "virtual:nrf52840"), 2, "nrf52840dk"),
        (("--port", "virtual:native"), 2, "virtual chip"),
        (("nobody",), 2, "unknown student"),
        (("absent.tflite",), 2, "absent.tflite"),
        (("insole4-gru32", "--mode", "window"), 2, "--mode stream"),
    ],
)
def test_refusals(edgegrf, arguments, code, said):
    ended, out, err = edgegrf("profile", *arguments)
    assert (ended, out) == (code, "") and said in err and len(err.strip().splitlines()) <= 3

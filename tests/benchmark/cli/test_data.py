"""``bench data``: mistakes, sizes, and what it says of the sets."""

import json
import re
from pathlib import Path

import pytest
from PIL import Image

from benchmark.cli import terminal
from tests.benchmark.conftest import Bench
from tests.fake_data import write_biwi


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("prepare", "aflw2000", "--size", 100_000, "--data-root", "{root}"), "16<=x<=1024"),
        (("prepare", "synth_lab", "--count", 10**9), "1<=x<=1000000"),
        (("show", "synth_lab", "--number", 10**9), "1<=x<=2000"),
        (("prepare", "synth_lab", "--data-root", "{root}"), "rendered"),
        (("show", "synth_lab", "--data-root", "{root}"), "rendered"),
        (
            ("prepare", "aflw2000", "--count", 5, "--data-root", "{root}"),
            "--count does nothing without a SynthHeads set",
        ),
        (("prepare", "aflw2000", "--data-root", "{root}typo"), "no such folder"),
        (("prepare", "300w_lp", "--data-root", "{root}"), "no folder"),
        (("prepare", "aflw"), "did you mean 'aflw2000'"),
    ],
)
def test_mistakes_are_one_line_with_status_2(bench: Bench, data_root: Path, words: tuple, message: str) -> None:
    result = bench("data", *(str(word).replace("{root}", str(data_root)) for word in words))
    assert (result.status, result.out, result.err.count("\n")) == (2, "", 1)
    assert message in result.err


@pytest.mark.slow
def test_a_stale_mhpe_data_is_refused_and_a_right_one_is_no_mistake(
    bench: Bench, data_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MHPE_DATA", str(data_root))
    assert bench("data", "prepare", "synth_lab", "--count", 1, "--size", 16).status == 0
    monkeypatch.setenv("MHPE_DATA", str(data_root / "nowhere"))
    result = bench("data", "prepare", "aflw2000", "--size", 16)
    assert result.status == 2
    assert "MHPE_DATA" in result.err


def test_an_earlier_conversion_is_named(bench: Bench, data_root: Path) -> None:
    bench("data", "prepare", "aflw2000", "--data-root", data_root, "--size", 16)
    again = bench("data", "prepare", "aflw2000", "--size", 16)
    assert again.status == 0
    assert re.search(rf"aflw2000-16px-\w+ is used, made from {data_root / 'AFLW2000'}\n", again.err)


def test_check_says_how_biwi_frames_are_taken_and_which_sets_are_of_another_version(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(terminal.out, "width", 1000)
    write_biwi(tmp_path, 2)
    Image.new("RGB", (640, 480)).save(tmp_path / "BIWI" / "02" / "frame_00000_rgb.png")
    (tmp_path / "BIWI" / "02" / "frame_00001_rgb.png").write_bytes(b"")
    said = bench("data", "check", "--data-root", tmp_path).out
    assert "4 already cropped, 1 neither a full frame nor a crop, 1 unreadable" in said
    bench("data", "prepare", "synth_lab", "--count", 1, "--size", 16)
    meta = next((tmp_path / "cache" / "prepared").glob("synth_lab-*")) / "meta.json"
    assert "another version" not in bench("data", "check").out
    meta.write_text(json.dumps(json.loads(meta.read_text()) | {"format": 1}))
    assert f"{meta.parent.name} (another version)" in bench("data", "check").out


def test_check_of_a_folder_without_data_sets_fails(bench: Bench, tmp_path: Path) -> None:
    checked = bench("data", "check", "--data-root", tmp_path)
    assert checked.status == 2
    assert checked.out.count("no folder") == 3
    assert checked.err.startswith(f"bench: --data-root {tmp_path} ")

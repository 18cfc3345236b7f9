"""What a study's core changes of its preset's is said."""

from pathlib import Path

import pytest

from benchmark.report.build import build_report
from benchmark.report.sentences import core_changes, core_note
from benchmark.study.presets import PRESETS
from mhpe.config import CoreConfig
from tests.benchmark.fake_results import MadeUp, filled_store

TINY_CORE = CoreConfig.model_validate(PRESETS["tiny"].core)
SENTENCE = "Core changed from preset tiny: k 2, references pool, epochs 2, losses.nll 0.5."


@pytest.mark.slow
def test_changes_stand_in_the_page_and_in_the_tables(tmp_path: Path) -> None:
    changed = PRESETS["tiny"].core | {"references": "pool", "k": 2, "epochs": 2, "losses": {"nll": 0.5}}
    study = MadeUp(core=CoreConfig.model_validate(changed), seeds=1, protocols=("synth_1",), predictions=False)
    build_report(filled_store(tmp_path, study), (), tmp_path / "out")
    for name in ("index.html", "tables/made_up.md", "tables/made_up.tex"):
        text = (tmp_path / "out" / name).read_text(encoding="utf-8")
        assert SENTENCE in text, name


def test_a_study_with_the_presets_core_says_nothing(tmp_path: Path) -> None:
    study = MadeUp(core=TINY_CORE, seeds=1, protocols=("synth_1",), predictions=False)
    store = filled_store(tmp_path, study)
    core = next(identity["core"] for identity in store.identities(store.results(study.name)["trial"]).values())
    assert core_note({"tiny": core, "no preset": core}) == ""
    assert core_note({"tiny": None}) == ""


def test_settings_of_another_core_version_are_no_change() -> None:
    usual = TINY_CORE.model_dump(mode="json")
    assert core_changes(usual | {"gone": 1}, usual | {"new": 2}) == {}
    assert core_changes(usual | {"separate_scme": True}, usual) == {"separate_scme": "true"}

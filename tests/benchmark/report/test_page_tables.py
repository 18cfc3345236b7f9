"""Tables of the page."""

from pathlib import Path

from benchmark.report.page.tables import group_table
from benchmark.report.page.trials import trace
from benchmark.report.views import GROUP_VIEW
from tests.benchmark.fake_results import MadeUp, filled_store
from tests.benchmark.report.test_summary import summary_of


def test_a_note_that_all_arms_share_is_said_once_below(tmp_path: Path) -> None:
    for absent in (set(), {("gaussian 15", 1)}):
        study = MadeUp(seeds=3, protocols=("synth_1",), absent=absent, name=f"lacks_{len(absent)}")
        rows = summary_of(filled_store(tmp_path, study), study).assign(study=study.name)
        groups = {(study.name, "quick", "synth_1", arm): place for place, arm in enumerate(study.arms)}
        table = group_table(rows, GROUP_VIEW, "Errors", groups)
        assert ("Note" in table.headings) is bool(absent)
        said = "Errors. Of every arm but the baseline: cannot be significant at n = 3"
        assert table.caption == ("Errors" if absent else said)
        assert all(len(row) == len(table.headings) == len(table.numeric) for row in table.rows)


def test_a_trials_errors_name_protocols_briefly(tmp_path: Path) -> None:
    study = MadeUp(seeds=1, predictions=False)
    store = filled_store(tmp_path, study)
    results = [row.results for row in trace(store, store.results(study.name).assign(study=study.name)).rows]
    assert len(results) == 3
    assert all("(synth_1), " in result and result.endswith("(synth_2)") for result in results)

"""Tables of the page."""

from pathlib import Path

from benchmark.report.page.trials import trace
from tests.benchmark.fake_results import MadeUp, filled_store


def test_a_trials_errors_name_protocols_briefly(tmp_path: Path) -> None:
    study = MadeUp(seeds=1, predictions=False)
    store = filled_store(tmp_path, study)
    results = [row[4] for row in trace(store, store.results(study.name).assign(study=study.name)).rows.values()]
    assert len(results) == 3
    assert all("(synth_1), " in result and result.endswith("(synth_2)") for result in results)

"""Names that go into the store."""

import pytest

from benchmark.store import schema
from benchmark.study.names import LONGEST_LABEL, LONGEST_NAME, check_label, check_name, counted
from mhpe.errors import InputError

UNFIT = ["", " ", "a\tb", "a\nb", "\x1b[31mred", "a\0", "a\u202eb", "\ud800"]


@pytest.mark.parametrize("name", ["a", "gaussian_sigma", "Kopfhaltung über 30°", "x" * LONGEST_NAME])
def test_usual_names_pass(name: str) -> None:
    check_name(name, "the study's name")
    check_label(f"{name}/{name}"[:LONGEST_LABEL], "label")


@pytest.mark.parametrize("name", [*UNFIT, "a/b", "../x", "..", ".hidden", "a\\b", "C:a", "end.", "end ", "a?"])
def test_unfit_names_are_refused_in_one_line(name: str) -> None:
    with pytest.raises(InputError, match="the study's name") as error:
        check_name(name, "the study's name")
    assert str(error.value).isprintable()


@pytest.mark.parametrize("name", ["x" * (LONGEST_NAME + 1), "頭" * (LONGEST_NAME // 2)])
def test_a_files_name_has_a_longest_size_in_bytes(name: str) -> None:
    with pytest.raises(InputError, match=f"at most {LONGEST_NAME}"):
        check_name(name, "name")


@pytest.mark.parametrize("label", [*UNFIT, "x" * (LONGEST_LABEL + 1)])
def test_unfit_labels_are_refused(label: str) -> None:
    with pytest.raises(InputError, match="label"):
        check_label(label, "label")


def test_columns_hold_the_longest_names() -> None:
    for table, columns in ((schema.studies, ["name"]), (schema.trials, ["sampler", "train_set"])):
        assert all(table.c[name].type.length == LONGEST_NAME for name in columns)
    assert schema.planned.c.arm.type.length == LONGEST_LABEL


def test_one_is_no_plural() -> None:
    assert [counted(count, "trial") for count in (0, 1, 2, 1200)] == ["0 trials", "1 trial", "2 trials", "1,200 trials"]

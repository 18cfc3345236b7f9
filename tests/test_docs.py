"""What the documentation tells people to type is valid."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import click
import pytest
import yaml

from benchmark.cli.main import VERBS, bench
from benchmark.presets import PRESETS
from benchmark.study import StudyFile, load_study, study_names
from mhpe.validation import parse

ROOT = Path(__file__).parents[1]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *ROOT.glob("results/*.md"),
]
TOOLS = {"pip", "pytest", "ruff", "mypy", "git", "sbatch", "dask", "export", "cd", "python"}
"""What commands may begin with beside bench."""


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of one language."""
    text = page.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def commands(script: str) -> Iterator[list[str]]:
    """The words of each command of a shell script, without comments, && and variables set for one command."""
    for line in script.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        while words:
            end = words.index("&&") if "&&" in words else len(words)
            command = words[:end]
            words = words[end + 1 :]
            while command and re.fullmatch(r"[A-Z_]+=.*", command[0]):
                command = command[1:]
            if command:
                yield command


def parse_call(words: list[str]) -> click.Context:
    """Parse a call of bench down to its verb, as the program does, without running it."""
    parsed: list[click.Context] = []
    with mock.patch.object(click.Command, "invoke", lambda _, context: parsed.append(context)):
        bench.main(words[1:], standalone_mode=False)
    return parsed[-1]


def leaves(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    """All verbs with their whole names."""
    if not isinstance(command, click.Group):
        yield name, command
        return
    for inner in command.commands:
        yield from leaves(command.commands[inner], f"{name} {inner}")


def all_verbs() -> list[tuple[str, click.Command]]:
    context = click.Context(bench)
    found = {verb: bench.get_command(context, verb) for verb in VERBS}
    return [leaf for verb, command in found.items() if command for leaf in leaves(command, f"bench {verb}")]


def check_names(context: click.Context) -> None:
    """Studies, presets, protocols and arms that a call names exist, placeholders in capitals aside."""
    values = context.params
    study = values.get("study_name")
    if study in study_names():
        loaded = load_study(study, values.get("preset"), tuple(values.get("protocol_names") or ()))
        arms = {word for arm in loaded.arms for word in (arm.label, arm.sampler.name)}
        assert set(values.get("arm_names") or ()) <= arms
    elif study is not None:
        assert study.endswith(".yaml") or study.isupper(), study
    assert values.get("preset") in (None, *PRESETS)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_shell_blocks_are_valid_calls(page: Path) -> None:
    for script in blocks(page, "sh"):
        for words in commands(script):
            if words[0] == "bench":
                check_names(parse_call(words))
            else:
                assert words[0] in TOOLS, words


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_calls_in_the_text_name_verbs_and_options_that_exist(page: Path) -> None:
    """In running text a call may leave out what its verb needs."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    for script in re.findall(r"`(bench [^`]+)`", text):
        for words in commands(script):
            try:
                check_names(parse_call(words))
            except (click.MissingParameter, click.exceptions.NoArgsIsHelpError):
                continue


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_python_blocks_compile_and_links_lead_somewhere(page: Path) -> None:
    for code in blocks(page, "python"):
        compile(code, str(page), "exec")
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
        assert target.startswith("https://") or (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_studies_in_the_text_are_studies(page: Path) -> None:
    for text in blocks(page, "yaml"):
        content = yaml.safe_load(text)
        if "arms" in content:
            parse(StudyFile, content, str(page))


def test_every_verb_shows_an_example_that_is_valid() -> None:
    for name, command in all_verbs():
        examples = [line.strip() for line in (command.help or "").splitlines() if line.strip().startswith("bench ")]
        assert any(example.startswith(name) for example in examples), f"{name} --help has no example"
        for example in examples:
            for words in commands(example):
                check_names(parse_call(words))


def test_an_unknown_option_would_be_noticed() -> None:
    with pytest.raises(click.NoSuchOption):
        parse_call(["bench", "run", "--studdy", "gaussian_sigma"])
    with pytest.raises(click.UsageError):
        parse_call(["bench", "rum"])


def test_citation_is_of_this_version() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors"} <= set(citation)
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert f'\nversion = "{citation["version"]}"\n' in project

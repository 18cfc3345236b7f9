"""What the documentation tells people to type is valid, and its links lead somewhere."""

import importlib.util
import itertools
import re
import shlex
import tomllib
from collections.abc import Collection, Iterator
from pathlib import Path
from unittest import mock
from urllib.parse import unquote

import click
import pytest
import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token

from benchmark.cli.main import VERBS, bench
from benchmark.study.presets import PRESETS
from benchmark.study.search_space import Confirm, SearchConfig
from benchmark.study.study import load_study
from benchmark.study.study_file import StudyFile, study_names
from tools.perf.__main__ import main as perf

ROOT = Path(__file__).parents[1]
FOLDERS = (
    "benchmark",
    "docs",
    "mhpe",
    "samplers",
    "studies",
    "tests",
    "tools",
)
PAGES = [
    *ROOT.glob("*.md"),
    *ROOT.glob("results/*.md"),
    *ROOT.glob("results/*/README.md"),
    *(page for folder in FOLDERS for page in sorted((ROOT / folder).rglob("*.md"))),
]
TOOLS = {"pip", "pytest", "ruff", "mypy", "python", "createdb", "optuna-dashboard"}
"""What commands may begin with beside bench."""
LANGUAGES = {"sh", "bash", "python", "yaml", "toml", "text"}
"""Of fenced blocks; commands are in ``sh``."""

of_each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def tokens(page: Path) -> list[Token]:
    """A page's blocks."""
    return MarkdownIt("commonmark").enable("table").parse(page.read_text(encoding="utf-8"))


def in_text(page: Path, kind: str) -> list[Token]:
    """What a page's running text, headings and tables have of one kind."""
    return [inner for token in tokens(page) for inner in token.children or () if inner.type == kind]


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of one language."""
    return [token.content for token in tokens(page) if token.type == "fence" and token.info == language]


def scripts(page: Path) -> list[str]:
    """The blocks of commands: fenced ones, and indented ones that begin with a program's name."""
    indented = [token.content for token in tokens(page) if token.type == "code_block"]
    return blocks(page, "sh") + [text for text in indented if text.split()[0] in {"bench", *TOOLS}]


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives a page's headings."""
    found: list[str] = []
    for opening, heading in itertools.pairwise(tokens(page)):
        if opening.type == "heading_open":
            text = "".join(inner.content for inner in heading.children or () if inner.type in ("text", "code_inline"))
            found.append(re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-"))
    repeated = {f"{name}-{number}" for name in found for number in range(1, found.count(name))}
    return {*found, *repeated}


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


def own_studies(page: Path) -> set[str]:
    """Names of the studies whose files a page has the reader write."""
    return set(re.findall(r"(\w+)\.yaml", page.read_text(encoding="utf-8")))


def check_names(context: click.Context, own: Collection[str] = ()) -> None:
    """Studies, presets, protocols and arms that a call names exist, placeholders in capitals and ``own`` ones aside."""
    values = context.params
    for study in (*values.get("study_names", ()), *values.get("names", ())):
        if study in study_names():
            loaded = load_study(study, values.get("preset"), values.get("protocol_names", ()))
            arms = {word for arm in loaded.arms for word in (arm.label, arm.sampler.name)}
            assert set(values.get("arm_names", ())) <= arms, values["arm_names"]
        else:
            assert study.endswith(".yaml") or study.isupper() or study in own, study
    assert values.get("preset") in (None, *PRESETS)


def check_tool(words: list[str]) -> None:
    """A program that is not ours is known, and what it is given of ours exists."""
    assert words[0] in TOOLS, words
    if words[:2] == ["python", "-m"]:
        assert importlib.util.find_spec(words[2]), words
        if words[2] == "tools.perf":
            perf.make_context("tools.perf", words[3:])
    elif words[0] == "python":
        assert (ROOT / words[1]).is_file(), words
    elif words[:2] == ["pip", "install"]:
        project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        for extra in re.findall(r"\[(\w+)\]", " ".join(words)):
            assert extra in project["optional-dependencies"], words


@of_each_page
def test_blocks_of_commands_are_valid_calls(page: Path) -> None:
    assert {token.info for token in tokens(page) if token.type == "fence"} <= LANGUAGES
    for script in scripts(page):
        for words in commands(script):
            if words[0] == "bench":
                check_names(parse_call(words), own_studies(page))
            else:
                check_tool(words)


@of_each_page
def test_calls_in_the_text_name_verbs_and_options_that_exist(page: Path) -> None:
    """In running text a call may leave out what its verb needs."""
    for code in in_text(page, "code_inline"):
        if not re.match(rf"({'|'.join(('bench', *TOOLS))}) ", code.content):
            continue
        for words in commands(code.content):
            if words[0] != "bench":
                check_tool(words)
                continue
            try:
                check_names(parse_call(words), own_studies(page))
            except (click.MissingParameter, click.exceptions.NoArgsIsHelpError):
                continue


@of_each_page
def test_python_blocks_compile(page: Path) -> None:
    for code in blocks(page, "python"):
        compile(code, str(page), "exec")


@of_each_page
def test_links_lead_somewhere(page: Path) -> None:
    links = [link.attrs["href"] for link in in_text(page, "link_open")]
    pictures = [picture.attrs["src"] for picture in in_text(page, "image")]
    for target in map(str, links + pictures):
        if target.startswith("https://"):
            continue
        path, _, anchor = unquote(target).partition("#")
        other = page.parent / path if path else page
        assert other.exists(), target
        assert not anchor or anchor in anchors(other), target


@of_each_page
def test_studies_in_the_text_are_studies(page: Path, tmp_path: Path) -> None:
    for text in blocks(page, "yaml"):
        content = yaml.safe_load(text)
        if "arms" in content:
            for file in content.get("sampler_files", ()):
                (tmp_path / file).write_text("\n".join(blocks(page, "python")))
            (tmp_path / "study.yaml").write_text(text)
            load_study(str(tmp_path / "study.yaml"))


def test_every_key_of_a_study_is_described() -> None:
    text = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
    for heading, keys in (
        ("A study", {*StudyFile.model_fields, "seed_offset", "label"}),
        ("A search", {*SearchConfig.model_fields}),
    ):
        section = text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
        first_cells = re.findall(r"^\| (`[^|]+) \|", section, re.MULTILINE)
        assert {key for cell in first_cells for key in re.findall(r"`(\w+)`", cell)} == keys
    assert all(f"`{key}`" in section for key in Confirm.model_fields)


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


def test_mistakes_in_a_page_would_be_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Slides' `run`\n\n## Twice\n\n    bench run\n\n## Twice\n\n    mhpe/  a folder\n")
    assert anchors(page) == {"slides-run", "twice", "twice-1"}
    assert scripts(page) == ["bench run\n"]
    page.write_text("[there](#nothing)")
    with pytest.raises(AssertionError, match="#nothing"):
        test_links_lead_somewhere(page)
    for call in ("run --study gone", "report --study gone", "plan --study conclusion --arm gone"):
        with pytest.raises(AssertionError, match="gone"):
            check_names(parse_call(["bench", *call.split()]))
    with pytest.raises(click.BadParameter, match="gone"):
        check_tool(shlex.split("python -m tools.perf --row gone"))
    for call in ("python gone.py", "python -m tests.gone", "pip install '.[gone]'", "sbatch job"):
        with pytest.raises(AssertionError, match=r"gone|sbatch"):
            check_tool(shlex.split(call))


def test_citation_is_of_this_version() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors"} <= set(citation)
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert f'\nversion = "{citation["version"]}"\n' in project

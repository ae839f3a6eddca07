"""The workflows: every step is a command that anyone can run, and the nightly ones run here from end to end."""

import re
import shlex
from pathlib import Path

import pytest
import yaml

from tests.command_line import ask

WORKFLOWS = sorted((Path(__file__).parents[1] / ".github" / "workflows").glob("*.yml"))
PLAIN = re.compile(r"tox -e [\w,-]+( -- .*)?|python -m pip install --constraint constraints.txt tox|cat .* >> .*")


def steps(file):
    """What a workflow runs, in its order."""
    jobs = yaml.safe_load(file.read_text())["jobs"].values()
    return [step["run"].strip() for job in jobs for step in job["steps"] if "run" in step]


def harness_commands(name, folder, budget):
    """The words of a workflow's harness commands, as they are run here: in a folder, and in another time."""
    file = next(each for each in WORKFLOWS if each.stem == name)
    told = [step.partition(" -- ")[2] for step in steps(file) if step.startswith("tox -e nightly -- ")]
    plain = [re.sub(r"\$\{\{ runner.temp \}\}", str(folder), each) for each in told]
    return [shlex.split(re.sub(r"\$\{\{.*?\}\}|\b1h\b", budget, each)) for each in plain]


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.stem)
def test_every_step_is_a_command_that_anyone_can_run(file):
    assert steps(file)
    for step in steps(file):
        assert PLAIN.fullmatch(" ".join(step.split())), step


def test_every_environment_that_they_name_is_there():
    tox = (Path(__file__).parents[1] / "tox.ini").read_text()
    named = {name for file in WORKFLOWS for step in steps(file) for name in re.findall(r"tox -e ([\w,-]+)", step)}
    for name in ",".join(named).split(","):
        assert f"[testenv:{name}]" in tox


def test_the_night_from_end_to_end(tmp_path, forge):
    environment, there = forge
    shard, tf32, compiled, bits, verify, time, issues = harness_commands("nightly", tmp_path, "30m")
    little = ("-k", "linear and torch_linear and result_dtype", "--dtype", "float32", "--examples", "2")
    assert (shard[0], bits[0], verify[0], time[0], issues[0]) == ("run", "invariance", "merge", "bench", "issues")
    for grade in (tf32, compiled):
        here = [{"cuda": "cpu", "tf32": "float32"}.get(word, word) for word in grade]
        asked = ask(tmp_path, *here, *little)
        assert asked.code == 0, asked
    assert ask(tmp_path, *(word.replace("cuda", "cpu") for word in bits), "linear").out.count("| linear/") >= 3
    for number in ("1", "2"):
        words = [word.replace("30m/2", f"{number}/2").replace("shard-30m", f"shard-{number}") for word in shard]
        part = ask(tmp_path, *words, "linear", "dot_axes", *little[2:], "-k", "result_dtype and definition")
        assert part.code == 0, part
    night = ask(tmp_path, *verify)
    assert night.code == 0, night
    assert (tmp_path / "summary.md").read_text().startswith("### ") and (tmp_path / "junit.xml").is_file()
    assert (tmp_path / "reports" / "latest" / "index.html").is_file()
    assert ask(tmp_path, *time, "linear", "--only", "definition", "--processes", "1").code == 0
    assert ask(tmp_path, *issues, **environment).code == 0 and there() == []


def test_the_morning_after_a_night_without_a_run(tmp_path, forge):
    environment, there = forge
    (watch,) = harness_commands("watch", tmp_path, "20s")
    assert ask(tmp_path, *watch, **environment).code == 0
    assert [each["title"] for each in there()] == ["The nightly run did not happen"]

"""The whole check on one GPU: its figures from what the parts print, and a summary whatever becomes of them."""

import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.quality import gpu
from tests.quality.gpu import (
    Figure,
    Part,
    ask,
    figures_of,
    markdown,
    of_bench,
    of_invariance,
    of_pinv,
    of_run,
    of_scan,
    parts,
)

NOWHERE = Path("none")


def by_name(figures):
    return {each.name: (each.reached, each.enough) for each in figures}


def timed(name, cache, *seconds, **more):
    blocks = [{"seconds": each, "megahertz": 1980, "throttled": False} for each in seconds]
    return {"name": name, "cache": cache, "verdict": "rounding", "blocks": blocks, **more}


@pytest.mark.parametrize(("fast", "enough"), [(1e-3, True), (1e-2, False)])
def test_the_scan_is_held_to_the_loop_warm_and_cold(fast, enough):
    told = by_name(of_scan([timed(*of) for of in SCANS] + [timed("fast", "warm", 9, fast, fast)], NOWHERE))
    assert told["3,000 steps, warm"][1] is enough and f"{0.1 / fast:.1f} × (fast" in told["3,000 steps, warm"][0]
    assert told["3,000 steps, cold"] == ("25.0 × (blocks 4.00 ms, loop 100.00 ms)", True)
    assert told["clock, and blocks held back"][0] == "1980 to 1980 MHz, 0 of 7"
    assert told["not timed, since it is wrong or slow"] == ("blocks", False)


SCANS = [
    ("definition", "warm", 0.1),
    ("blocks", "warm"),
    ("definition", "cold", 0.1),
    ("blocks", "cold", 0.004, 0.004),
]


def test_a_bench_tells_its_points_and_its_clock():
    timings = [
        {"seconds": 1.0, "speed": "faster", "clock": 1500, "throttled": 1},
        {"seconds": None, "speed": "no data", "clock": None, "throttled": 0},
    ]
    told = by_name(of_bench({"timings": timings}, NOWHERE))
    assert told["points with a time"] == ("1 of 2", True) and told["what is said"][0] == "1 faster"
    assert told["clock, and blocks held back"][0] == "1500 to 1500 MHz, 1 of 1"
    assert by_name(of_bench({"timings": timings[1:]}, NOWHERE))["points with a time"] == ("0 of 1", False)


def test_the_pseudo_inverse_is_held_to_each_of_its_figures():
    told = {"setup": 1.5, "image": 0.03, "residual": 1e-15, "condition": 1e7, "error": 1e-9}
    enough = {name: enough for name, (_, enough) in by_name(of_pinv(told, NOWHERE)).items()}
    assert enough == {
        "set-up": True,
        "an image, of 4 at once": False,
        "relative residual": True,
        "condition, estimated": None,
    }


def test_bits_are_counted_by_dtype_without_who_was_not_asked():
    one = {"implementation": "a", "dtype": "float32", "repeats": True, "asked": [1, 2], "differing": [], "reason": ""}
    every = [one, {**one, "implementation": "b", "differing": [1]}, {**one, "reason": "declined"}]
    told = by_name(of_invariance(every, NOWHERE))
    assert told["float32, the same bits again"][0] == "2 of 2"
    assert told["float32, in every batch"][0] == "1 of 2: a"


PRINTS = "import sys, json; print(json.dumps({'setup': 1, 'image': 0.001, 'residual': 0, 'condition': 1})); "


@pytest.mark.parametrize(
    ("code", "seconds", "reason"),
    [
        ("print('no answer')", 60.0, "JSONDecodeError"),
        (
            "import sys; sys.exit('the device is gone')",
            60.0,
            "ended with status 1 and printed nothing; the device is gone",
        ),
        ("import signal; signal.pause()", 2.0, "ended with status -15"),
        ("import os; os.kill(os.getpid(), 9)", 60.0, "ended with status -9"),
        ("print({})", 60.0, "KeyError"),
    ],
)
def test_a_part_that_has_no_answer_says_why_and_costs_itself_alone(tmp_path, code, seconds, reason):
    part = Part("pinv", (sys.executable, "-c", code), seconds, of_pinv)
    figures = figures_of(part, ask(part, tmp_path), tmp_path)
    assert [each.enough for each in figures] == [False, None]
    assert reason in figures[0].reached
    good = Part("pinv", (sys.executable, "-c", PRINTS), 60.0, of_pinv)
    assert all(each.enough is not False for each in figures_of(good, ask(good, tmp_path), tmp_path))


def test_a_summary_tells_first_what_was_missed():
    figures = [Figure("pinv", "set-up", "< 2 s", "3.00 s", False), Figure("pinv", "residual", "≤ 1e-12", "0", True)]
    told = markdown("a GPU", figures)
    assert told.index("- pinv: set-up: 3.00 s (asked: < 2 s)") < told.index(
        "| pinv | residual | ≤ 1e-12 | 0 | reached |"
    )
    assert "Every figure that is asked was reached." in markdown("a GPU", figures[1:])


def test_the_parts_have_their_time_together_and_fewer_files_than_a_device_machine_brings_back():
    asked = parts("cuda", 560)
    assert sum(each.seconds for each in asked) <= 560
    assert len([each for each in asked if each.log]) + 3 <= 8


def test_a_run_is_asked_and_its_cells_counted_by_dtype(tmp_path):
    (part,) = (each for each in parts("cpu", 560) if each.name == "catalogue")
    words = ("linear", "-k", "result_dtype and torch_linear")
    made = Part(part.name, (*part.command, *words), part.seconds, of_run, part.log)
    told = by_name(figures_of(made, ask(made, tmp_path), tmp_path))
    assert told["causes that are not known"] == ("0", True)
    assert told["cells asked"][1] and told["float32"] == ("1 exact", None) == told["bfloat16"]
    assert (tmp_path / "catalogue.jsonl.gz").exists()


def test_the_command_writes_its_folder_and_fails_where_a_figure_is_missed(tmp_path, monkeypatch):
    good = Part("pinv", (sys.executable, "-c", PRINTS), 60.0, of_pinv)
    bad = Part("scan", (sys.executable, "-c", "pass"), 60.0, of_scan)
    for asked, code in (((good,), 0), ((bad, good), 1)):
        monkeypatch.setattr(gpu, "parts", lambda device, seconds, asked=asked: asked)
        done = CliRunner().invoke(gpu.main, ["--out", str(tmp_path / "out"), "--device", "cpu"])
        assert done.exit_code == code, done.output
        told = json.loads((tmp_path / "out" / "summary.json").read_text())
        assert told["device"] == "cpu" and {each["part"] for each in told["figures"]} == {
            each.name for each in asked
        } | {"all"}
        assert {each.name for each in (tmp_path / "out").iterdir()} == {"summary.md", "summary.json", "output.txt"}

"""What readers look for: the verdict, what is new, why, how to see it for themselves, and the other runs."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys

import pytest

from tests.forkserver import SECONDS

COUNTS = ("new", "known", "fixed", "coverage lost")


def counts(tab):
    """The four counts of the first screen, each the text of a link."""
    told = {}
    for name in COUNTS:
        link = tab.page.get_by_role("link", name=re.compile(rf"\d {name}\b"))
        assert tab.on_first_screen(link), name
        told[name] = int(re.search(r"\d+", link.inner_text())[0])
    return [told[name] for name in COUNTS]


def verdict(tab):
    heading = tab.page.get_by_role("heading", level=1)
    assert tab.on_first_screen(heading)
    return heading.inner_text()


def section(tab, name):
    return tab.page.get_by_role("region", name=re.compile(rf"(^|\W){name}$"), exact=False).first


def date_of(run):
    """A run's name as pages write its time, to the minute."""
    return f"{run[:4]}-{run[4:6]}-{run[6:8]} {run[9:11]}:{run[11:13]}"


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts on", "scripts off"])
def test_a_fault_that_got_in_is_new_with_its_cause(open_page, regression, scripts):
    tab = open_page(regression.report("new"), scripts=scripts)
    assert verdict(tab).startswith("1 of 2 implementations fails: it computes something else.")
    assert "1 new" in verdict(tab)
    assert counts(tab) == [1, 0, 0, 0]
    new = section(tab, "New")
    for text in ("linear/fused", "b is ignored", "in this run"):
        assert tab.on_first_screen(new.get_by_text(text).first), text
    assert "summed" not in new.inner_text()
    assert (tab.page.get_by_role("button").count() > 0) is scripts


def test_a_fault_that_stays_is_known_since_the_run_that_saw_it_first(open_page, regression):
    tab = open_page(regression.report("known"))
    assert verdict(tab).startswith("1 of 2 implementations fails")
    assert counts(tab) == [0, 1, 0, 0]
    row = section(tab, "Known").get_by_role("row").filter(has_text="linear/fused")
    assert "b is ignored" in row.inner_text()
    assert row.locator(f"a[href*='{regression.steps['new']}']").inner_text() == date_of(regression.steps["new"])


def test_a_fault_that_is_mended_is_fixed(open_page, regression):
    tab = open_page(regression.latest)
    assert "Everything holds within rounding." in verdict(tab)
    assert counts(tab) == [0, 0, 1, 0]
    row = section(tab, "Fixed").get_by_role("row").filter(has_text="linear/fused")
    assert "b is ignored" in row.inner_text()
    row.get_by_role("link", name="linear/fused").click()
    assert regression.steps["known"] in tab.page.url
    assert "wrong" in verdict(tab)


def test_the_first_run_has_nothing_to_compare_with_and_says_so(open_page, regression):
    tab = open_page(regression.report("sound"))
    assert "no earlier run to compare with" in verdict(tab)
    assert counts(tab) == [0, 0, 0, 0]


def test_each_count_leads_to_what_it_counts(open_page, regression):
    tab = open_page(regression.report("new"))
    for name in COUNTS:
        tab.page.get_by_role("link", name=re.compile(rf"\d {name}\b")).click()
        heading = tab.page.locator(":target")
        assert heading.inner_text().lower().endswith(name)
        assert heading.evaluate("each => each.getBoundingClientRect().top < innerHeight")


def test_a_failure_is_followed_to_its_reproduction_and_what_was_copied_runs(open_page, regression, tmp_path):
    tab = open_page(regression.report("new"))
    section(tab, "New").get_by_role("link", name="linear/fused").click()
    assert "linear/fused" in verdict(tab)
    told = dict(
        tab.page.locator("dl").first.evaluate(
            "list => [...list.querySelectorAll('dt')].map(each => [each.innerText, each.nextElementSibling.innerText])"
        )
    )
    script = tmp_path / "reproduction.py"
    script.write_text(tab.copied(tab.page.get_by_label("the reproduction as a script")), encoding="utf-8")
    said = run_alone(script)
    expected, actual = (
        float(re.search(rf"{name}:\ntensor\(\[\[(.*?)\]\]", said)[1]) for name in ("expected", "actual")
    )
    assert [expected, actual] == [float(told["expected"]), float(told["actual"])]
    assert expected != actual
    assert f"largest difference: {abs(expected - actual):.3g}" in said


def run_alone(script):
    """What a script says where there is no harness: neither beside it nor on any path."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    text = f"import sys, runpy; sys.modules['harness'] = None; runpy.run_path({str(script)!r}, run_name='__main__')"
    command = [sys.executable, "-I", "-c", text]
    done = subprocess.run(
        command, cwd=script.parent, env=plain, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_commands_that_were_copied_ask_again(open_page, regression, tmp_path):
    """The file is mended by now, so the case that fell is fixed, and the cell that fell holds."""
    tab = open_page(regression.report("new"))
    replay = tab.copied(section(tab, "New").get_by_label("the command that asks it again"))
    section(tab, "New").get_by_role("link", name="linear/fused").click()
    assert tab.copied(tab.page.get_by_label("the command that replays it")) == replay
    program, *arguments = shlex.split(replay)
    assert program == "harness"
    assert "1 fixed" in regression.command(*arguments)
    program, *arguments = shlex.split(tab.copied(tab.page.get_by_label("the command that asks the cell")))
    assert program == "harness"
    said = regression.command(*arguments, "--reports", str(tmp_path))
    assert "1 implementation, 1 cell" in said
    assert "It holds within rounding." in said


def test_runs_are_switched(open_page, regression):
    tab = open_page(regression.latest)
    tab.page.get_by_role("link", name="Runs").click()
    assert "4 runs" in tab.page.get_by_role("heading", level=1).inner_text()
    assert tab.page.locator("[aria-current=true]").inner_text().startswith(regression.steps["fixed"])
    tab.page.get_by_role("link", name=regression.steps["new"]).click()
    assert counts(tab) == [1, 0, 0, 0]
    section(tab, "New").get_by_role("link", name=date_of(regression.steps["sound"])).click()
    assert regression.steps["sound"] in tab.page.url
    assert counts(tab) == [0, 0, 0, 0]
    tab.page.get_by_role("link", name="Runs").click()
    tab.page.get_by_role("main").or_(tab.page.get_by_role("banner")).get_by_role("link", name="here").click()
    assert tab.page.url == regression.latest.resolve().as_uri()


def test_every_link_leads_to_a_page_and_a_place_in_it(open_page, regression):
    tab = open_page(regression.latest)
    places, links = {}, set()
    for page in [*regression.pages("fixed"), *regression.pages("new")]:
        tab.go(page)
        places[page.resolve().as_uri()] = tab.page.evaluate(
            "[...document.querySelectorAll('[id]')].map(each => each.id)"
        )
        links |= set(tab.page.evaluate("[...document.links].map(each => each.href)"))
    for link in sorted(links):
        page, _, place = link.partition("#")
        assert os.path.exists(page.removeprefix("file://")), link
        if place and page in places and not page.endswith("results.html"):
            assert place in places[page], link

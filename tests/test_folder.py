"""The folder of a report: what the harness made there is replaced, and nothing else is ever touched."""

import threading

import pytest

from harness.errors import InfrastructureError
from harness.report.folder import MANIFEST, ReplacedFolder

PAGES = ("index.html", "report.css", "operation/linear.html")


def written(path, *names, text="ours"):
    with ReplacedFolder(path) as folder:
        for name in names:
            folder.write(name, text)


def files(path):
    return {file.relative_to(path).as_posix(): file.read_text() for file in path.rglob("*") if file.is_file()}


def test_what_was_made_before_is_replaced_and_goes_where_it_is_not_made_again(tmp_path):
    written(tmp_path / "run", *PAGES)
    written(tmp_path / "run", *PAGES[:2], text="anew")
    made = files(tmp_path / "run")
    assert made.pop(MANIFEST)
    assert made == {"index.html": "anew", "report.css": "anew"}


@pytest.mark.parametrize("name", PAGES)
def test_a_file_of_somebody_else_is_neither_replaced_nor_removed(tmp_path, name):
    theirs = tmp_path / name
    theirs.parent.mkdir(exist_ok=True)
    theirs.write_text("theirs")
    with pytest.raises(InfrastructureError, match="the harness did not make what is there; move it away"):
        written(tmp_path, *PAGES)
    assert theirs.read_text() == "theirs"
    theirs.unlink()
    written(tmp_path, *PAGES)
    (tmp_path / "notes.html").write_text("theirs")
    written(tmp_path, *PAGES)
    assert (tmp_path / "notes.html").read_text() == "theirs"


@pytest.mark.parametrize("line", ["+ ../outside.html", "+ /outside.html", "+ notes.txt", "+ a/b/c.html", "+ .bashrc"])
def test_a_manifest_of_somebody_else_removes_nothing_that_is_no_page(tmp_path, line):
    (tmp_path / "outside.html").write_text("theirs")
    (tmp_path / "run" / "a" / "b").mkdir(parents=True)
    for name in ("notes.txt", "a/b/c.html", ".bashrc"):
        (tmp_path / "run" / name).write_text("theirs")
    (tmp_path / "run" / MANIFEST).write_text(line + "\n")
    before = files(tmp_path)
    written(tmp_path / "run", "index.html")
    assert {**before, **files(tmp_path)} == {
        **files(tmp_path),
        **{name: before[name] for name in before if MANIFEST not in name},
    }
    assert all((tmp_path / name).exists() for name in before)


@pytest.mark.parametrize("link", ["run", "run/operation", "run/index.html", f"run/{MANIFEST}"])
def test_a_link_leads_nowhere(tmp_path, link):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "theirs").write_text("theirs")
    (tmp_path / link).parent.mkdir(exist_ok=True)
    (tmp_path / link).symlink_to(elsewhere / "theirs" if "." in link else elsewhere)
    with pytest.raises((InfrastructureError, OSError)):
        written(tmp_path / "run", *PAGES)
    assert files(elsewhere) == {"theirs": "theirs"}


def test_a_page_that_can_not_be_made_leaves_the_others_and_no_draft(tmp_path):
    written(tmp_path, *PAGES)
    with pytest.raises(RuntimeError), ReplacedFolder(tmp_path) as folder:
        folder.write("index.html", "anew")
        raise RuntimeError
    assert files(tmp_path).keys() == {*PAGES, MANIFEST}
    with pytest.raises(UnicodeEncodeError):
        written(tmp_path, "index.html", text="\ud800")
    assert files(tmp_path).keys() == {*PAGES, MANIFEST}


def test_one_writes_after_the_other(tmp_path):
    with ReplacedFolder(tmp_path) as first:
        first.write("index.html", "first")
        other = threading.Thread(target=written, args=(tmp_path, "report.css"))
        other.start()
        first.write("operation/linear.html", "first")
        assert not (tmp_path / "report.css").exists()
    other.join()
    assert files(tmp_path).keys() == {"report.css", MANIFEST}

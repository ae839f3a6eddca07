"""Bad input: whatever a candidate file is or does, the user reads a sentence that says which, where and why."""

from __future__ import annotations

import signal

import pytest
import torch

import harness
from harness.candidates import candidates
from harness.command.importing import rehearse_import
from harness.declare.implementation import implementation_of
from harness.errors import CandidateError, HarnessError
from harness.operations.linear import linear
from harness.verify.subject import ImplementationFault, Subject
from tests.command_line import CANDIDATES, Answer, ask

FITTING = "from harness.operations.linear import linear\n@linear.implementation\n"
LIMIT = 5.0


def written(folder, source, name="mine.py"):
    path = folder / name
    path.write_text(source)
    return path


# files that can't be used: a refusal in one sentence, exit code 2


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("def f(:\n    pass\n", "mine.py, line 1: invalid syntax; this is not valid Python"),
        ("x = 1\n\0", "mine.py: source code string cannot contain null bytes; this is not valid Python"),
        ("\nimport no_such_thing\n", "mine.py, line 2: importing it raised ModuleNotFoundError: No module named"),
        ("raise ValueError\n", "mine.py, line 1: importing it raised ValueError: (no message)"),
        ("raise KeyboardInterrupt\n", "mine.py, line 1: importing it raised KeyboardInterrupt: (no message)"),
        ("import sys\nsys.exit(4)\n", "mine.py, line 2: it called sys.exit(4) while it was imported; keep such calls"),
        ("def f(x):\n    return x\n", "mine.py declares nothing to verify; decorate a function with"),
        ("", "mine.py declares nothing to verify"),
        (
            FITTING + "def short(x, W):\n    return x\n",
            "mine.py: short(x, W) does not take the arguments of linear(x, W, b): got an unexpected keyword argument "
            "'b'; name its parameters as the operation does",
        ),
        (
            FITTING + "def torch_linear(x, W, b):\n    return x\n",
            "mine.py: torch_linear: linear already has an implementation named 'torch_linear'; choose another name",
        ),
        (
            FITTING.replace("implementation", "implementation(backend='matlab')") + "def m(x, W, b):\n    return x\n",
            "mine.py: m: backend 'matlab' is unknown; write one of",
        ),
        (
            "import harness\n@harness.operation\ndef scale(x):\n    return 2 * x\n",
            "mine.py: scale: argument 'x' has no domain; annotate it",
        ),
    ],
)
def test_a_file_that_cannot_be_used(tmp_path, source, sentence):
    with pytest.raises(HarnessError) as refusal:
        candidates(written(tmp_path, source))
    assert str(refusal.value).startswith(sentence)
    assert refusal.value.exit_code == 2


def test_a_file_that_is_not_there(tmp_path):
    written(tmp_path, "", "gru_fused.py")
    with pytest.raises(CandidateError, match=r"gru_fussed.py is not there; did you mean gru_fused.py\?"):
        candidates(tmp_path / "gru_fussed.py")
    with pytest.raises(CandidateError, match=r"nowhere/mine.py is not there; give the path of a Python file"):
        candidates(tmp_path / "nowhere" / "mine.py")


def test_a_folder_and_a_file_of_another_kind(tmp_path):
    with pytest.raises(CandidateError, match="is a folder; give the path of a Python file"):
        candidates(tmp_path)
    with pytest.raises(CandidateError, match=r"notes.txt is not a Python file; its name should end in .py"):
        candidates(written(tmp_path, "x = 1\n", "notes.txt"))


def test_a_syntax_error_in_the_module_beside(tmp_path):
    written(tmp_path, "x = (\n", "broken_neighbour.py")
    with pytest.raises(CandidateError, match=r"^broken_neighbour.py, line 1: '\(' was never closed"):
        candidates(written(tmp_path, "import broken_neighbour\n"))


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        (
            "import ctypes\nctypes.string_at(0)\n",
            "mine.py: its import crashed the interpreter: Segmentation fault at mine.py, line 2, <module>",
        ),
        ("import os\nos._exit(4)\n", "mine.py: its import ended the process with exit status 4 (os._exit, exit in"),
        (
            "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n",
            "mine.py: its import was ended by SIGKILL; the system does that when memory runs out",
        ),
        (
            "while True:\n    pass\n",
            "mine.py: its import did not return within 5 s and was stopped at mine.py, line ",
        ),
        ("input('name? ')\n", "mine.py, line 1: importing it raised EOFError"),
        (
            "import os\n" + FITTING + "def f(x, W, b):\n    return x\nos.closerange(3, 4000)\n",
            "mine.py: its import closes files that it has not opened",
        ),
    ],
)
def test_an_import_that_ends_its_process(tmp_path, source, sentence):
    with pytest.raises(CandidateError) as refusal:
        rehearse_import(written(tmp_path, source), LIMIT, None)
    assert str(refusal.value).startswith(sentence)


def test_what_an_import_prints_is_not_taken_for_its_answer(tmp_path):
    source = "import atexit\nprint('[]')\natexit.register(print, 'bye')\n" + FITTING + "def f(x, W, b):\n    return x\n"
    (listed,) = rehearse_import(written(tmp_path, source), LIMIT, None).implementations
    assert (listed.operation, listed.implementation, listed.place) == ("linear", "f", "mine.py: f")


def test_an_import_that_clears_the_path_of_modules_takes_nothing_from_those_that_follow(tmp_path):
    source = "import sys\n" + FITTING + "def f(x, W, b):\n    return x\nsys.path.clear()\n"
    (listed,) = rehearse_import(written(tmp_path, source), LIMIT, None).implementations
    assert listed.implementation == "f"


def test_the_command_refuses_in_a_sentence_and_in_json(tmp_path):
    written(tmp_path, "def f(:\n    pass\n")
    answer = ask(tmp_path, "check", "mine.py", "--json")
    sentence = "mine.py, line 1: invalid syntax; this is not valid Python"
    assert answer.code == 2
    assert answer.err == f"harness: {sentence}\n"
    assert answer.summary == {"exit_code": 2, "error": sentence}
    assert not (tmp_path / "reports").exists()


# functions that misbehave: a verdict of their own, exit code 1


@pytest.fixture(scope="module")
def polite(tmp_path_factory) -> Answer:
    return ask(
        tmp_path_factory.mktemp("polite"),
        *("check", str(CANDIDATES / "polite.py"), "--dtype", "float32", "--device", "cpu"),
        *("--examples", "6", "-k", "agreement or inputs_unmodified or result_dtype", "--profile", "quick"),
    )


@pytest.mark.parametrize(
    ("implementation", "sentence"),
    [
        ("returns_none", "the result is None, expected a tensor of shape [1, 1]; return one"),
        ("wrong_type", "the result is dict, expected a tensor of shape [1, 1]; return one"),
        ("two_results", "returned 2 tensor(s), expected 1"),
        ("wrong_shape", "the result has shape [1, 1, 1], expected [1, 1] (batch outputs)"),
        ("integer_dtype", "the result has dtype int32, expected a float dtype"),
        ("wrong_device", "the result is on meta, expected on cpu, as the arguments are"),
        ("sparse", "the result is sparse_coo, expected a dense tensor"),
        ("raises_sometimes", "it raised ValueError in line 68: every fifth call is one too many"),
        ("exits", "it called sys.exit('no more'); return a result instead"),
        ("raises_what_is_no_exception", "it raised Peculiar in line 79: caught by nobody"),
        ("interrupts", "it raised KeyboardInterrupt in line 84: (no message)"),
        ("recurses", "it raised RecursionError in line 89: maximum recursion depth exceeded"),
        ("bad_message", "it raised ValueError in line 94: a lone surrogate \\ud800, a bell"),
        ("asks_too_much_of_torch", "it ran out of memory in line 99: "),
        ("asks_too_much_of_numpy", "it ran out of memory in line 106: Unable to allocate 364. TiB"),
    ],
)
def test_a_function_that_misbehaves(polite, implementation, sentence):
    agreement = next(cell for cell in polite.of(implementation) if cell.prop == "agreement")
    assert agreement.verdict == "error"
    assert agreement.reason.startswith(f"polite.py: {implementation}: {sentence}")


@pytest.mark.parametrize(
    ("implementation", "prop", "words"),
    [
        ("wrong_dtype", "result_dtype", "float64"),
        ("modifies_input", "inputs_unmodified", "argument x"),
    ],
)
def test_a_function_that_breaks_a_rule(polite, implementation, prop, words):
    verdicts = {cell.prop: cell for cell in polite.of(implementation)}
    assert verdicts[prop].verdict == "wrong"
    assert verdicts[prop].place == f"polite.py: {implementation}"
    assert words in verdicts[prop].reason


@pytest.mark.parametrize("implementation", ["chatty", "closes_stdout", "changes_settings", "sound"])
def test_a_function_that_is_merely_ill_mannered(polite, implementation):
    assert {cell.verdict for cell in polite.of(implementation)} <= {"exact", "rounding", "inconclusive"}


def test_every_cell_is_answered_once(polite):
    keys = [cell.key for cell in polite.cells]
    props = {cell.prop for cell in polite.cells}
    assert props >= {"agreement", "inputs_unmodified", "result_dtype"}
    assert len(keys) == len(set(keys)) == 21 * len(props)
    assert polite.code == polite.finished.exit_code == 1
    assert sum(polite.finished.tally.values()) == len(keys)


def test_a_megabyte_of_print_is_a_note_and_no_more(polite):
    assert all(cell.printed > 2**20 for cell in polite.of("chatty") if cell.prop == "agreement")
    assert "linear/chatty printed" in polite.out
    assert "xxx" not in polite.out + polite.err
    assert "past Python" not in polite.out + polite.err


# in this process, where nothing stands between


def call(function) -> None:
    """Call a function as an implementation of linear, on one small case."""
    made = implementation_of("linear", linear.signature, function, "torch")
    case = harness.Case(linear, {"batch": 1, "inputs": 1, "outputs": 1}, {}, "normal", seed=0)
    Subject(linear, made)(case)


def test_ctrl_c_in_a_notebook_is_no_fault_of_the_implementation():
    def interrupted(x, W, b):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a test run in the background ignores it
    try:
        with pytest.raises(KeyboardInterrupt):
            call(interrupted)
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_message_that_cannot_be_read():
    class Unspeakable(Exception):
        def __str__(self):
            raise RuntimeError

    def unspeakable(x, W, b):
        raise Unspeakable

    with pytest.raises(ImplementationFault, match=r"raised Unspeakable in line \d+: \(its message can't be read\)"):
        call(unspeakable)


def test_what_an_exception_was_raised_from_is_said_and_what_it_came_across_is_not():
    def translated(x, W, b):
        try:
            1 / 0  # noqa: B018
        except ZeroDivisionError as failure:
            raise RuntimeError("can't be compiled") from failure

    def in_its_place(x, W, b):
        try:
            1 / 0  # noqa: B018
        except ZeroDivisionError:
            raise RuntimeError("can't be compiled") from None

    def on_the_way(x, W, b):
        try:
            1 / 0  # noqa: B018
        except ZeroDivisionError:
            raise RuntimeError("can't be compiled")  # noqa: B904

    def from_itself(x, W, b):
        failure = RuntimeError("can't be compiled")
        raise failure from failure

    for function in (translated, in_its_place):
        with pytest.raises(ImplementationFault, match=r"compiled \(from ZeroDivisionError: division by zero\)$"):
            call(function)
    for function in (on_the_way, from_itself):
        with pytest.raises(ImplementationFault, match=r"can't be compiled$"):
            call(function)


def test_settings_of_everybody_are_put_back():
    def meddles(x, W, b):
        torch.set_default_dtype(torch.float16)
        torch.set_grad_enabled(False)
        torch.use_deterministic_algorithms(True)
        torch.set_num_threads(torch.get_num_threads() + 1)
        return x @ W.mT + b

    def settings():
        strict = torch.are_deterministic_algorithms_enabled()
        return torch.get_default_dtype(), torch.is_grad_enabled(), strict, torch.get_num_threads()

    before = settings()
    call(meddles)
    assert settings() == before

"""A command that leaves what it cost: what it took of memory and of a processor beyond what was there when it began."""

from __future__ import annotations

import atexit
import json
import os
import resource
import runpy
import sys
import traceback
from pathlib import Path

from harness.catalogue import catalogue
from harness.report.template import _environment
from harness.verify.suite import every_claim, every_property

MOST = 6 * 2**30
"""Bytes that a command may ask for at all, so that none that reads without end takes the machine with it."""

catalogue(), every_property(), every_claim()  # made once, for every command that is forked
for _name in _environment().list_templates(extensions=["html"]):
    _environment().get_template(_name)


def main() -> None:
    """`FILE MODULE WORD…`: run the module with the words, and write bytes and seconds to the file."""
    before = resource.getrusage(resource.RUSAGE_SELF)
    file, module, *words = sys.argv[1:]
    sys.argv = [module, *words]
    resource.setrlimit(resource.RLIMIT_DATA, (MOST, MOST))
    code = _code_of(module)
    after = resource.getrusage(resource.RUSAGE_SELF)
    taken = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    Path(file).write_text(json.dumps([(after.ru_maxrss - before.ru_maxrss) * 1024, taken]))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # the end of an interpreter that has imported all of it takes longer than most commands


def _code_of(module: str) -> int:
    """Run a module as a program, with what is left to be done at its exit."""
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as leaving:
        if not isinstance(leaving.code, int | None):
            print(leaving.code, file=sys.stderr)
            return 1
        return leaving.code or 0
    except BaseException:
        traceback.print_exc()
        return 1
    finally:
        atexit._run_exitfuncs()
    return 0

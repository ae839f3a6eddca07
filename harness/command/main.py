"""The `harness` command."""

from __future__ import annotations

import gc
import os
import sys
from contextlib import suppress
from pkgutil import resolve_name
from typing import Any, NoReturn

import click

from harness import __version__
from harness.command.options import AS_JSON, examples
from harness.errors import HarnessError, InfrastructureError
from harness.explain.visible import visible
from harness.fault import with_traceback
from harness.report.document import Refusal

_INTERRUPTED = 130

EXAMPLES = (
    examples(
        ("harness list", "what there is, and what is unavailable here and why"),
        ("harness run", "verify everything on the devices there are"),
        ("harness run gru conv2d --dtype float32", "two operations in one dtype"),
        ("harness run --profile quick --budget 3m", "fewer cases, and stop after three minutes"),
        ("harness run -k batch_invariance", "one property everywhere"),
        ("harness claims gru", "what the source documents say about GRUs, and whether it holds"),
        ("harness check mine.py", "verify the implementations that a file declares"),
        ("harness bench gru", "how long every implementation takes, at every size"),
        ("harness invariance gru", "which implementations give a sample the same bits in every batch"),
        ("harness history", "the runs there are; or one cell in all of them"),
        ("harness compare main", "what the latest run says that the branch's latest one did not"),
        ("harness report --markdown -", "the latest run's report again, and a summary for a pull request"),
        ("harness run --shard 1/4", "a quarter, as each of four machines does; harness merge makes one run of all"),
        ("harness replay", "ask the last run's counterexamples again: still failing, or fixed?"),
    )
    + """
\b
Exit codes: 0 clean · 1 a property is falsified · 2 usage or configuration
            3 nothing could be verified · 4 slower (bench --fail-slower) · 130 interrupted
\b
Shell completion: eval "$(_HARNESS_COMPLETE=bash_source harness)"   (or zsh_source, fish_source)
"""
)


COMMANDS = {
    "bench": "bench:bench",
    "check": "check:check",
    "claims": "claims:claims",
    "compare": "compare:compare",
    "docs": "docs:docs",
    "history": "history:history",
    "invariance": "invariance:invariance_command",
    "issues": "issues:issues_command",
    "list": "listing:listing",
    "merge": "merge:merge",
    "replay": "replay:replay",
    "report": "report:report",
    "run": "run:run",
    "serve": "serve:serve",
    "survey": "survey:survey",
}
"""The commands, and where each is: it is imported when it is asked for, so that none waits for what the others need."""


class Sentences(click.Group):
    """A group whose commands refuse in one sentence with the right exit code, never with a traceback.

    With --json the sentence is an object on standard output as well. The traceback of a fault of the harness itself
    is kept in a file.
    """

    def main(self, *words: Any, **settings: Any) -> Any:
        """Run the program; where not even --help can be written, as to a full disk, it says so and nothing else."""
        if not gc.isenabled():  # `starting.py` has left it so until all was imported, which stays
            gc.freeze()
            gc.enable()
        try:
            return super().main(*words, **settings)
        except OSError as failure:
            _say(_sentence(failure))
            _leave(InfrastructureError.exit_code)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of the commands."""
        return [*COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name; None where there is none."""
        place = COMMANDS.get(cmd_name)
        return resolve_name(f"harness.command.{place}") if place else None

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; what goes wrong becomes a sentence."""
        try:
            return super().invoke(ctx)
        except HarnessError as refusal:
            _refuse(ctx, str(refusal), refusal.exit_code)
        except KeyboardInterrupt:
            _refuse(ctx, "interrupted", _INTERRUPTED)
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise
        except OSError as failure:
            _refuse(ctx, _sentence(failure), InfrastructureError.exit_code)
        except Exception as failure:
            _refuse(ctx, f"a fault of the harness itself: {with_traceback(failure)}", 3)


def _sentence(failure: OSError) -> str:
    """What the system refused, as on a full disk."""
    where = f"{failure.filename}: " if failure.filename else ""
    return f"{where}{failure.strerror or failure}"


def _refuse(ctx: click.Context, sentence: str, exit_code: int) -> NoReturn:
    if ctx.meta.get(AS_JSON):
        click.echo(Refusal(exit_code, sentence).to_json())
    _say(sentence)
    _leave(exit_code)


def _leave(exit_code: int) -> NoReturn:
    """Exit. What standard output can't take is dropped: the interpreter would try once more, and exit with 120."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        os._exit(exit_code)
    sys.exit(exit_code)


def _say(sentence: str) -> None:
    with suppress(OSError):
        click.echo(f"harness: {visible(sentence, 2_000, lines=True)}", err=True)


@click.group(
    cls=Sentences, epilog=EXAMPLES, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110}
)
@click.version_option(__version__, prog_name="harness", message="%(prog)s %(version)s")
def main() -> None:
    """Verify that several ways to compute a tensor operation agree, and say where, why, and whether it is rounding."""

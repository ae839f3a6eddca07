"""The `harness` command."""

from __future__ import annotations

import sys

import click

from harness.command.check import check
from harness.command.listing import listing
from harness.command.run import run
from harness.errors import HarnessError

EXAMPLES = """
\b
Examples:
  harness list                                   what there is, and what is unavailable here and why
  harness run                                    verify everything on the devices there are
  harness run gru conv2d --dtype float32         two operations in one dtype
  harness run --profile quick --budget 3m        fewer cases, and stop after three minutes
  harness run -k batch_invariance                one property everywhere
  harness check mine.py                          verify the implementations that a file declares
\b
Exit codes: 0 clean, 1 a property is falsified, 2 usage, 3 nothing could be verified.
Shell completion: eval "$(_HARNESS_COMPLETE=bash_source harness)"   (or zsh_source, fish_source)
"""


class Sentences(click.Group):
    """A group whose commands refuse in one sentence with the right exit code, never with a traceback."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except HarnessError as refusal:
            click.echo(f"harness: {refusal}", err=True)
            sys.exit(refusal.exit_code)


@click.group(
    cls=Sentences, epilog=EXAMPLES, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110}
)
@click.version_option(package_name="tensor-harness", prog_name="harness", message="%(prog)s %(version)s")
def main() -> None:
    """Verify that several ways to compute a tensor operation agree, and say where, why, and whether it is rounding."""


main.add_command(listing)
main.add_command(run)
main.add_command(check)

"""`python -m harness`."""

from harness.command.main import main

main(prog_name="harness")

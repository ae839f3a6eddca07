"""The process in which a candidate file is imported for the first time: `python -m harness.command.importing FILE`."""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path

from harness.candidates import candidates
from harness.errors import HarnessError
from harness.record.outcome import listed

if __name__ == "__main__":
    try:
        brought = candidates(Path(sys.argv[1]))
    except HarnessError as refusal:
        print(refusal, file=sys.stderr)
        sys.exit(refusal.exit_code)
    print("\n\n" + json.dumps([dataclasses.asdict(listed(made)) for made in brought.implementations]), end="")

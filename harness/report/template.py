"""Templates: Jinja with everything escaped, since names, messages and reprs come from candidates."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from harness.measure.verdict import Verdict
from harness.report.triage import causes, grades


@lru_cache(maxsize=1)
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("harness.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(Verdict=Verdict, causes=causes, grades=grades)
    return made


def render(name: str, **values: Any) -> str:
    """A template filled with values."""
    return _environment().get_template(name).render(**values)

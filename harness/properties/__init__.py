"""Properties: statements about implementations, one subject a module, with the claims of the source documents beside them.

In an installed package the modules lie here; in a checkout they lie at its top, in `properties/`.
"""

from pathlib import Path

_AT_THE_TOP = Path(__file__).parents[2] / "properties"

if (_AT_THE_TOP / "agreement.py").exists():
    __path__ = [*__path__, str(_AT_THE_TOP)]

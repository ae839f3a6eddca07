"""</title><script>alert('module')</script>"""

from harness.operations.linear import linear

MARKUP = "</pre></style><script>alert('message')</script><img src=https://example.org/x onerror=alert('message')>"
UNSEEN = "\x1b[31mred\x00\x07\u202egnp.exe\u202c\u2066\u200f\u200b\ud800"
MEGABYTE = "A" * 1_000_000


class Odd(Exception):
    """<script>alert('class')</script>"""


def raising(x, W, b):
    """<script>alert('docstring')</script>"""
    raise Odd(MARKUP + UNSEEN + MEGABYTE)


def without_bias(x, W, b):
    """<script>alert('docstring')</script>"""
    # </pre></script><img src=https://example.org/x onerror=alert('comment')>
    print(MARKUP + UNSEEN)
    return x @ W.mT


Odd.__name__ = Odd.__qualname__ = "<img src=https://example.org/x onerror=alert('class')>"
for function, name in (
    (raising, "</script><script>alert('name')"),
    (without_bias, "\u202e<img src=x onerror=alert('name')>"),
):
    function.__name__ = function.__qualname__ = name
    linear.implementation(backend="torch")(function)

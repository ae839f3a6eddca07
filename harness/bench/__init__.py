"""The bench: how long every implementation takes, at every point of a ladder of sizes, and who is slower.

    ladder → verification → stopwatch → worker → pool → contrast

Several worker processes (worker) are asked in turn (pool) to verify an implementation at a point (ladder, verification)
and then for one block of its time after another (stopwatch, and on a GPU the clock), in random order; nobody is asked who would
take too long (extrapolation). The statistics take the process as their unit (contrast). Apart from all this,
pytest-benchmark times the same calls in a test module of one's own (timed).
"""

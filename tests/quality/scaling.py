"""A cluster, simulated: `python -m tests.quality.scaling LOG`, from the seconds that the cells of a run took.

Its groups are cut and ordered as for a cluster of so many workers that knows how long they took, and each goes to the worker
that is free first. Said twice: as if a piece of a group needed no oracle again, and as if it needed all that its group did.
"""

import heapq
import sys
from collections import Counter
from pathlib import Path

from harness.execute.shard import group_of_key, pieces
from harness.record.events import CellFinished
from harness.record.runlog import read

WORKERS = (2, 8, 16, 32, 64)


def makespan(durations, workers):
    """When the last of some tasks ends, each begun in its order by the worker that is free first."""
    free = [0.0] * workers
    for seconds in durations:
        heapq.heapreplace(free, free[0] + seconds)
    return max(free)


def simulated(cells, workers):
    """The seconds of a run on so many workers, at best and at worst (see above), and the longest cell's."""
    spent, oracle, groups = {}, Counter(), {}
    for cell in cells:
        spent[cell.key] = sum(cell.seconds.values())
        oracle[group_of_key(cell.key)] += cell.seconds.get("oracle", 0.0)
        groups.setdefault(group_of_key(cell.key), []).append(cell.key)
    known = {name: sum(spent[key] for key in group) for name, group in groups.items()}
    cut = pieces(groups.values(), known, workers)
    own = [sum(spent[key] for key in piece) for piece in cut]
    again = [oracle[group_of_key(piece[0])] * (1 - len(piece) / len(groups[group_of_key(piece[0])])) for piece in cut]
    worst = [seconds + more for seconds, more in zip(own, again, strict=True)]
    return makespan(own, workers), makespan(worst, workers), max(spent.values())


def main(path):
    """Print a line for each number of workers."""
    cells = {each.key: each for each in read(Path(path)).events if isinstance(each, CellFinished)}
    total = sum(sum(cell.seconds.values()) for cell in cells.values())
    for workers in WORKERS:
        best, worst, longest = simulated(cells.values(), workers)
        ideal = max(total / workers, longest)
        print(
            f"{workers:3} workers: {best:6.1f} s, {ideal / best:.0%} of the ideal ({ideal:.1f} s); "
            f"with oracles computed again in each piece at most {worst:.1f} s, {ideal / worst:.0%}"
        )


if __name__ == "__main__":
    main(*sys.argv[1:])

"""The memory that interpreted kernels see: what lies within a tensor is reached, nothing else is, and races are told from order."""

import ctypes

import numpy as np
import pytest
import torch

from harness.declare.kernel_memory import KernelMemory
from harness.declare.program_order import ProgramOrder


class Memory:
    """The process' own, as Triton's interpreter reaches it."""

    def load(self, addresses, mask, other, dtype):
        made = np.array(np.broadcast_to(other, addresses.shape), dtype=dtype)
        for place in np.ndindex(addresses.shape):
            if mask[place]:
                made[place] = np.frombuffer(self._at(addresses[place], made.itemsize), dtype)[0]
        return made

    def store(self, addresses, values, mask):
        for place in np.ndindex(addresses.shape):
            if mask[place]:
                self._at(addresses[place], values.itemsize)[:] = values[place].tobytes()

    def atomic_rmw(self, operation, addresses, values, mask, semantic):
        before = self.load(addresses, mask, np.zeros_like(values), values.dtype)
        self.store(addresses, before + values, mask)
        return before

    def atomic_cas(self, addresses, compared, values, semantic):
        before = self.load(addresses, np.ones(addresses.shape, bool), np.zeros_like(values), values.dtype)
        self.store(addresses, values, before == compared)
        return before

    @staticmethod
    def _at(address, size):
        return (ctypes.c_char * size).from_address(int(address))


@pytest.fixture
def memory():
    return KernelMemory(Memory())


def addresses(memory, tensor, entries, name="x_ptr"):
    return (memory.address(name, tensor) + 4 * np.asarray(entries)).astype(np.uint64)


def told(memory):
    return [(each.kind, each.tensor, each.before, each.beyond) for each in memory.faults.values()]


def loaded(memory, tensor, entries):
    where = addresses(memory, tensor, entries)
    return memory.load(where, np.ones(where.shape, bool), np.zeros(where.shape, np.float32), np.float32)


def test_what_lies_within_a_tensor_is_loaded_and_stored(memory):
    x = torch.arange(6.0)
    assert (loaded(memory, x, [0, 5, 2]) == [0, 5, 2]).all()
    memory.store(addresses(memory, x, [1, 9]), np.array([7, 8], np.float32), np.array([True, False]))
    assert x.tolist() == [0, 7, 2, 3, 4, 5] and not told(memory)


def test_what_lies_outside_is_neither_loaded_nor_stored(memory):
    whole = torch.arange(20.0)
    memory.arguments = {"x": whole[5:9]}
    assert np.isnan(loaded(memory, whole[5:9], [-2, 4])).all()
    memory.store(addresses(memory, whole[5:9], [6], "y_ptr"), np.array([7], np.float32), np.array([True]))
    assert (whole == torch.arange(20.0)).all()
    names = ("x_ptr (its argument x)", "y_ptr (its argument x)")
    assert told(memory) == [("load", names[0], 2, 1), ("store", names[1], 0, 3)]


def test_what_lies_outside_is_another_number_where_another_is_asked_for(memory):
    x, index, half = torch.zeros(2), torch.zeros(2, dtype=torch.int32), torch.zeros(2, dtype=torch.bfloat16)
    seen = []
    for outside in (float("nan"), 2.0**100, -(2.0**100)):
        memory.outside = outside
        where = addresses(memory, index, [5])
        whole = memory.load(where, np.array([True]), np.zeros(1, np.int32), np.int32)
        memory.loading(False, True)
        bits = memory.load(addresses(memory, half, [5]), np.array([True]), np.zeros(1, np.uint16), np.uint16)
        memory.loading(False, False)
        brain = torch.from_numpy(bits.view(np.int16)).view(torch.bfloat16)
        seen.append((float(loaded(memory, x, [5])[0]), int(whole[0]), float(brain[0])))
    assert all(np.isnan(seen[0][place]) for place in (0, 2)) and seen[0][1] == 2**31 - 1
    assert seen[1:] == [(2.0**100, 2**30 - 1, 2.0**100), (-(2.0**100), 0, -(2.0**100))]


def test_the_memory_of_another_tensor_is_outside_however_near_it_lies(memory):
    one, other = torch.zeros(4), torch.zeros(4)
    apart = (other.data_ptr() - one.data_ptr()) // 4
    assert np.isnan(loaded(memory, one, [apart])).all() and told(memory)


def test_a_view_of_what_the_function_has_allocated_reaches_all_of_it(memory):
    scratch = torch.arange(10.0)
    assert (loaded(memory, scratch[4:], [-4, 5]) == [0, 9]).all() and not told(memory)


def test_atomics_outside_are_told_and_change_nothing(memory):
    x = torch.zeros(3)
    where, one = addresses(memory, x, [2, 3]), np.ones(2, np.float32)
    memory.atomic_rmw("add", where, one, np.array([True, True]), None)
    memory.atomic_cas(where, one, 5 * one, None)
    assert x.tolist() == [0, 0, 5] and {each.beyond for each in memory.faults.values()} == {1}


def run(memory, *programs):
    """Programs of one launch, one after another."""
    memory.launched(len(programs))
    for number, program in enumerate(programs):
        memory.running(number, str(number))
        program()
    return {each.kind for each in memory.faults.values()}


def storing(memory, where, value):
    return lambda: memory.store(where, np.full(where.shape, value, np.float32), np.ones(where.shape, bool))


def loading(memory, where):
    return lambda: memory.load(where, np.ones(where.shape, bool), np.zeros(where.shape, np.float32), np.float32)


def adding(memory, where):
    return lambda: memory.atomic_rmw("add", where, np.ones(where.shape, np.float32), np.ones(where.shape, bool), None)


def both(*parts):
    return lambda: [part() for part in parts]


def test_programs_that_store_different_values_race_and_those_that_store_the_same_do_not(memory):
    where = addresses(memory, torch.zeros(4), [1, 2])
    assert not run(memory, storing(memory, where, 5), storing(memory, where, 5))
    assert not run(memory, storing(memory, where[:1], 6), storing(memory, where[1:], 7))
    assert run(memory, storing(memory, where, 5), storing(memory, where, 6)) == {"race"}


def test_who_loads_what_another_program_stores_races_in_either_order(memory):
    where = addresses(memory, torch.zeros(4), [1, 2])
    assert not run(memory, loading(memory, where), loading(memory, where))
    assert not run(memory, both(storing(memory, where, 1), loading(memory, where)))
    assert run(memory, loading(memory, where), storing(memory, where, 2)) == {"race"}
    memory.faults.clear()
    assert run(memory, storing(memory, where, 3), loading(memory, where)) == {"race"}


def test_what_a_program_has_stored_itself_it_may_load_whoever_has_stored_the_same(memory):
    where = addresses(memory, torch.zeros(4), [1, 2])
    same = both(storing(memory, where, 5), loading(memory, where))
    assert not run(memory, same, same)
    assert not run(memory, storing(memory, where, 5), loading(memory, where)), "which was there before"
    assert run(memory, storing(memory, where, 6), loading(memory, where)) == {"race"}


def test_atomics_race_with_what_is_not_atomic(memory):
    where = addresses(memory, torch.zeros(4), [1, 2])
    assert not run(memory, adding(memory, where), adding(memory, where))
    assert run(memory, storing(memory, where, 9), adding(memory, where)) == {"race"}


def test_a_lock_puts_programs_in_order(memory):
    where, lock = (addresses(memory, torch.zeros(4), entries) for entries in ([1, 2], [0]))
    added = [both(adding(memory, lock), storing(memory, where, each), adding(memory, lock)) for each in (1, 2)]
    assert not run(memory, *added)
    late = [both(adding(memory, lock), storing(memory, where, each)) for each in (3, 4)]
    assert run(memory, *late) == {"race"}


def test_launches_are_in_order(memory):
    where = addresses(memory, torch.zeros(4), [1, 2])
    for value in (1, 2):
        assert not run(memory, storing(memory, where, value), lambda: None)


def test_more_accesses_than_there_was_room_for_at_first():
    order = ProgramOrder()
    entries = np.array([0])
    for _ in range(200):
        assert order.note("load", ("x", 4), entries, 0, "here") is None
    assert order.note("store", ("x", 4), entries, 1, "there").place == "here"

"""Engine: pytest asks every (property × implementation × device × dtype) as an item of its own, in worker processes."""

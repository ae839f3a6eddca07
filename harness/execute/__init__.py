"""Execute: every (property × implementation × device × dtype) is asked in a worker process, and its answer is an event."""

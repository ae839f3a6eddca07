"""Operations: one file per family of the catalogue, definition and implementations, nothing else."""

"""Generate: cases that are worth trying, each rebuilt from its recorded parameters alone."""

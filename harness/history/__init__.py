"""History: earlier runs, what they were comparable with, and what has changed since."""

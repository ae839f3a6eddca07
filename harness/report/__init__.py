"""Report: listeners that turn the stream of events into what people read."""

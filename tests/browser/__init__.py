"""The report in a real browser, as the people read it who open it: from a file, without a network."""

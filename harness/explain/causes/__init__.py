"""Causes that practice knows, one subject a module. Within a module and over them, the plainer ones come first."""

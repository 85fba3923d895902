"""Showing a report: in the terminal, as a web page, as tables. Nothing here decides anything."""

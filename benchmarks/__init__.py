"""Measurements of accuracy and speed. Each prints a table and ends with one line of JSON."""

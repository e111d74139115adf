"""Drawn streets with exact labels: data that needs no download."""

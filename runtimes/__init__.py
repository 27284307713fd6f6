"""Runtimes and exporters."""

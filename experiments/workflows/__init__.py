"""One module a command: load, call the parts, track, return a result.

This is the one place where the parts meet MLflow and figures.
"""

"""One module a command: load, call the parts, track, return a result. The one place where parts meet MLflow and figures."""

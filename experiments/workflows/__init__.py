"""One module or package per command: load, compute, record, return a result.

A package has fixed roles: `run` (the public function), `record` (what the command writes to MLflow and reads back) and,
where it exists, `pipeline` (order and caching of the computations). Computations themselves live below.
"""

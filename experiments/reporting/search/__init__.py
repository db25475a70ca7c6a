"""Hyperparameter searches: importance of the hyperparameters, and the page of Optuna's interactive figures."""

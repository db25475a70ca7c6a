"""Experiments on handwritten-digit classifiers: data, networks, training, evaluation, tracking."""

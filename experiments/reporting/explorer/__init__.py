"""The explorer of a feature space: one offline page with a rotating cloud of all digits."""

from experiments.reporting.explorer.page import ExplorerData, explorer_page

__all__ = ["ExplorerData", "explorer_page"]

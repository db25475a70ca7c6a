"""`digits transfer`."""

from experiments.workflows.transfer.run import TransferOptions, TransferResult, transfer_networks

__all__ = ["TransferOptions", "TransferResult", "transfer_networks"]

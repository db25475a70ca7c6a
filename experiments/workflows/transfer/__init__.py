"""`digits transfer`."""

from experiments.workflows.transfer.run import TransferOptions, TransferResult, transfer

__all__ = ["TransferOptions", "TransferResult", "transfer"]

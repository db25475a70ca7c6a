"""The published datasets by name.

>>> PUBLISHED["usps"].sizes
(7291, 2007)
"""

from experiments.datasets.published.mnist import MNIST
from experiments.datasets.published.published_dataset import PublishedDataset
from experiments.datasets.published.uci import UCI
from experiments.datasets.published.usps import USPS

PUBLISHED: dict[str, PublishedDataset] = {published.name: published for published in (MNIST, USPS, UCI)}
"""Each published dataset by its name. The order is that of tables and help texts."""

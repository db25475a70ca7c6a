"""Publish a network as an ONNX file with its model card: what it is, how it was made, and how well it reads."""

import textwrap
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments import results
from experiments.errors import DigitsError
from experiments.execution import Progress
from experiments.inference.network import Network, Settings
from experiments.models import architecture
from experiments.tracking import Store, results_table
from experiments.tracking.past_runs import PastRun, past_run
from experiments.tracking.references import onnx_file, resolve_reference

if TYPE_CHECKING:
    import pandas as pd

WIDTH = 120
CARD = """# {name}: a network that reads digits in pictures

{summary}; {parameters:,} parameters, {kilobytes:,} kB.

It reads digits that `experiments.pictures` has found in a picture and brought to MNIST's form: \
float32 (n, 28, 28, 1) in [0, 1], light ink on dark paper. \
Its outputs are `logits`, float32 (n, 10), and `features`, float32 (n, d).

## How it was made

* Data: the training digits of {data}, of which {validation:.0%} were held out for validation, and images of what is \
no digit, synthesized from them and from strokes (`experiments/training/outsiders.py`), {outsiders:.0%} as many. \
Nobody else's pictures were used.
* Command: `{command}`, at commit {commit}, in {minutes:.0f} minutes on {machine}.
* Recipe: {recipe}.
* Calibration: temperature {temperature:.3f}; a score below {min_score:.2f} counts as no digit. Both were fitted on \
augmented validation digits, of which 1 % are rejected.

## How well it reads

| test set | accuracy | 95 % interval | digits |
|---|---|---|---|
{tests}

The test sets were not used to choose anything. `benchmarks/reading.py` measures how it does with whole pictures.

## Limits

It knows the ten digits as people write them in MNIST (United States) and USPS. It has seen no printed digits, no \
digits of other scripts and no photographs. Letters that look like digits (O, I, S, Z, B) are read as digits.
"""


@dataclass(frozen=True)
class CardResult:
    """A published network: the suite's run, and the paths of its file and its card."""

    run_id: str
    network: str
    card: str

    def to_json(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return asdict(self)


def publish(
    store: Store, reference: str, tests: Sequence[str], output: Path, progress: Progress, parent: str
) -> CardResult:
    """Write the ONNX file of a registered version, ``NAME.onnx``, and its card, ``NAME.md``, to a folder.

    Parameters
    ----------
    tests
        Ids of the runs that tested it.
    parent
        Id of the suite's run.

    Raises
    ------
    DigitsError
        If a run or its results are gone from the store.
    """
    progress.stage("publish the network and its card")
    found = resolve_reference(store, reference)
    training = past_run(store, found.run_id or "")
    if training is None:
        raise DigitsError(f"the run that trained {reference} is gone from the store")
    content = onnx_file(store, found).read_bytes()
    accuracies = _accuracies(store, tests)
    name = training.params["model"]
    output.mkdir(parents=True, exist_ok=True)
    network, card = output / f"{name}.onnx", output / f"{name}.md"
    network.write_bytes(content)
    card.write_text(_card(training, Network(content).settings, accuracies, len(content)), encoding="utf-8")
    return CardResult(parent, str(network), str(card))


def _card(training: PastRun, settings: Settings, tests: "pd.DataFrame", size_bytes: int) -> str:
    network = architecture(training.params["model"])
    recipe = network.recipe
    text = CARD.format(
        name=network.name,
        summary=network.summary,
        parameters=network.parameters,
        kilobytes=round(size_bytes / 1000),
        data=" and ".join((training.params["dataset"], *network.also)),
        validation=float(training.params["validation"]),
        outsiders=float(training.params["outsiders"]),
        command=training.command,
        commit=training.commit[:7] or "unknown",
        minutes=training.metrics[results.TRAIN_SECONDS] / 60,
        machine=training.machine,
        recipe=", ".join(f"{key} {training.params[key]}" for key in recipe.params() if key in training.params),
        temperature=settings.temperature,
        min_score=settings.min_score,
        tests="\n".join(
            f"| {row.target} | {row.value:.2%} | {row.low:.2%} to {row.high:.2%} | {row.n:,.0f} |"
            for row in tests.itertuples()
        ),
    )
    return "\n".join(_wrapped(line) for line in text.splitlines()) + "\n"


def _wrapped(line: str) -> str:
    """Wrap a line of Markdown, but no row of a table."""
    if line.startswith("|"):
        return line
    return textwrap.fill(line, WIDTH, subsequent_indent="  " if line.startswith("*") else "")


def _accuracies(store: Store, run_ids: Sequence[str]) -> "pd.DataFrame":
    """Return the rows of accuracies on whole test splits."""
    import pandas as pd

    table = pd.concat([results_table(store, run_id) for run_id in run_ids])
    return table[(table["metric"] == results.ACCURACY) & (table["split"] == "test") & (table["group"].fillna("") == "")]

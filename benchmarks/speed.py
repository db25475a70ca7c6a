"""Images a second: `cnn` against the same network in plain Keras and plain PyTorch."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from importlib.util import find_spec
from multiprocessing import get_context

from benchmarks.measures import ratio, spread
from benchmarks.plan import Plan
from benchmarks.report import Finding, Report
from benchmarks.turns import take_turns, train_cnn
from experiments.datasets import Split
from experiments.models import MODELS
from experiments.training import resolve_precision

CNN = MODELS["cnn"]
OURS, OURS_FLOAT32 = "digits", "digits, float32"
KERAS, KERAS_WITHOUT_XLA = "Keras, float32", "Keras, float32, XLA off"
TORCH = {"PyTorch, float32": False, "PyTorch, bfloat16 autocast": True}
EXPECTED = 2.0  # times Keras's rate, on a processor with AMX
NO_AUGMENTATION = {"rotation": 0, "zoom": 0, "shift": 0}


def measure(plan: Plan) -> Report:
    """Train every side in turns, without augmentation."""
    return report(plan, take_turns(_sides(plan), len(plan.train), plan.rounds, plan.say))


def report(plan: Plan, rates: Mapping[str, Sequence[float]]) -> Report:
    """Set the rates of each side beside each other."""
    ratios = {name: ratio(rates[OURS], values) for name, values in rates.items()}
    against_keras = ratios[KERAS]
    precision = resolve_precision(CNN.recipe.precision)
    return Report(
        title=f"Training cnn (digits: {precision}) on {plan.images}, batches of {CNN.recipe.batch_size}, "
        f"{plan.rounds} rounds of {plan.epochs} epochs, the first of each not counted",
        headers=("side", "images/s", "digits / side"),
        rows=tuple((name, f"{spread(values):,.0f}", f"{ratios[name]:.2f}") for name, values in rates.items()),
        findings=(
            Finding(
                f"cnn trains {against_keras:.2f} times as fast as in Keras",
                f"at least {EXPECTED} with AMX",
                against_keras.median >= EXPECTED if plan.machine.has_amx else None,
            ),
        ),
        numbers={"images_per_second": rates, "ratios": {name: value.median for name, value in ratios.items()}},
    )


def _sides(plan: Plan) -> dict[str, Callable[[], Sequence[float]]]:
    from benchmarks import keras_peer

    _require_same(keras_peer.weight_shapes(keras_peer.plain_cnn()), keras_peer.weight_shapes(CNN.build(CNN.recipe)))
    sides: dict[str, Callable[[], Sequence[float]]] = {
        OURS: partial(train_cnn, plan, NO_AUGMENTATION),
        OURS_FLOAT32: partial(train_cnn, plan, {**NO_AUGMENTATION, "precision": "float32"}),
        KERAS: partial(keras_peer.train_cnn, plan.train, CNN.recipe.batch_size, plan.epochs),
        KERAS_WITHOUT_XLA: partial(
            keras_peer.train_cnn, plan.train, CNN.recipe.batch_size, plan.epochs, jit_compile=False
        ),
    }
    if find_spec("torch"):
        for name, bfloat16 in TORCH.items():
            sides[name] = partial(_train_torch_apart, plan, bfloat16)
    return sides


def _train_torch_apart(plan: Plan, bfloat16: bool) -> list[float]:
    """Train in a process of its own, where PyTorch's threads have the cores to themselves."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(_train_torch, plan.train, plan.epochs, bfloat16).result()


def _train_torch(train: Split, epochs: int, bfloat16: bool) -> list[float]:
    from benchmarks import torch_peer

    network = torch_peer.plain_cnn()
    _require_same(torch_peer.parameters(network), CNN.parameters)
    return torch_peer.train(network, train, batch_size=CNN.recipe.batch_size, epochs=epochs, bfloat16=bfloat16)


def _require_same(peer: object, ours: object) -> None:
    if peer != ours:
        raise ValueError(f"the peer's network is another one than cnn: {peer} against {ours}")

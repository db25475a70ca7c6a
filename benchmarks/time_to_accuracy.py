"""Time to 99 % test accuracy: `fast` against the "Simple MNIST convnet" of the Keras documentation."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from time import perf_counter

from benchmarks.measures import ratio, spread
from benchmarks.plan import Plan
from benchmarks.report import Finding, Report
from experiments import datasets
from experiments.models import MODELS

FAST = MODELS["fast"]
EXPECTED = 12.0  # times as soon, on a processor with AMX
MAX_ATTEMPTS = 4
MAX_EPOCHS = 30
WARM_UP_IMAGES = 1000


@dataclass(frozen=True)
class Course:
    """How one side came to the target with one seed.

    Attributes
    ----------
    seconds, accuracies
        Time taken and test accuracy, one after another: of each epoch of the Keras example, which trains on; of each
        attempt of `fast`, the first of one epoch, the next of two from the start, and so on.
    """

    seed: int
    seconds: tuple[float, ...]
    accuracies: tuple[float, ...]

    @property
    def total(self) -> float:
        """Time of all of it, failed attempts included."""
        return sum(self.seconds)

    @property
    def epochs(self) -> int:
        """Epochs that the network with the last accuracy was trained for."""
        return len(self.seconds)

    def __str__(self) -> str:
        steps = ", ".join(f"{accuracy:.2%}" for accuracy in self.accuracies)
        return f"seed {self.seed}, {self.total:.1f} s, test accuracy {steps}"

    def reached(self, target: float) -> bool:
        """Tell whether the last accuracy is at least `target`."""
        return self.accuracies[-1] >= target


def measure(plan: Plan) -> Report:
    """Let both sides train in turns, once a seed, after a warm-up of both."""
    warm_up = replace(plan, train=datasets.sample(plan.train, WARM_UP_IMAGES))
    train_fast(warm_up, seed=0, max_attempts=1)
    _train_peer(warm_up, seed=0, max_epochs=1)
    ours, peers = [], []
    for seed in range(plan.rounds):
        ours.append(train_fast(plan, seed, MAX_ATTEMPTS))
        plan.say(f"fast: {ours[-1]}")
        peers.append(_train_peer(plan, seed, MAX_EPOCHS))
        plan.say(f"Keras example: {peers[-1]}")
    return report(plan, ours, peers)


def train_fast(plan: Plan, seed: int, max_attempts: int) -> Course:
    """Train `fast` by its recipe; if it falls short of the target, train it anew for one epoch more.

    The clock runs from before the network is built and stands while the test accuracy is measured.
    """
    from experiments.models.prediction import predict
    from experiments.training import fit

    course = Course(seed, (), ())
    for epochs in range(1, max_attempts + 1):
        start = perf_counter()
        fitted = fit(FAST, FAST.recipe.override({"seed": seed, "epochs": epochs}), plan.train, plan.validation)
        seconds = perf_counter() - start
        accuracy = float((predict(fitted.model, plan.test).argmax(axis=1) == plan.test.labels).mean())
        course = Course(seed, (*course.seconds, seconds), (*course.accuracies, accuracy))
        if course.reached(plan.target):
            break
    return course


def _train_peer(plan: Plan, seed: int, max_epochs: int) -> Course:
    from benchmarks.keras_peer import train_convnet

    return train_convnet(plan.train, plan.validation, plan.test, seed=seed, target=plan.target, max_epochs=max_epochs)


def report(plan: Plan, ours: Sequence[Course], peers: Sequence[Course]) -> Report:
    """Set the two sides beside each other, a row a seed."""
    sooner = ratio([course.total for course in peers], [course.total for course in ours])
    short = sum(not course.reached(plan.target) for course in [*ours, *peers])
    enough = short == 0 and sooner.median >= EXPECTED
    missing = f" ({short} of {2 * len(ours)} never got there, their time so far is counted)" if short else ""
    return Report(
        title=f"Time to {plan.target:.1%} test accuracy on {plan.images}: digits fast against the Simple MNIST convnet",
        headers=("seed", "fast after 1 epoch", "fast", "its epochs", "Keras example", "its epochs", "ratio"),
        rows=(*map(_row, ours, peers), _medians(ours, peers)),
        findings=(
            Finding(
                f"fast is there {sooner:.1f} times as soon{missing}",
                f"at least {EXPECTED:.0f} with AMX",
                enough if plan.machine.has_amx else None,
            ),
        ),
        numbers={
            "target": plan.target,
            "fast": [asdict(course) for course in ours],
            "keras": [asdict(course) for course in peers],
            "ratio": sooner.median,
        },
    )


def _row(ours: Course, peer: Course) -> tuple[str, ...]:
    return (
        str(ours.seed),
        f"{ours.accuracies[0]:.2%}",
        f"{ours.total:.1f} s",
        str(ours.epochs),
        f"{peer.total:.1f} s",
        str(peer.epochs),
        f"{peer.total / ours.total:.1f}",
    )


def _medians(ours: Sequence[Course], peers: Sequence[Course]) -> tuple[str, ...]:
    fast, keras = spread([course.total for course in ours]), spread([course.total for course in peers])
    first = spread([course.accuracies[0] for course in ours])
    return (
        "median",
        f"{first.median:.2%}",
        f"{fast.median:.1f} s",
        "",
        f"{keras.median:.1f} s",
        "",
        f"{keras.median / fast.median:.1f}",
    )

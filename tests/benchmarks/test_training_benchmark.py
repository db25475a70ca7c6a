import json
import os
import subprocess
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import augmentation, memory, speed, time_to_accuracy, tracking, training, turns
from benchmarks.machine import Machine, this_machine
from benchmarks.measures import images_per_second, ratio, share, spread
from benchmarks.plan import Plan, load_splits
from benchmarks.project import temporary_project
from benchmarks.time_to_accuracy import Course
from benchmarks.turns import TrainingClock, take_turns
from experiments.models import MODELS
from experiments.training import Epoch

AMX = Machine("a processor", 8, ("amx_bf16", "avx2"), "3.11", {"keras": "3"}, "abc", 0.0)
NO_AMX = replace(AMX, instructions=("avx2",))
SIMPLE_MNIST_CONVNET_PARAMETERS = 34_826  # as the Keras documentation prints them
EPOCH = Epoch(1, 0.1, 0.9, 0.1, 0.9, 1e-3, 1.0)


@pytest.fixture(scope="module")
def plan() -> Plan:
    train, validation, test = load_splits("uci", 200)
    return Plan("uci", train, validation, test, 2, 3, 0.99, 200, AMX, lambda _: None)


def test_the_first_epoch_does_not_count_in_the_rate() -> None:
    assert images_per_second(100, [9.0, 1.0, 3.0]) == 50.0
    with pytest.raises(ValueError, match="1"):
        images_per_second(100, [9.0])


@given(st.lists(st.tuples(st.floats(1, 1e5), st.floats(1, 1e5)), min_size=1, max_size=9))
def test_a_ratio_is_that_of_the_medians_and_lies_between_those_of_the_rounds(rounds: list[tuple[float, float]]) -> None:
    above, below = np.transpose(rounds)
    found = ratio(above.tolist(), below.tolist())
    assert found.median == pytest.approx(np.median(above) / np.median(below))
    assert (found.low, found.high) == pytest.approx(((above / below).min(), (above / below).max()))
    with pytest.raises(ValueError, match="shorter"):
        ratio([*above, 1.0], [*below])


def test_a_share_is_what_the_rate_lacks_and_is_written_with_its_ends_unless_they_are_equal() -> None:
    found = share([70.0, 60.0, 80.0], [100.0, 100.0, 100.0])
    assert (found.median, found.low, found.high) == pytest.approx((0.3, 0.2, 0.4))
    assert f"{spread([2.0, 1.0, 4.0]):.1f}" == "2.0 (1.0 to 4.0)"
    assert f"{spread([2.0]):.1f}" == "2.0"


def test_the_sides_take_turns() -> None:
    order: list[str] = []

    def side(name: str, seconds: float) -> list[float]:
        order.append(name)
        return [100.0, seconds, seconds]

    found = take_turns({"a": lambda: side("a", 2.0), "b": lambda: side("b", 4.0)}, 8, 2, lambda _: None)
    assert order == ["a", "b", "a", "b"]
    assert found == {"a": [4.0, 4.0], "b": [2.0, 2.0]}


def test_the_training_clock_leaves_validation_out(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter([0.0, 2.0, 5.0, 6.0, 8.0, 9.5, 11.0])  # begin; two batches, validated; two batches, validated
    monkeypatch.setattr(turns, "perf_counter", lambda: next(now))
    clock = TrainingClock()
    for batch in (1, 2):
        clock.on_step(batch, 4)
    clock.on_epoch(EPOCH)
    for batch in (3, 4):
        clock.on_step(batch, 4)
    clock.on_epoch(EPOCH)
    assert clock.seconds == [5.0, 3.5]


@pytest.mark.parametrize(("machine", "met"), [(AMX, True), (NO_AMX, None)])
def test_the_ratio_to_keras_is_only_asked_of_a_processor_with_amx(
    plan: Plan, machine: Machine, met: bool | None
) -> None:
    measured = {speed.OURS: [20.0, 22.0], speed.KERAS: [10.0, 10.0], "PyTorch, float32": [5.0, 5.0]}
    report = speed.report(replace(plan, machine=machine), measured)
    assert [row[0] for row in report.rows] == list(measured)
    assert report.rows[2][2] == "4.20 (4.00 to 4.40)"
    assert report.numbers["ratios"][speed.KERAS] == pytest.approx(2.1)
    assert report.findings[0].met is met


def test_failed_attempts_count_in_the_time_to_accuracy(plan: Plan) -> None:
    ours = [Course(0, (2.0, 3.0), (0.98, 0.991))]
    peers = [Course(0, (20.0, 20.0, 20.0), (0.97, 0.98, 0.99))]
    report = time_to_accuracy.report(plan, ours, peers)
    assert report.rows[0] == ("0", "98.00%", "5.0 s", "2", "60.0 s", "3", "12.0")
    assert report.rows[-1][0] == "median"
    assert report.numbers["ratio"] == 12.0
    assert report.findings[0].met is True
    # One that never gets there misses what is expected.
    report = time_to_accuracy.report(plan, [Course(0, (2.0,), (0.98,))], [Course(0, (60.0,), (0.99,))])
    assert "1 of 2" in report.findings[0].text
    assert report.findings[0].met is False


def test_shares_and_sizes_are_held_against_their_bounds(plan: Plan) -> None:
    for rate, met in ((71.0, True), (69.0, False)):
        report = augmentation.report(plan, {augmentation.WITH: [rate], augmentation.WITHOUT: [100.0]})
        assert report.findings[0].met is met
    report = tracking.report(plan, [5.0, 0.01, 0.03], [10.0, 1.0, 1.0])  # the first epoch does not count
    assert (report.numbers["share"], report.findings[0].met) == (pytest.approx(0.02), False)
    report = memory.report(plan, 2_400_000_000)
    assert (report.rows[0][1], report.findings[0].met) == ("2.40 GB", True)


def test_peak_memory_is_that_of_the_command_and_not_of_the_caller(capfd: pytest.CaptureFixture[str]) -> None:
    held = np.ones(50_000_000)  # 400 MB
    peak = memory.peak_memory([sys.executable, "-c", "b'x' * 200_000_000"])
    assert 200e6 < peak < 300e6
    assert held.nbytes > peak
    # One that fails has none.
    with pytest.raises(subprocess.CalledProcessError):
        memory.peak_memory([sys.executable, "-c", "print('why'); raise SystemExit(3)"])
    assert "why" in capfd.readouterr().err


def test_a_temporary_project_leaves_the_environment_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_RUN_ID", "theirs")
    before = dict(os.environ)
    with temporary_project():
        folder = Path(os.environ["DIGITS_HOME"])
        assert os.environ["MLFLOW_TRACKING_URI"] == f"sqlite:///{folder}/mlflow.db"
        assert "MLFLOW_RUN_ID" not in os.environ
    assert dict(os.environ) == before
    assert not folder.exists()


def test_the_machine_is_read_from_its_first_processor(tmp_path: Path) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("model name\t: Fast: 3 GHz\nflags\t\t: fpu avx2 amx_bf16\n\nmodel name\t: other\nflags\t: fpu\n")
    machine = this_machine(cpuinfo)
    assert machine.processor == "Fast: 3 GHz"
    assert machine.instructions == ("amx_bf16", "avx2")
    assert machine.has_amx
    assert not this_machine(tmp_path / "absent").has_amx


def test_the_peers_are_the_published_networks_and_the_same_as_ours() -> None:
    from benchmarks import keras_peer

    assert keras_peer.simple_mnist_convnet().count_params() == SIMPLE_MNIST_CONVNET_PARAMETERS
    cnn, plain = MODELS["cnn"], keras_peer.plain_cnn()
    assert plain.count_params() == cnn.parameters
    assert keras_peer.weight_shapes(plain) == keras_peer.weight_shapes(cnn.build(cnn.recipe))
    if find_spec("torch"):
        from benchmarks import torch_peer

        assert torch_peer.parameters(torch_peer.plain_cnn()) == cnn.parameters


@pytest.mark.parametrize("arguments", [["--epochs", "1"], ["--rounds", "0"], ["--only", "nothing"]])
def test_what_cannot_be_measured_is_refused(arguments: list[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        training.main(arguments)


@pytest.mark.slow
def test_everything_is_measured_printed_and_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = tmp_path / "numbers.json"
    small = ["--dataset", "uci", "--limit", "300", "--rounds", "1", "--epochs", "2", "--target", "0.2"]
    training.main([*small, "--json", str(kept)])
    numbers = json.loads(kept.read_text())
    assert set(training.BENCHMARK.measurements) < set(numbers)
    assert numbers["speed"]["ratios"][speed.OURS] == 1.0
    assert all(rate > 0 for values in numbers["speed"]["images_per_second"].values() for rate in values)
    assert numbers["time-to-accuracy"]["keras"][0]["accuracies"][-1] >= 0.2
    assert len(numbers["tracking"]["recording_seconds"]) == 2
    assert numbers["memory"]["peak_bytes"] > 100e6
    printed = capsys.readouterr().out
    assert numbers["machine"]["commit"] in printed
    assert printed.count("; expected ") == len(training.BENCHMARK.measurements)

"""Where studies are kept may be out of reach, damaged or locked: one line says so, soon, and without a password."""

import os
import socket
from pathlib import Path
from time import monotonic

import optuna
import pytest

from experiments.errors import DigitsError, UsageError
from experiments.tuning import storage
from experiments.tuning.storage import LOCK_SECONDS, REACH_SECONDS, open_storage

PASSWORD = "geheim-9"


def refusal(place: str, kind: type[DigitsError]) -> str:
    """Return why a place is refused: in one line, which does not tell the password."""
    with pytest.raises(DigitsError) as caught:
        open_storage(place)
    message = str(caught.value)
    assert type(caught.value) is kind
    assert "\n" not in message
    assert PASSWORD not in message
    return message


def filled(file: Path) -> None:
    """Keep a study with four trials in a journal."""
    study = optuna.create_study(study_name="s", storage=open_storage(str(file)), direction="maximize")
    for number in range(4):
        trial = study.ask()
        trial.report(number, 1)
        study.tell(trial, number)


def trials(file: Path) -> int:
    return len(optuna.load_study(study_name="s", storage=open_storage(str(file))).trials)


@pytest.mark.parametrize("scheme", ["postgresql+psycopg", "postgresql"])
def test_a_database_that_does_not_answer_is_refused_soon(scheme: str) -> None:
    pytest.importorskip("psycopg")
    start = monotonic()
    message = refusal(f"{scheme}://u:{PASSWORD}@127.0.0.1:1/x", DigitsError)
    assert message.startswith(f"cannot reach the study's database {scheme}://u:***@127.0.0.1:1/x: ")
    assert monotonic() - start < REACH_SECONDS + 2


def test_a_database_that_is_reached_but_stays_silent_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("psycopg")
    monkeypatch.setattr(storage, "REACH_SECONDS", 2)  # the least that PostgreSQL's library takes
    with socket.create_server(("127.0.0.1", 0)) as server:
        start = monotonic()
        message = refusal(f"postgresql+psycopg://u:{PASSWORD}@127.0.0.1:{server.getsockname()[1]}/x", DigitsError)
        assert "time" in message
        assert 2 <= monotonic() - start < 9


@pytest.mark.parametrize("scheme", ["mysql", "oracle", "nonsense", "http"])
def test_a_database_without_its_driver_is_answered_with_how_to_install_one(scheme: str) -> None:
    message = refusal(f"{scheme}://u:{PASSWORD}@127.0.0.1/x", UsageError)
    assert message == (
        f"there is no driver for {scheme}://u:***@127.0.0.1/x; "
        "for PostgreSQL: pip install -e '.[postgresql]' in the checkout, and postgresql+psycopg://"
    )


@pytest.mark.parametrize("url", ["://", "://host/x", " ://x"])
def test_what_is_no_url_is_answered_with_one(url: str) -> None:
    message = refusal(url, UsageError)
    assert message == f"{url!r} is not a database URL such as postgresql+psycopg://USER:PASSWORD@HOST/NAME"


@pytest.mark.parametrize("port", ["port", "5432a"])
def test_a_port_that_is_no_number_is_refused(port: str) -> None:
    refusal(f"postgresql+psycopg://u:{PASSWORD}@host:{port}/name", UsageError)


def test_the_password_in_what_is_no_url_is_not_repeated() -> None:
    refusal(f"://u:{PASSWORD}@host/x", UsageError)


def test_a_database_file_in_no_folder_is_refused(tmp_path: Path) -> None:
    message = refusal(f"sqlite:///{tmp_path}/none/study.db", DigitsError)
    assert message.endswith("study.db: unable to open database file")


def test_a_database_file_keeps_a_study(tmp_path: Path) -> None:
    place = f"sqlite:///{tmp_path}/study.db"
    optuna.create_study(study_name="s", storage=open_storage(place))
    assert optuna.get_all_study_names(open_storage(place)) == ["s"]


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "study.db").write_text("no database\n" * 100)
    assert "file is not a database" in refusal(f"sqlite:///{tmp_path}/study.db", DigitsError)


def test_a_journal_is_made_with_its_folders_and_opened_again(tmp_path: Path) -> None:
    file = tmp_path / "a" / "b" / "study.journal"
    filled(file)
    assert trials(file) == 4


@pytest.mark.parametrize(
    "garbage",
    [b"\0\0\0\0\n", b"\xff\xfe\x00garbage\n", b"{\n", b"[]\n", b"null\n", b"17\n", b"{}\n", b"\n", b'{"op_code"'],
)
def test_a_journal_with_garbage_in_its_middle_is_refused_by_name(garbage: bytes, tmp_path: Path) -> None:
    file = tmp_path / "study.journal"
    filled(file)
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join([*lines[:6], garbage, *lines[6:]]))
    message = refusal(str(file), DigitsError)
    assert message.startswith(f"the journal {file} is damaged (")
    assert message.endswith("); move it away, or use another name with --study NAME")


@pytest.mark.parametrize("kept", [1, 10, -2])
def test_a_journal_whose_last_entry_was_cut_off_is_gone_on_with_or_refused(kept: int, tmp_path: Path) -> None:
    file = tmp_path / "study.journal"
    filled(file)
    *lines, last = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join([*lines, last[:kept]]))
    try:
        study = optuna.load_study(study_name="s", storage=open_storage(str(file)))
    except DigitsError:
        return
    for _ in range(2):
        study.tell(study.ask(), 0.5)
    assert trials(file) == 6


def test_a_folder_is_no_journal(tmp_path: Path) -> None:
    assert refusal(str(tmp_path), DigitsError) == f"cannot use the journal {tmp_path}: Is a directory"


def test_a_file_is_no_folder_for_a_journal(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert refusal(str(tmp_path / "file" / "study.journal"), DigitsError).startswith("cannot use the journal ")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "read-only").mkdir(mode=0o500)
    file = tmp_path / "read-only" / "study.journal"
    assert refusal(str(file), DigitsError) == f"cannot use the journal {file}: Permission denied"


@pytest.mark.slow
def test_the_lock_of_a_process_that_was_killed_is_broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "LOCK_SECONDS", 3)
    file = tmp_path / "study.journal"
    filled(file)
    Path(f"{file}.lock").touch()
    start = monotonic()
    study = optuna.load_study(study_name="s", storage=open_storage(str(file)))
    study.tell(study.ask(), 0.5)
    assert 3 <= monotonic() - start < 9
    assert not Path(f"{file}.lock").exists()
    assert trials(file) == 5


def test_nobody_waits_long() -> None:
    assert REACH_SECONDS <= 10
    assert LOCK_SECONDS <= 10


def test_reading_does_not_wait_for_a_lock(tmp_path: Path) -> None:
    file = tmp_path / "study.journal"
    filled(file)
    Path(f"{file}.lock").touch()
    start = monotonic()
    assert trials(file) == 4
    assert monotonic() - start < LOCK_SECONDS / 2

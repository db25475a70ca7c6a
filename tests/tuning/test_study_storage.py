"""Where studies are kept may be out of reach, damaged or locked: one line says so, soon, and without a password."""

import os
import socket
from pathlib import Path

import optuna
import pytest

from experiments.errors import DigitsError, UsageError
from experiments.tuning import storage
from experiments.tuning.storage import open_storage

LOGIN = "u:geheim-9@"


def refusal(place: str, kind: type[DigitsError]) -> str:
    """Return why a place is refused: in one line, which does not tell the password."""
    with pytest.raises(DigitsError) as caught:
        open_storage(place)
    message = str(caught.value)
    assert type(caught.value) is kind
    assert "\n" not in message
    assert "geheim" not in message
    return message


def load_study(file: Path) -> optuna.Study:
    return optuna.load_study(study_name="s", storage=open_storage(str(file)))


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """Return a journal, in folders that were made for it, with a study of four trials."""
    file = tmp_path / "a" / "b" / "study.journal"
    study = optuna.create_study(study_name="s", storage=open_storage(str(file)), direction="maximize")
    for number in range(4):
        trial = study.ask()
        trial.report(number, 1)
        study.tell(trial, number)
    return file


@pytest.mark.slow
def test_a_database_that_is_reached_but_stays_silent_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("psycopg")
    monkeypatch.setattr(storage, "REACH_SECONDS", 2)  # the least that PostgreSQL's library takes
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"postgresql+psycopg://{LOGIN}127.0.0.1:{server.getsockname()[1]}/x"
        assert "time" in refusal(url, DigitsError)


DRIVER = "pip install -e '.[postgresql]' in the checkout, and postgresql+psycopg://"
EXAMPLE = "postgresql+psycopg://USER:PASSWORD@HOST/NAME"


@pytest.mark.parametrize(
    ("url", "shown", "remedy"),
    [
        *((f"{scheme}://{LOGIN}h/x", f"{scheme}://u:***@h/x; ", DRIVER) for scheme in ("mysql", "nonsense", "http")),
        ("://", "'://'", EXAMPLE),
        ("://host/x", "'://host/x'", EXAMPLE),
        (" ://x", "' ://x'", EXAMPLE),
        (f"://{LOGIN}host/x", "'://u:***@host/x'", EXAMPLE),
        (f"postgresql+psycopg://{LOGIN}host:port/name", "u:***@host:port/name'", EXAMPLE),
        (f"postgresql+psycopg://{LOGIN}host:5432a/name", "u:***@host:5432a/name'", EXAMPLE),
    ],
)
def test_what_is_no_url_or_has_no_driver_is_answered_with_what_to_do(url: str, shown: str, remedy: str) -> None:
    message = refusal(url, UsageError)
    assert shown in message
    assert message.endswith(remedy)


def test_a_database_file_in_no_folder_or_that_is_no_database_is_refused(tmp_path: Path) -> None:
    assert "study.db: unable to open" in refusal(f"sqlite:///{tmp_path}/none/study.db", DigitsError)
    (tmp_path / "study.db").write_text("no database\n" * 100)
    assert "study.db: file is not a database" in refusal(f"sqlite:///{tmp_path}/study.db", DigitsError)


@pytest.mark.parametrize(
    "garbage",
    [b"\0\0\0\0\n", b"\xff\xfe\x00garbage\n", b"{\n", b"[]\n", b"null\n", b"17\n", b"{}\n", b"\n", b'{"op_code"'],
)
def test_a_journal_with_garbage_in_its_middle_is_refused_by_name(garbage: bytes, journal: Path) -> None:
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join([*lines[:6], garbage, *lines[6:]]))
    message = refusal(str(journal), DigitsError)
    assert f"the journal {journal} is damaged" in message
    assert message.endswith("--study NAME")


@pytest.mark.parametrize("kept", [1, 10, -2])
def test_the_last_entry_of_a_journal_that_was_cut_off_is_dropped(kept: int, journal: Path) -> None:
    *lines, last = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join([*lines, last[:kept]]))
    study = load_study(journal)
    for _ in range(2):
        study.tell(study.ask(), 0.5)
    states = [trial.state.name for trial in load_study(journal).trials]
    assert states == ["COMPLETE"] * 3 + ["RUNNING"] + ["COMPLETE"] * 2


def test_what_cannot_be_a_journal_is_refused(tmp_path: Path) -> None:
    assert f"the journal {tmp_path}: Is a directory" in refusal(str(tmp_path), DigitsError)
    (tmp_path / "file").touch()
    assert "file/study.journal: " in refusal(str(tmp_path / "file" / "study.journal"), DigitsError)
    if os.geteuid():  # root may write anywhere
        (tmp_path / "read-only").mkdir(mode=0o500)
        file = tmp_path / "read-only" / "study.journal"
        assert f"the journal {file}: Permission denied" in refusal(str(file), DigitsError)


@pytest.mark.filterwarnings("ignore:.*grace_period")  # of half a second
def test_the_lock_of_a_process_that_was_killed_is_broken_to_write_and_not_waited_for_to_read(
    journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = Path(f"{journal}.lock")
    lock.touch()
    monkeypatch.setattr(storage, "LOCK_SECONDS", 3600)
    study = load_study(journal)
    assert len(study.trials) == 4
    assert lock.exists()
    monkeypatch.setattr(storage, "LOCK_SECONDS", 0.5)
    study = load_study(journal)
    study.tell(study.ask(), 0.5)
    assert not lock.exists()
    assert len(load_study(journal).trials) == 5

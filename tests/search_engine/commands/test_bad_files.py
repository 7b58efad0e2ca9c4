"""Whatever lies where a command reads or writes: one sentence that names what is wrong, the documented exit status, never a traceback."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from search_engine.catalogue.config import check_new
from search_engine.commands import main, parser
from search_engine.commands.run import run_config
from search_engine.search.continuation import SEARCH
from search_engine.search.local_run import EVENTS, RESULT, STATE, Interrupted, LocalRun

from .bad_files import KINDS, place

ROWS = "*.rows"
COUNT = ["run", "--algorithm", "random", "--space", "sequence", "--budget", "trials=4"]
LONGEST = 700
"""Characters of what is said. The longest name the 26 algorithms that can be chosen."""

Route = Callable[[Path, str], tuple[list[str], dict[str, str]]]


def _config(name: str) -> Route:
    return lambda folder, kind: (["run", str(place(kind, folder, name)), "--out", str(folder / "out")], {})


def _out(folder: Path, kind: str) -> tuple[list[str], dict[str, str]]:
    return [*COUNT, "--out", str(place(kind, folder, "out"))], {}


def _damaged(name: str) -> Route:
    """A run that is to go on, one of whose files is something else now."""

    def route(folder: Path, kind: str) -> tuple[list[str], dict[str, str]]:
        out = folder / "out"
        words = COUNT
        if name == ROWS:
            # A run that is over has none.
            words = [*COUNT[:-1], "trials=100000"]
            run = LocalRun(check_new(run_config(parser().parse_args([*words, "--out", ""]))), folder, out)
            with pytest.raises(Interrupted):
                run.run(stop=lambda: any(out.glob(name)))
        else:
            assert main([*words, "--out", str(out)]) == 0
        [path] = out.glob(name)
        path.unlink()
        if kind != "below a file":
            place(kind, out, path.name)
        return [*words, "--out", str(out), "--resume"], {}

    return route


def _more(name: str) -> Route:
    """A run that is over and is to have more, one of whose files is something else now."""

    def route(folder: Path, kind: str) -> tuple[list[str], dict[str, str]]:
        out = folder / "first"
        assert main([*COUNT, "--out", str(out)]) == 0
        (out / name).unlink()
        if kind != "below a file":
            place(kind, (out / name).parent, (out / name).name)
        return ["more", str(out), "trials=2", "--out", str(folder / "out")], {}

    return route


def _data(command: str) -> Route:
    words = ["check", *COUNT[1:]] if command == "check" else [command]
    return lambda folder, kind: (words, {"NASCOPE_DATA": str(place(kind, folder, "data"))})


def _data_file(*words: str, file: str) -> Route:
    def route(folder: Path, kind: str) -> tuple[list[str], dict[str, str]]:
        path = folder / "data" / file
        path.parent.mkdir(parents=True)
        path = place(kind, path.parent, path.name)
        return ["run", *words, "--out", str(folder / "out")], {"NASCOPE_DATA": str(folder / "data")}

    return route


ROUTES: dict[str, Route] = {
    "the config": _config("config.yaml"),
    "the config, as JSON": _config("config.json"),
    "the folder of results": _out,
    "the state": _damaged(STATE),
    "the rows": _damaged(ROWS),
    "the events": _damaged(EVENTS),
    "the table": _data_file("--algorithm", "random", "--space", "nb201", "--dataset", "nb201_cifar10", "--budget", "trials=2",
                            file="nb201/nb201.npz"),
    **{f"the data folder of {command}": _data(command) for command in ("algorithms", "spaces", "datasets", "events", "catalogue")},
    "the data folder of data": lambda folder, kind: (["data", "list"], {"NASCOPE_OWN": str(place(kind, folder, "own"))}),
    "the data folder of architecture": lambda folder, kind: (["architecture", "1 2", "--space", "sequence", "--set", "space.n=2"],
                                                             _data("check")(folder, kind)[1]),
    "the data folder of more": lambda folder, kind: (["more", str(place(kind, folder, "run"))], {}),
    "the data folder of finish": lambda folder, kind: (["finish", str(place(kind, folder, "run"))], {}),
    "what a longer search begins with": _more(SEARCH),
    "the result of the shorter one": _more(RESULT),
    "the events of the shorter one": _more(EVENTS),
    "the data folder of export": lambda folder, kind: (["export", str(place(kind, folder, "run"))], {}),
    "the data folder of check": lambda folder, kind: (["check", *COUNT[1:]], _data("check")(folder, kind)[1]),
}
MAY_DO = {"the folder of results": {"missing", "folder"}, "the state": {"missing", "below a file"}}
"""Kinds that are right there. Without a state nothing was committed: the run begins anew."""


def test_every_command_has_a_route() -> None:
    [commands] = [action for action in parser()._actions if action.dest == "command"]
    assert isinstance(commands.choices, dict)
    covered = {"run"} | {name.rpartition(" ")[2] for name in ROUTES if name.startswith("the data folder")}
    # Its searches take bundled data, in a folder of their own.
    assert covered == set(commands.choices) - {"contract"}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("route", ROUTES)
def test_one_sentence_and_the_right_status(
    route: str, kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    words, environment = ROUTES[route](tmp_path, kind)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    capsys.readouterr()
    status = main(words)
    said = capsys.readouterr().err
    lines = [line for line in said.splitlines() if not line.startswith("note: ")]
    assert "Traceback" not in said and len(said) < LONGEST, said
    if status == 0:
        assert route.startswith("the data folder") or kind in MAY_DO.get(route, ())
        assert not lines
    else:
        assert status == 2 and len(lines) == 1 and lines[0].startswith("error: "), (status, said)


def test_what_the_config_says_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The reason, not only a refusal."""
    reasons = {
        "folder": "is a folder", "another encoding": "is not UTF-8 text (line 2)", "empty": "is empty",
        "huge": "larger than 1,000,000 bytes",
        "a list": "must hold a mapping of fields (algorithm, space, ...), not a list", "a key twice": "has the key 'budget' twice (line 4)",
        "a key twice in a mapping": "has the key 'trials' twice (line 3)", "a key twice, JSON in YAML": "has the key 'algorithm' twice",
        "not a number": "has budget.samples: nan", "not a number, in the options": "has options.learning_rate: nan",
        "infinite": "has options.learning_rate: inf", "deep": "nested deeper", "aliases that blow up": "holds more than 100,000 values",
        "a long name": "(5,000 characters)", "broken": "is not valid YAML (line 2", "binary": "is not UTF-8 text",
        "control characters": "holds a character that no text has (line 2)",
    }
    for number, (kind, reason) in enumerate(reasons.items()):
        folder = tmp_path / str(number)
        folder.mkdir()
        assert main(["run", str(place(kind, folder, "config.yaml")), "--out", str(folder / "out")]) == 2
        assert reason in capsys.readouterr().err, kind


@pytest.mark.parametrize("name", ["config.yaml", "config.json"])
def test_a_byte_order_mark_and_lines_of_another_system_are_read_as_meant(name: str, tmp_path: Path) -> None:
    values = {"algorithm": "random", "space": "sequence", "budget": {"trials": 4}}
    text = json.dumps(values, indent=1) if name.endswith("json") else "algorithm: random\nspace: sequence\nbudget: {trials: 4}\n"
    (tmp_path / name).write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    assert main(["run", str(tmp_path / name), "--out", str(tmp_path / "out")]) == 0


def test_json_with_a_key_twice_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "config.json").write_text('{"algorithm": "random", "budget": {"trials": 4, "trials": 5}}')
    assert main(["run", str(tmp_path / "config.json"), "--out", str(tmp_path / "out")]) == 2
    assert "has the key 'trials' twice" in capsys.readouterr().err


def test_a_shortened_log_of_events_is_not_filled_with_zeros(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*COUNT, "--out", str(tmp_path / "out")]) == 0
    events = tmp_path / "out" / EVENTS
    shutil.copy(events, tmp_path / "before")
    events.write_bytes(events.read_bytes()[:100])
    assert main([*COUNT, "--out", str(tmp_path / "out"), "--resume"]) == 2
    assert "events.jsonl has 100 bytes where" in capsys.readouterr().err
    assert events.stat().st_size == 100

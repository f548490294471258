"""Applications by name: what is found, and what a mistake is called."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from controller import App, loading
from controller.apps.learning_switch import LearningSwitch
from controller.loading import LoadError, bundled, load

APP = "from controller import App, run\n\n\nclass Mine(App):\n    pass\n"


def written(folder: Path, text: str, name: str = "mine.py") -> str:
    """Write a file for `load`, and return its name."""
    path = folder / name
    path.write_text(text)
    return str(path)


@pytest.fixture(autouse=True)
def _own_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.syspath_prepend(tmp_path)  # for the sake of what is undone afterwards


@pytest.mark.parametrize("name", bundled())
def test_each_bundled_application_loads_and_says_what_it_does(name: str) -> None:
    assert type(load(name)[-1]).__module__ == f"controller.apps.{name}"
    assert bundled()[name].endswith(".")


def test_a_dotted_name_is_a_module() -> None:
    (app,) = load("controller.apps.learning_switch")
    assert isinstance(app, LearningSwitch)


def test_a_file_gives_one_of_each_of_its_own_classes(tmp_path: Path) -> None:
    text = APP + "\n\nfrom controller.apps.hub import Hub\n\n\nclass Other(App):\n    pass\n"
    assert [type(app).__name__ for app in load(written(tmp_path, text))] == ["Mine", "Other"]


def test_a_file_that_calls_run_gives_what_it_runs_and_does_not_run_it(tmp_path: Path) -> None:
    text = APP + "\n\napp = Mine()\napp.name = 'set up'\nrun(app)\n"
    (app,) = load(written(tmp_path, text))
    assert vars(app) == {"name": "set up"}


SERVICE = "from controller import App\n\n\nclass Clock(App):\n    pass\n"
USER = (
    "from controller import App\nfrom clock_app import Clock\n\n\n"
    "class Alarm(App):\n    def __init__(self, clock: Clock) -> None:\n        self.clock = clock\n"
)


@pytest.fixture
def alarm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Write an application that takes another one; return its name."""
    monkeypatch.delitem(sys.modules, "clock_app", raising=False)
    written(tmp_path, SERVICE, "clock_app.py")
    return written(tmp_path, USER, "alarm.py")


def test_an_application_gets_the_one_that_it_takes_which_stands_before_it(alarm: str) -> None:
    clock, user = load(alarm)
    assert [type(clock).__name__, type(user).__name__] == ["Clock", "Alarm"]
    assert vars(user) == {"clock": clock}


def test_applications_share_what_they_take(alarm: str) -> None:
    apps: list[App] = []
    for name in ("clock_app", alarm, alarm):
        apps += load(name, apps)
    assert [type(app).__name__ for app in apps] == ["Clock", "Alarm", "Alarm"]
    assert vars(apps[1])["clock"] is vars(apps[2])["clock"] is apps[0]


@pytest.mark.parametrize("head", ["", "from __future__ import annotations\n"])
def test_options_may_stand_in_the_class_that_takes_them(head: str, tmp_path: Path) -> None:
    text = head + (
        "from controller import App, Options\n\n\n"
        "class Mine(App):\n    class Wishes(Options):\n        colour: str = 'red'\n\n"
        "    def __init__(self, wishes: Wishes = Wishes()) -> None:\n"
        "        self.colour = wishes.colour\n"
    )
    file = written(tmp_path, text)
    (red,) = load(file)
    (blue,) = load(file, tables={"mine": {"colour": "blue"}})
    assert (vars(red), vars(blue)) == ({"colour": "red"}, {"colour": "blue"})


def test_an_application_that_takes_itself_by_a_detour_is_refused(tmp_path: Path) -> None:
    text = (
        "from __future__ import annotations\n\nfrom controller import App\n\n\n"
        "class Hen(App):\n    def __init__(self, egg: Egg) -> None: ...\n\n\n"
        "class Egg(App):\n    def __init__(self, hen: Hen) -> None: ...\n"
    )
    with pytest.raises(LoadError, match="Hen takes Egg takes Hen"):
        load(written(tmp_path, text))


def test_run_behind_a_main_guard_is_left_alone(tmp_path: Path) -> None:
    text = APP + "\n\nif __name__ == '__main__':\n    run(Mine())\n"
    assert [type(app).__name__ for app in load(written(tmp_path, text))] == ["Mine"]


def test_a_file_may_import_its_neighbours_also_later(tmp_path: Path) -> None:
    written(tmp_path, "COST = 3\n", "neighbour.py")
    later = "\n    def cost(self):\n        import neighbour\n        return neighbour.COST\n"
    (app,) = load(written(tmp_path, APP.replace("\n    pass\n", later)))
    assert app.cost() == 3  # type: ignore[attr-defined]


def test_a_file_may_be_called_as_a_module_that_others_import(tmp_path: Path) -> None:
    load(written(tmp_path, APP, "json.py"))
    assert sys.modules["json"] is json


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("learning_swich", "there is no application learning_swich; did you mean learning_switch?"),
        (
            "quite_else",
            "there is no application quite_else; there are forwarding, hub, learning_switch",
        ),
        ("no_such_file.py", "there is no file no_such_file.py"),
        ("./folder/app", "there is no file folder/app"),
        ("no.such.module", "no.such.module cannot be loaded: ModuleNotFoundError: No module"),
        ("json", "json has no class that is an App, and does not call run()"),
    ],
)
def test_a_wrong_name_is_one_sentence_with_the_cure(name: str, sentence: str) -> None:
    with pytest.raises(LoadError, match=re.escape(sentence)) as raised:
        load(name)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("x = (\n", r"is not valid Python: '\(' was never closed \(.*mine\.py, line 1\)"),
        ("\0", "source code string cannot contain null bytes"),
        ("1 / 0\n", r"ZeroDivisionError: division by zero \(.*mine\.py, line 1\)"),
        ("import no_such_thing\n", "cannot be loaded: ModuleNotFoundError: No module named"),
        ("x = 1\n", r"has no class that is an App, and does not call run\(\)"),
        (
            APP.replace("pass", "def packet_in(self, datapath, message): ..."),
            r"Mine\.packet_in must be declared with async def",
        ),
        (
            APP.replace("pass", "def __init__(self, colour): ..."),
            r"Mine\(\) cannot be made: TypeError: .* missing 1 required positional argument",
        ),
        (
            APP + "\nclass Broken(Mine):\n    message = 5\nrun(Broken())\n",
            r"Broken\.message must be declared with async def",
        ),
    ],
)
def test_a_mistake_in_a_file_is_one_sentence_with_its_place(
    text: str, sentence: str, tmp_path: Path
) -> None:
    with pytest.raises(LoadError, match=sentence) as raised:
        load(written(tmp_path, text))
    assert "\n" not in str(raised.value)


def test_after_a_mistake_run_runs_again(tmp_path: Path) -> None:
    with pytest.raises(LoadError):
        load(written(tmp_path, "1 / 0\n"))
    assert loading._collecting is None

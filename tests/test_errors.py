"""Errors: one line each, with file, place, what was found and what to do; whole on the other side of a process."""

import pickle

import pytest

from gcfit import errors
from gcfit.errors import FitError, GcfitError, InputError, MissingExtraError, OutputError, SolverError


def test_input_error_says_file_place_finding_and_remedy() -> None:
    error = InputError("run.csv", "is empty", place="line 3", remedy="export it again")
    assert str(error) == "run.csv: line 3: is empty; export it again"
    assert (error.source, error.place, error.found, error.remedy) == (
        "run.csv",
        "line 3",
        "is empty",
        "export it again",
    )


@pytest.mark.parametrize(
    ("arguments", "options", "text"),
    [
        (("", "is empty"), {}, "is empty"),
        (("a", "b"), {"place": "c"}, "a: c: b"),
        (("", "b"), {"place": "c", "remedy": "d"}, "c: b; d"),
    ],
)
def test_parts_that_are_empty_leave_no_marks(arguments: tuple[str, str], options: dict[str, str], text: str) -> None:
    assert str(InputError(*arguments, **options)) == text


@pytest.mark.parametrize("text", ["two\nlines", "a\ttab", "\x1b[31mred", "carriage\rreturn", "nul\0"])
def test_control_characters_are_shown_not_sent(text: str) -> None:
    for error in (InputError(text, "x"), InputError("x", text), InputError("x", "y", remedy=text)):
        assert str(error).isprintable()


def test_umlauts_and_greek_stay() -> None:
    assert str(InputError("Übersicht_α.csv", "0 Punkte")) == "Übersicht_α.csv: 0 Punkte"


@pytest.mark.parametrize(
    "error",
    [
        InputError("a", "b", place="c", remedy="d"),
        MissingExtraError("reading XLSX", "excel"),
        FitError("no start"),
        SolverError("no step"),
        OutputError("no room"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_errors_cross_a_process_boundary(error: GcfitError) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert vars(again) == vars(error)


def test_a_missing_extra_names_its_install() -> None:
    assert 'pip install "gcfit-chromatography[excel]"' in str(MissingExtraError("reading XLSX", "excel"))


def test_all_errors_of_the_package_have_one_base_and_an_exit_code() -> None:
    found = [one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, Exception)]
    assert len(found) >= 6
    for kind in found:
        assert issubclass(kind, GcfitError)
        assert kind.exit_code in (1, 2, 3)

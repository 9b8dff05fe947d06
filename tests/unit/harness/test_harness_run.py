# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The runner must not call a run green that did nothing."""

from __future__ import annotations

import os

import pytest

from harness import paths, run, stage

ABSENT_PYTHON = (
    'WARNING: Skipping sanity test "import" on Python 3.14 because it could not be found.'
)


@pytest.fixture
def a_run(tmp_path, monkeypatch):
    monkeypatch.setattr(run, "work", lambda: tmp_path)
    monkeypatch.setattr(stage, "stage", lambda: tmp_path)
    return run.Run()


def says(a_run, monkeypatch, text):
    monkeypatch.setattr(a_run, "command", lambda *_args: text)
    run.run_ansible_test(a_run, "sanity", [])


@pytest.mark.parametrize(
    "line",
    [
        "WARNING: All targets skipped.",
        "All targets skipped",
        "WARNING: Excluding target tests marked destructive: jetstream_stream",
        "WARNING: Skipping pylint collection version checks since no version was found.",
        'WARNING: Skipping sanity test "import" on Python 3.9 because it is unsupported.',
    ],
)
def test_what_was_skipped_is_a_failure(a_run, monkeypatch, line):
    with pytest.raises(run.Failure, match="skipped"):
        says(a_run, monkeypatch, f"fine\n{line}\nfine")


def test_an_absent_python_is_listed(a_run, monkeypatch):
    says(a_run, monkeypatch, f"fine\n{ABSENT_PYTHON}\n")
    assert len(a_run.absent) == 1
    assert "3.14" in a_run.absent[0]


@pytest.mark.parametrize("action", ["converge", "idempotence", "verify"])
def test_what_molecule_passes_over_is_a_failure(a_run, monkeypatch, action):
    folder = run.ROOT / "extensions" / "molecule"
    lines = [
        f"INFO [{scenario.parent.name} > {one}] Executed: Successful"
        for scenario in folder.glob("*/molecule.yml")
        for one in ("converge", "idempotence", "verify")
    ]
    says = {"text": "\n".join(lines)}
    monkeypatch.setattr(a_run, "command", lambda *_args: says["text"])
    run.molecule(a_run)
    says["text"] = "\n".join(line for line in lines if f"> {action}]" not in line)
    with pytest.raises(run.Failure, match=f"{action} was not run"):
        run.molecule(a_run)


def report(tmp_path, cases):
    file = tmp_path / "report.xml"
    file.write_text(f"<testsuites><testsuite>{cases}</testsuite></testsuites>")
    return file


def test_results_are_counted(a_run, tmp_path):
    cases = (
        '<testcase classname="a" name="good"/>'
        '<testcase classname="a" name="bad"><failure message="1 != 2&#10;more"/></testcase>'
        '<testcase classname="a" name="worse"><error message="no server"/></testcase>'
        '<testcase classname="a" name="idle"><skipped message="no IPv6"/></testcase>'
    )
    passed, failed = run.count_report(a_run, "unit", report(tmp_path, cases))
    assert passed == 1
    assert failed == ["a::bad: 1 != 2", "a::worse: no server"]
    assert a_run.absent == ["unit: 1 skipped: no IPv6"]


def test_a_run_without_a_passed_test_fails(a_run, tmp_path, monkeypatch):
    skipped = '<testcase classname="a" name="idle"><skipped message="why"/></testcase>'

    def command(name, words):
        report(a_run.logs, skipped).rename(a_run.logs / f"{name}.xml")
        return "1 skipped"

    monkeypatch.setattr(a_run, "command", command)
    with pytest.raises(run.Failure, match="no test ran"):
        run.run_pytest(a_run, "unit", "tests/unit")


def test_the_last_lines_name_the_step_and_the_reason(a_run, capsys):
    def fails():
        raise run.Failure("exit code 1: boom")

    a_run.step("good", lambda: 41)
    a_run.step("tool", lambda: None)
    a_run.step("bad", fails)
    assert a_run.finish() == 1
    assert capsys.readouterr().out.splitlines()[-2:] == [
        "failed: bad: exit code 1: boom",
        "42 passed, 1 failed",
    ]


@pytest.mark.parametrize(
    ("found", "advice"),
    [({}, "3.11 or later is needed"), ({"3.11": "python3.11"}, "apt-get install python3.11-venv")],
)
def test_without_a_python_it_says_what_to_install(monkeypatch, found, advice):
    monkeypatch.delenv("PYTHON", raising=False)
    monkeypatch.setattr(stage, "pythons", lambda: found)
    monkeypatch.setattr(run, "has_venv", lambda _python: False)
    with pytest.raises(run.Failure, match=advice):
        run.controller_python()


def test_a_missing_folder_is_a_failure(a_run):
    with pytest.raises(run.Failure, match="not there"):
        run.run_pytest(a_run, "unit", "tests/no-such-folder")


def test_the_project_has_the_same_files_with_and_without_git():
    known = set(stage.files())
    root = stage.ROOT
    assert set(stage._walk(root, root, stage._ignored(root))) >= known
    assert stage.ROOT.joinpath("galaxy.yml").relative_to(stage.ROOT) in known
    assert not any(".venv" in path.parts for path in known)


def test_what_this_project_made_is_not_what_it_is_built_with(monkeypatch):
    """With .venv activated, another .venv would be made from itself."""
    own = [str(paths.ROOT / ".venv" / "bin"), str(paths.work() / "pythons")]
    monkeypatch.setenv("PATH", os.pathsep.join([*own, os.environ["PATH"]]))
    found = stage.pythons()
    assert found
    assert not {str(program.parent) for program in found.values()} & set(own)

# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Workflows, nox and pre-commit call what is there, and the same as a contributor does."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness import matrix, paths, run, servers

WORKFLOWS = sorted((paths.ROOT / ".github" / "workflows").glob("*.yml"))
MAKEFILE = (paths.ROOT / "Makefile").read_text()
(TARGETS,) = (set(found.split()) for found in re.findall(r"^TARGETS = (.*)$", MAKEFILE, re.M))
# Not for every push: `make nightly` takes hours, the others test nothing.
NOT_IN_WORKFLOWS = {"bench", "clean", "demo", "help", "nightly", "release", "test"}


def jobs(workflow: Path) -> Iterator[dict[str, Any]]:
    yield from yaml.safe_load(workflow.read_text())["jobs"].values()


def made(workflow: Path) -> set[str]:
    """Return the targets that a workflow makes."""
    steps = [step for job in jobs(workflow) for step in job["steps"]]
    return {
        target
        for step in steps
        for words in re.findall(r"\bmake ([a-z -]+)", step.get("run", ""))
        for target in words.split()
    }


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_makes_targets_that_exist(workflow):
    assert made(workflow)
    assert made(workflow) <= TARGETS


def test_the_workflows_make_every_target():
    everything = set().union(*map(made, WORKFLOWS))
    assert everything == TARGETS - NOT_IN_WORKFLOWS


def test_sanity_runs_with_every_ansible_core():
    workflow = paths.ROOT / ".github" / "workflows" / "sanity.yml"
    (job,) = [one for one in jobs(workflow) if "strategy" in one]
    legs = {leg["core"]: leg["python"] for leg in job["strategy"]["matrix"]["include"]}
    assert list(legs) == list(matrix.CONTROLLERS)
    assert all(python in matrix.CONTROLLERS[core] for core, python in legs.items())


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_may_not_do_much(workflow):
    assert yaml.safe_load(workflow.read_text())["permissions"] == {}
    for job in jobs(workflow):
        assert job["permissions"] == {"contents": "read"}
        assert job["timeout-minutes"] <= 60


def test_the_workflows_run_with_every_server():
    (job,) = (
        job
        for workflow in WORKFLOWS
        for job in jobs(workflow)
        if "server" in job.get("strategy", {}).get("matrix", {})
    )
    assert tuple(job["strategy"]["matrix"]["server"]) == servers.VERSIONS


def test_the_workflows_have_the_pythons_of_the_matrix():
    text = "\n".join(path.read_text() for path in WORKFLOWS)
    own = re.findall(r"container: python:([\d.]+)-", text)
    for installed in re.findall(r"uv python install ([\d. ]+)", text):
        # 3.14 waits for a version of ansible-core whose own tests run there.
        assert {*installed.split(), *own} == set(matrix.PYTHONS) - {"3.14"}


def test_the_help_has_every_target():
    described = set(re.findall(r"^make (\w+)", run.HELP, re.MULTILINE))
    assert described == TARGETS - {"help"}


def test_nox_has_a_session_for_every_target():
    tool = Path(sys.executable).with_name("nox")
    done = subprocess.run(
        [str(tool), "--list", "-f", str(paths.ROOT / "noxfile.py")],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    sessions = set(re.findall(r"^[*-] (\w+) -> ", done.stdout, re.MULTILINE))
    assert sessions == (TARGETS - NOT_IN_WORKFLOWS) | {"test"}


def test_pre_commit_calls_the_tools_of_make_lint():
    configuration = yaml.safe_load((paths.ROOT / ".pre-commit-config.yaml").read_text())
    (repository,) = configuration["repos"]
    assert repository["repo"] == "local"
    *quick, whole = repository["hooks"]
    assert whole["entry"] == "make lint"
    lint = run.lint_commands(run.Run())
    for hook in quick:
        program = Path(hook["entry"].split()[0])
        assert program.parent == Path(".venv/bin")
        assert program.name == Path(lint[hook["id"]][0]).name

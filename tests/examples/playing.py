# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs commands of Ansible as a user would, in a folder of the test."""

from __future__ import annotations

import os
import subprocess
import sys

from harness import collection


def environment(folder, **more):
    """Return an environment without the settings of whoever runs the test."""
    settings = folder / "ansible.cfg"
    settings.write_text("[defaults]\n")
    return {
        **{
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("NATS_", "XDG_"))
        },
        "ANSIBLE_COLLECTIONS_PATH": str(collection.tree()),
        "ANSIBLE_CONFIG": str(settings),
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_LOCAL_TEMP": str(folder / "local"),
        "ANSIBLE_REMOTE_TEMP": str(folder / "remote"),
        "PATH": os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]]),
        **more,
    }


def run(command, folder, env):
    """Run a command and return its code and its output."""
    done = subprocess.run(
        command,
        cwd=folder,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def play(file, *options, inventory="localhost,", env=None):
    """Run ansible-playbook, which has to succeed, and return its output."""
    command = ["ansible-playbook", "-i", str(inventory), *options, str(file)]
    code, output = run(command, file.parent, env or environment(file.parent))
    assert code == 0, output
    return output

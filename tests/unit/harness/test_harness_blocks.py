# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Code blocks are found in both languages, with their marks."""

from __future__ import annotations

import pytest
import yaml

from harness import blocks

GUIDE = """\
Title
=====

.. code-block:: yaml
   :caption: shop.yml

   ---
   streams:
     - name: ORDERS

Text.

.. example: in domains; twice

.. code-block:: yaml+jinja

    - name: A task
      ansible.builtin.debug:

      # with a comment
- text

  .. code-block:: console

    $ ls
"""

README = """\
# Title

<!-- example: not run: it is a part -->

```yaml
collections:
  - nats.jetstream
```

  ```console
  $ ls
  ```
"""


def test_blocks_of_a_guide():
    first, second, third = blocks.blocks_of(GUIDE)
    assert first == (4, "yaml", "---\nstreams:\n  - name: ORDERS\n", "shop.yml", "")
    assert first.kind == "declaration"
    assert second.line == 15
    assert second.words == ["in domains", "twice"]
    assert second.text.endswith("  # with a comment\n")
    assert second.kind == "tasks"
    assert (third.language, third.text, third.kind) == ("console", "$ ls\n", "other")


def test_blocks_of_a_readme():
    first, second = blocks.blocks_of(README)
    assert (first.line, first.words, first.kind) == (5, ["not run: it is a part"], "data")
    assert (second.language, second.text) == ("console", "$ ls\n")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("- hosts: all", "playbook"),
        ("- import_playbook: nats.jetstream.provision", "playbook"),
        ("- block: []", "tasks"),
        ("- name: x\n  nats.jetstream.jetstream_info:", "tasks"),
        ("- a", "data"),
        ("- name: x", "data"),
        ("consumers: []", "declaration"),
        ("a: !vault |\n  x", "data"),
    ],
)
def test_what_a_block_is(text, kind):
    assert blocks.kind_of(yaml.load(text, blocks.Loader)) == kind

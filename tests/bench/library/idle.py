# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A module that does nothing: it takes a declaration, and returns the result that a file holds.

What it takes is what Ansible itself needs to hand both over.
"""

from __future__ import annotations

import json

from ansible.module_utils.basic import AnsibleModule


def main() -> None:
    module = AnsibleModule(
        {
            "servers": {"type": "list", "elements": "str"},
            "streams": {"type": "list", "elements": "dict"},
            "result": {"type": "path", "required": True},
        }
    )
    module.params["streams"] = None  # nor does jetstream_environment tell it again
    with open(module.params["result"], encoding="utf-8") as stream:
        module.exit_json(**json.load(stream))


if __name__ == "__main__":
    main()

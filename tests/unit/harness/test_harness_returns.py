# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is returned and not documented is found."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from harness import returns

MODULE = SimpleNamespace(
    RETURN="""
action: {returned: always, type: str}
seconds: {returned: failure, type: float}
server: {returned: success, type: dict, contains: {name: {returned: always, type: str}}}
rows:
  returned: when there are any
  type: list
  elements: dict
  contains:
    name: {returned: always, type: str}
    size: {returned: when known, type: int}
"""
)
GOOD = {"changed": True, "action": "create", "server": {"name": "n1"}}


@pytest.mark.parametrize(
    "result, expected",
    [
        (GOOD, []),
        ({**GOOD, "server": {}}, []),
        ({**GOOD, "server": None, "rows": [{"name": "a", "size": 1}, {"name": "b"}]}, []),
        ({"failed": True, "msg": "x", "action": "none", "seconds": 1}, []),
        ({**GOOD, "seconds": returns.MASKED}, []),
        ({**GOOD, "more": 1}, ["more is not documented: 1"]),
        ({"action": "x"}, ["server is missing, although it is returned: success"]),
        ({"server": {"name": "a"}}, ["action is missing, although it is returned: always"]),
        ({**GOOD, "action": 1}, ["action is 1, which is no str"]),
        ({**GOOD, "seconds": True}, ["seconds is True, which is no float"]),
        ({**GOOD, "server": {"name": "a", "x": 1}}, ["server.x is not documented: 1"]),
        ({**GOOD, "server": {"x": 1}}, 2),
        ({**GOOD, "rows": ["a"]}, ["rows has 'a', which is no dict"]),
        ({**GOOD, "rows": [{"size": 1}]}, ["rows.name is missing, although it is always returned"]),
        ({**GOOD, "rows": [{"name": "a", "size": "1"}]}, ["rows.size is '1', which is no int"]),
    ],
)
def test_differences(result, expected):
    found = returns.differences(MODULE, result)
    assert (len(found) if isinstance(expected, int) else found) == expected

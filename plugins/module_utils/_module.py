# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module is private to the collection: it can change without notice.

"""The synchronous face: from AnsibleModule to one event loop with one connection, and back.

A module hands over what it manages (a kind) or what it does (a coroutine); everything that all
modules share happens here: the connection options, the masking of secrets, validation with all
problems at once, errors as results.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
from collections.abc import Awaitable, Mapping
from typing import Any, Callable, NamedTuple, NoReturn, Optional

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.common.validation import check_type_dict

from ansible_collections.nats.jetstream.plugins.module_utils._arguments import argument_problems
from ansible_collections.nats.jetstream.plugins.module_utils._connection import (
    Connection,
    open_connection,
)
from ansible_collections.nats.jetstream.plugins.module_utils._connection_options import (
    ARGUMENT_SPEC,
    CONSTRAINTS,
    ConnectionOptions,
    from_params,
    secrets_in,
)
from ansible_collections.nats.jetstream.plugins.module_utils._errors import (
    MASK,
    InvalidRequest,
    JetStreamError,
    MissingLibrary,
    PermissionDenied,
    Refused,
)
from ansible_collections.nats.jetstream.plugins.module_utils._manager import JetStreamManager
from ansible_collections.nats.jetstream.plugins.module_utils._schema import Problem
from ansible_collections.nats.jetstream.plugins.module_utils._units import (
    SECOND,
    UnitError,
    format_size,
    parse_duration,
    parse_size,
)

Shown = Callable[[Mapping[str, Any]], Mapping[str, Any]]


class Session(NamedTuple):
    """What a module's coroutine works with; wanted is what its validation returned."""

    module: AnsibleModule
    connection: Connection
    manager: JetStreamManager
    wanted: Any = None

    @property
    def params(self) -> Mapping[str, Any]:
        params: Mapping[str, Any] = self.module.params
        return params

    @property
    def check_mode(self) -> bool:
        return self.module.check_mode


class JetStreamModule(AnsibleModule):
    """An AnsibleModule that knows of secrets inside URLs before anything can log or return them.

    shown turns the parameters into those that are logged and returned as ``invocation``.
    """

    def __init__(self, shown: Optional[Shown] = None, **arguments: Any) -> None:
        self._shown = lambda params: (shown or dict)(_without_keys(params))
        super().__init__(**arguments)

    def _set_internal_properties(self, *args: Any, **kwargs: Any) -> None:
        """Once the arguments are there, and before anything is done with them."""
        super()._set_internal_properties(*args, **kwargs)
        problems = argument_problems(self.params, self.argument_spec, check_type_dict)
        if problems:
            error = InvalidRequest(problems)
            # Of arguments that are not in order, nothing is told again.
            self.fail_json(msg=str(error), invocation={}, **error.result())

    def _log_invocation(self) -> None:
        self._hide_secrets()
        params = self.params
        # The system log takes no NUL.
        self.params = {
            name: value.replace("\0", "\\0") if isinstance(value, str) else value
            for name, value in self._shown(params).items()
        }
        try:
            super()._log_invocation()
        finally:
            self.params = params

    def _return_formatted(self, kwargs: dict[str, Any]) -> None:
        kwargs.setdefault("invocation", {"module_args": self._shown(self.params)})
        super()._return_formatted(kwargs)

    def _hide_secrets(self) -> None:
        self.no_log_values.update(secrets_in(getattr(self, "params", None) or {}))

    def fail_json(self, msg: str, **kwargs: Any) -> NoReturn:
        self._hide_secrets()
        super().fail_json(msg, **kwargs)

    def exit_json(self, **kwargs: Any) -> NoReturn:
        self._hide_secrets()
        super().exit_json(**kwargs)


def _without_keys(params: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return options as they may be told: Ansible masks secrets in values, and not in keys."""
    servers = params.get("servers")
    members = servers if isinstance(servers, list) else [servers]
    return {**params, "servers": MASK} if any(isinstance(one, dict) for one in members) else params


class Inputs:
    """Collects everything wrong with a task's options, to be told at once."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def seconds(self, params: Mapping[str, Any], name: str) -> float:
        """Return a duration option in seconds."""
        try:
            return parse_duration(params[name]) / SECOND
        except UnitError as error:
            self.problems.append(Problem(name, str(error)))
            return 0.0

    def size(
        self, params: Mapping[str, Any], name: str, least: int = 0, most: int = 2**63
    ) -> Optional[int]:
        """Return a size option in bytes, None when it is not given."""
        if params[name] is None:
            return None
        try:
            size = parse_size(params[name])
        except UnitError as error:
            self.problems.append(Problem(name, str(error)))
            return None
        if not least <= size <= most:
            text = f"{params[name]} is not from {format_size(least)} to {format_size(most)}"
            self.problems.append(Problem(name, text))
        return size

    def checked(self) -> None:
        """Raise InvalidRequest with all problems, if there are any."""
        if self.problems:
            raise InvalidRequest(self.problems)


Validate = Callable[[Mapping[str, Any], Inputs], Any]
Work = Callable[[Session], Awaitable[dict[str, Any]]]


def counted(*names: str) -> Shown:
    """Return how to show options of which these are lists too long, or too secret, to be shown."""

    def count(value: Any) -> str:
        return f"({len(value)} entries)" if isinstance(value, list) else MASK

    def shown(params: Mapping[str, Any]) -> dict[str, Any]:
        return {
            name: count(value) if name in names and value is not None else value
            for name, value in params.items()
        }

    return shown


def run(
    argument_spec: Mapping[str, Any],
    work: Work,
    validate: Optional[Validate] = None,
    shown: Optional[Shown] = None,
    **constraints: Any,
) -> None:
    """Run a module: ``work`` gets a Session and returns the result, without ``server``.

    ``validate`` adds to the problems of the options before anything is sent; what it returns is
    the session's ``wanted``, so that nothing is read a second time and then says something else.
    ``shown`` returns the options as they may be logged and told. ``constraints`` are those of
    AnsibleModule.
    """
    shared = {
        name: [*CONSTRAINTS.get(name, ()), *constraints.pop(name, ())] for name in CONSTRAINTS
    }
    module = JetStreamModule(
        shown=shown,
        argument_spec={**argument_spec, **ARGUMENT_SPEC},
        supports_check_mode=True,
        **shared,
        **constraints,
    )
    # What is loaded by now stays until the end; looking through it for garbage takes 30 ms.
    gc.freeze()
    try:
        options, wanted = _validated(module, validate)
        result = asyncio.run(_interruptible(_connected(module, options, work, wanted)))
    except JetStreamError as error:
        module.fail_json(msg=str(error), **error.result())
    module.exit_json(**result)


def _validated(
    module: AnsibleModule, validate: Optional[Validate]
) -> tuple[ConnectionOptions, Any]:
    inputs = Inputs()
    seconds = {
        name: inputs.seconds(module.params, name)
        for name in ("connect_timeout", "timeout", "retry_for")
        if module.params[name] is not None
    }
    options, wrong = from_params({**module.params, **seconds})
    module.no_log_values.update(options.secrets)
    if not options.validate_certs:
        module.warn(
            "validate_certs is false: whoever answers is believed to be the server, and is told "
            "the login"
        )
    inputs.problems.extend(Problem(*one) for one in wrong)
    wanted = validate(module.params, inputs) if validate else None
    inputs.checked()
    return options, wanted


async def _interruptible(work: Awaitable[dict[str, Any]]) -> dict[str, Any]:
    """Let an interruption cancel the work, and nothing that it needs to clean up after itself.

    From Python 3.11 on asyncio does that; before it ended nats-py's own tasks at the same time.
    """
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    if task and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        with contextlib.suppress(RuntimeError, ValueError):  # only a main thread gets signals
            loop.add_signal_handler(signal.SIGINT, task.cancel)
    return await work


# What does not depend on the server.
_ABOUT_A_TASK = (InvalidRequest, MissingLibrary, Refused)


async def _connected(
    module: AnsibleModule,
    options: ConnectionOptions,
    work: Work,
    wanted: Any,
) -> dict[str, Any]:
    connection = await open_connection(options)
    try:
        manager = JetStreamManager(connection, options.timeout, options.retry_for)
        result = await work(Session(module, connection, manager, wanted))
        return {**result, "server": server_result(connection)}
    except PermissionDenied as error:
        from ansible_collections.nats.jetstream.plugins.module_utils._permissions import advice

        name = module._name.rpartition(".")[2]
        text = f"{connection.url}: {error}{advice(name, module.params, connection.prefix)}"
        raise PermissionDenied(text) from error
    except _ABOUT_A_TASK:
        raise
    except JetStreamError as error:
        if connection.url not in str(error):
            error.args = (f"{connection.url}: {error}",)
        raise
    finally:
        await connection.close()


def server_result(connection: Connection) -> dict[str, Any]:
    """Return what is known of the server that was connected to; None where it does not say."""
    greeting = connection.greeting
    return {
        "name": greeting.get("server_name"),
        "version": greeting.get("version"),
        "api_level": greeting.get("api_lvl"),
        "cluster": greeting.get("cluster"),
        "domain": greeting.get("domain"),
        "account": connection.account,
    }

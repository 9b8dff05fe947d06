# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this code is private to the collection: it can change without notice.

"""A declared or exported environment as a Mermaid flowchart. Pure.

Messages flow along the arrows: from subjects into streams, from streams into mirrors, into what
they are republished to, and into consumers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from ansible_collections.nats.jetstream.plugins.module_utils._subjects import overlaps

DIRECTIONS = ("LR", "RL", "TB", "BT")
# What encloses the label of each sort of node.
SHAPES = {
    "subjects": ("([", "])"),
    "stream": ("[", "]"),
    "kv": ("[(", ")]"),
    "object": ("[[", "]]"),
    "consumer": ("{{", "}}"),
}
# The lists of an environment whose entries are streams, and what the server puts before the name.
ASSETS = {
    "streams": ("stream", ""),
    "kv_buckets": ("kv", "KV_"),
    "object_buckets": ("object", "OBJ_"),
}
LISTS = (*ASSETS, "consumers")
ALIASES = {"streams": (), "kv_buckets": ("bucket",), "object_buckets": ("bucket",)}
DASHED = "classDef dashed stroke-dasharray: 5 5"


class TopologyError(ValueError):
    """What was given is no environment."""


class Node(NamedTuple):
    """One box: what it is, the lines of its label, and whether its border is dashed."""

    sort: str
    label: tuple[str, ...]
    dashed: bool = False


class Edge(NamedTuple):
    """One arrow between the ids of two nodes."""

    start: str
    end: str
    arrow: str = "-->"
    label: tuple[str, ...] = ()


class Asset(NamedTuple):
    """A declared stream or bucket: sort of its node, its own name, and its settings."""

    sort: str
    name: str
    options: Mapping[str, Any]


class Chart(NamedTuple):
    """Nodes by id and edges, in the order in which they are written."""

    nodes: dict[str, Node]
    edges: dict[Edge, None]

    def node(self, key: str, node: Node) -> str:
        self.nodes.setdefault(key, node)
        return key

    def edge(self, *parts: Any) -> None:
        self.edges[Edge(*parts)] = None


def diagram(environment: Any, consumers: bool = True, direction: str = "LR") -> str:
    """Return the text of a Mermaid flowchart of an environment.

    It depends on what is declared and not on the order of it. Raises TopologyError.
    """
    if direction not in DIRECTIONS:
        raise TopologyError(f"direction is one of {', '.join(DIRECTIONS)}, not {direction!r}")
    if not isinstance(environment, Mapping):
        raise TopologyError(f"an environment is a dictionary, not {_kind_of(environment)}")
    assets = _assets(environment)
    chart = Chart({}, {})
    for stream, asset in sorted(assets.items()):
        _draw_asset(chart, assets, stream, asset)
    for stream, asset in sorted(assets.items()):
        _draw_republish(chart, assets, stream, asset)
    if consumers:
        for (stream, name), options in sorted(_consumers(environment, assets).items()):
            _draw_consumer(chart, assets, stream, name, options)
    return "".join(f"{line}\n" for line in _written(chart, direction))


# --------------------------------------------------------------------------------------------------
# Reading
# --------------------------------------------------------------------------------------------------


def _assets(environment: Mapping[str, Any]) -> dict[str, Asset]:
    """Return the streams and buckets that are declared present, by the name of their stream."""
    found = {}
    for section, (sort, prefix) in ASSETS.items():
        for place, options in _entries(environment, section, environment.get(section), section):
            name = _name(options, ("name", *ALIASES[section]), place)
            found[prefix + name] = Asset(sort, name, options)
    return found


def _consumers(
    environment: Mapping[str, Any], assets: Mapping[str, Asset]
) -> dict[tuple[str, str], Mapping[str, Any]]:
    """Return the consumers that are declared present, inside of streams and beside them."""
    found: dict[tuple[str, str], Mapping[str, Any]] = {}
    lists: list[tuple[str, Any, str]] = [("", environment.get("consumers"), "consumers")]
    lists += [
        (stream, asset.options.get("consumers"), f"consumers of {stream}")
        for stream, asset in assets.items()
        if asset.sort == "stream"
    ]
    for within, given, called in lists:
        for place, options in _entries(environment, "consumers", given, called):
            stream = within or _name(options, ("stream",), place)
            found[stream, _name(options, ("name", "durable_name"), place)] = options
    return found


def _entries(
    environment: Mapping[str, Any], section: str, given: Any, called: str
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield place and options of the present entries, with the defaults of their list."""
    of_all = _mapping(environment.get("defaults"), "defaults")
    defaults = _mapping(of_all.get(section), f"defaults.{section}")
    if not isinstance(given or [], (list, tuple)):
        raise TopologyError(f"{called} is a list, not {_kind_of(given)}")
    for index, entry in enumerate(given or ()):
        place = f"{called}[{index}]"
        if not isinstance(entry, Mapping):
            raise TopologyError(f"{place} is a dictionary, not {_kind_of(entry)}")
        said = {name: value for name, value in entry.items() if value is not None}
        reset = _listed(said.get("reset"))
        options = {name: one for name, one in defaults.items() if name not in reset}
        options.update(said)
        if options.get("state", environment.get("state")) != "absent":
            yield place, options


def _mapping(value: Any, place: str) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise TopologyError(f"{place} is a dictionary, not {_kind_of(value)}")
    return value


def _name(options: Mapping[str, Any], names: Iterable[str], place: str) -> str:
    for name in names:
        if options.get(name):
            return str(options[name])
    raise TopologyError(f"{place} has no {next(iter(names))}")


def _kind_of(value: Any) -> str:
    kinds = {str: "a text", list: "a list", bool: "a boolean", type(None): "nothing"}
    return next((text for kind, text in kinds.items() if isinstance(value, kind)), "a number")


def _listed(value: Any) -> list[Any]:
    """Return a list, also of an option that is given as one thing or not at all."""
    if value is None or value == "":
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]


# --------------------------------------------------------------------------------------------------
# Drawing
# --------------------------------------------------------------------------------------------------


def _draw_asset(chart: Chart, assets: Mapping[str, Asset], stream: str, asset: Asset) -> None:
    subjects = _subjects(stream, asset)
    if subjects:
        key = chart.node(f"subjects_{_escaped(stream)}", Node("subjects", tuple(subjects)))
    here = chart.node(_id(stream), Node(asset.sort, (asset.name,)))
    if subjects:
        transforms = _transforms(_listed(asset.options.get("subject_transform")))
        chart.edge(key, here, "-->", tuple(transforms))
    for name, arrow in (("mirror", "==>"), ("sources", "-->")):
        for one in _listed(asset.options.get(name)):
            origin = one if isinstance(one, Mapping) else {"name": one}
            taken = [str(one) for one in _listed(origin.get("filter_subject"))]
            taken += _transforms(_listed(origin.get("subject_transforms")))
            label = ("mirror" if name == "mirror" else "source", *taken)
            chart.edge(_origin(chart, assets, asset, origin), here, arrow, label)


def _subjects(stream: str, asset: Asset) -> list[str]:
    """Return the subjects of a stream; one without any takes its own name."""
    options = asset.options
    if asset.sort != "stream":
        return []
    subjects = [str(one) for one in _listed(options.get("subjects"))]
    takes = options.get("mirror") or options.get("sources")
    return sorted(subjects) if subjects or takes else [stream]


def _origin(
    chart: Chart, assets: Mapping[str, Asset], asset: Asset, origin: Mapping[str, Any]
) -> str:
    """Return the id of what a mirror or a source takes messages from."""
    name = str(origin.get("name") or "")
    external = origin.get("external") or {}
    external = external if isinstance(external, Mapping) else {"api": external}
    if asset.sort == "kv" and not origin.get("subject_transforms") and not name.startswith("KV_"):
        name = f"KV_{name}"
    if not external:
        return _stream_node(chart, assets, name)
    api = str(external.get("api") or "")
    node = _outside(name)
    return chart.node(f"{_id(name)}__{_escaped(api)}", node._replace(label=(*node.label, api)))


def _stream_node(chart: Chart, assets: Mapping[str, Asset], stream: str) -> str:
    asset = assets.get(stream)
    node = Node(asset.sort, (asset.name,)) if asset else _outside(stream)
    return chart.node(_id(stream), node)


def _outside(stream: str) -> Node:
    """Return the node of a stream that the environment does not declare."""
    for sort, prefix in ASSETS.values():
        if prefix and stream.startswith(prefix) and stream != prefix:
            return Node(sort, (stream[len(prefix) :],), dashed=True)
    return Node("stream", (stream,), dashed=True)


def _draw_republish(chart: Chart, assets: Mapping[str, Asset], stream: str, asset: Asset) -> None:
    republish = asset.options.get("republish")
    if not isinstance(republish, Mapping) or not republish.get("dest"):
        return
    dest, src = str(republish["dest"]), str(republish.get("src") or ">")
    words = "republish headers" if republish.get("headers_only") else "republish"
    key = chart.node(f"republish_{_escaped(stream)}", Node("subjects", (dest,)))
    chart.edge(_id(stream), key, "-.->", (words, *([] if src == ">" else [src])))
    matching = ".".join(
        "*" if "{{" in token or token.startswith("$") else token for token in dest.split(".")
    )
    for other, taker in sorted(assets.items()):
        if any(overlaps(matching, subject) for subject in _subjects(other, taker)):
            chart.edge(key, _id(other))


def _draw_consumer(
    chart: Chart,
    assets: Mapping[str, Asset],
    stream: str,
    name: str,
    options: Mapping[str, Any],
) -> None:
    ephemeral = options.get("durable") is False
    lines = (name, "ephemeral") if ephemeral else (name,)
    key = chart.node(
        f"consumer_{_escaped(stream)}__{_escaped(name)}", Node("consumer", lines, ephemeral)
    )
    filters = [*_listed(options.get("filter_subject")), *_listed(options.get("filter_subjects"))]
    label = tuple(sorted(str(one) for one in filters))
    chart.edge(_stream_node(chart, assets, stream), key, "-->", label)
    if options.get("deliver_subject"):
        delivered = Node("subjects", (str(options["deliver_subject"]),))
        group = _listed(options.get("deliver_group"))
        to = chart.node(f"delivery_{_escaped(stream)}__{_escaped(name)}", delivered)
        chart.edge(key, to, "-->", ("push", *(f"group {one}" for one in group)))


def _transforms(transforms: list[Any]) -> list[str]:
    return [
        f"{one.get('src') or '>'} to {one['dest']}" if one.get("dest") else str(one.get("src"))
        for one in transforms
        if isinstance(one, Mapping) and (one.get("src") or one.get("dest"))
    ]


# --------------------------------------------------------------------------------------------------
# Writing
# --------------------------------------------------------------------------------------------------


def _written(chart: Chart, direction: str) -> Iterator[str]:
    yield f"flowchart {direction}"
    nodes = chart.nodes or {"nothing": Node("stream", ("nothing is declared",), dashed=True)}
    for key, node in nodes.items():
        left, right = SHAPES[node.sort]
        yield f"  {key}{left}{_label(node.label)}{right}{':::dashed' if node.dashed else ''}"
    for edge in chart.edges:
        label = f"|{_label(edge.label)}|" if edge.label else ""
        yield f"  {edge.start} {edge.arrow}{label} {edge.end}"
    if any(node.dashed for node in nodes.values()):
        yield f"  {DASHED}"


def _id(stream: str) -> str:
    return f"stream_{_escaped(stream)}"


def _escaped(name: str) -> str:
    """Return a part of an id, another one for each name: Mermaid takes letters, digits and _."""
    return "".join(
        chr(byte) if chr(byte).isalnum() and byte < 128 else f"_{byte:02x}"
        for byte in name.encode("utf-8", "surrogatepass")
    )


# Markdown makes a link of it.
_LINK = re.compile(r"www\.", re.IGNORECASE)


def _label(lines: Iterable[str]) -> str:
    """Return lines as one quoted label. What could mean something is written as its number."""
    return '"' + "<br/>".join(_line(line or " ") for line in lines) + '"'


def _line(text: str) -> str:
    """Return a text in which Mermaid, HTML, and the Markdown in labels find nothing of theirs."""
    links = {match.end() - 1 for match in _LINK.finditer(text)}
    return "".join(
        sign if _is_plain(text, index) and index not in links else f"#{ord(sign)};"
        for index, sign in enumerate(text)
    )


def _is_plain(text: str, index: int) -> bool:
    sign, before, after = text[index], text[:index], text[index + 1 :]
    if sign in "-_":
        return before[-1:].isalnum() and after[:1].isalnum()
    return sign.isalnum() or sign == "." or (sign == " " and bool(before and after))

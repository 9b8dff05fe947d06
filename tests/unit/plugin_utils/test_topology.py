# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The picture of an environment: what is drawn, how names are escaped, the order."""

from __future__ import annotations

import json
import re
import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.nats.jetstream.plugins.plugin_utils._topology import (
    TopologyError,
    diagram,
)

# The part of Mermaid's grammar that is used, line by line.
ID = r"(?P<{}>[a-z]+(?:_[A-Za-z0-9_]+)?)"
LABEL = r'"(?P<label>(?:[^"<>#`\n]|#[0-9]+;|<br/>)+)"'
SHAPES = (r"\(\[{}\]\)", r"\[\({}\)\]", r"\[\[{}\]\]", r"\[{}\]", r"\{{\{{{}\}}\}}")
NODE = [re.compile(f"  {ID.format('id')}{one.format(LABEL)}(:::dashed)?") for one in SHAPES]
EDGE = re.compile(
    rf"  {ID.format('start')} (?P<arrow>-->|==>|-\.->)(?:\|{LABEL}\|)? {ID.format('end')}"
)


def shown(label):
    """Return a label as the browser shows it."""
    text = re.sub(r"#(\d+);", lambda match: chr(int(match[1])), label.replace("<br/>", "\0"))
    return tuple(text.split("\0"))


def read(text):
    """Return the nodes and edges of a diagram; every line must be one that Mermaid takes."""
    lines = text.splitlines()
    assert re.fullmatch(r"flowchart (LR|RL|TB|BT)", lines[0])
    nodes, edges = {}, []
    for line in lines[1:]:
        node = next((match for form in NODE for match in [form.fullmatch(line)] if match), None)
        edge = EDGE.fullmatch(line)
        if node:
            assert node["id"] not in nodes and not edges
            nodes[node["id"]] = shown(node["label"])
        elif edge:
            assert {edge["start"], edge["end"]} <= set(nodes)
            label = shown(edge["label"]) if edge["label"] is not None else ()
            edges.append((nodes[edge["start"]], edge["arrow"], label, nodes[edge["end"]]))
        else:
            assert line == "  classDef dashed stroke-dasharray: 5 5"
    assert text.endswith("\n")
    return nodes, edges


def edges_of(environment, **options):
    return read(diagram(environment, **options))[1]


def drawn(text):
    return textwrap.dedent(text).lstrip()


def test_a_shop():
    environment = {
        "streams": [
            {
                "name": "ORDERS",
                "subjects": ["orders.>"],
                "consumers": [{"name": "billing", "filter_subject": "orders.paid"}],
            },
            {"name": "COPY", "mirror": {"name": "ORDERS"}},
        ],
        "kv_buckets": [{"name": "settings", "entries": [{"key": "a", "value": "hidden"}]}],
        "object_buckets": [{"name": "invoices"}],
    }
    assert diagram(environment) == drawn(
        """
        flowchart LR
          stream_COPY["COPY"]
          stream_ORDERS["ORDERS"]
          stream_KV_5fsettings[("settings")]
          stream_OBJ_5finvoices[["invoices"]]
          subjects_ORDERS(["orders.#62;"])
          consumer_ORDERS__billing{{"billing"}}
          stream_ORDERS ==>|"mirror"| stream_COPY
          subjects_ORDERS --> stream_ORDERS
          stream_ORDERS -->|"orders.paid"| consumer_ORDERS__billing
        """
    )


@pytest.mark.parametrize("environment", [{}, {"streams": []}, {"streams": None, "owner": "shop"}])
def test_an_empty_environment(environment):
    assert read(diagram(environment)) == ({"nothing": ("nothing is declared",)}, [])


def test_a_stream_without_subjects_takes_its_name_unless_it_takes_from_others():
    streams = [{"name": "A"}, {"name": "B", "mirror": {"name": "A"}}]
    streams += [{"name": "C", "sources": [{"name": "A"}], "subjects": []}]
    assert edges_of({"streams": streams}) == [
        (("A",), "-->", (), ("A",)),
        (("A",), "==>", ("mirror",), ("B",)),
        (("A",), "-->", ("source",), ("C",)),
    ]


def test_sources_say_what_they_take_and_what_becomes_of_it():
    sources = [
        {"name": "B", "filter_subject": "b.*"},
        {"name": "C", "subject_transforms": [{"src": "c.*", "dest": "d.{{wildcard(1)}}"}]},
        {"name": "E", "subject_transforms": [{"src": "e.x", "dest": ""}, {"dest": "f"}]},
    ]
    edges = edges_of({"streams": [{"name": "A", "sources": sources}]})
    assert [edge[2] for edge in edges] == [
        ("source", "b.*"),
        ("source", "c.* to d.{{wildcard(1)}}"),
        ("source", "e.x", "> to f"),
    ]


def test_the_transform_of_a_stream():
    stream = {"name": "A", "subjects": ["a.>"], "subject_transform": {"src": "a.>", "dest": "b.>"}}
    assert edges_of({"streams": [stream]}) == [(("a.>",), "-->", ("a.> to b.>",), ("A",))]


def test_origins_that_are_not_declared_are_dashed():
    text = diagram(
        {
            "streams": [
                {"name": "A", "sources": [{"name": "X"}, {"name": "KV_y"}]},
                {"name": "B", "mirror": {"name": "A", "external": {"api": "$JS.hub.API"}}},
            ]
        }
    )
    nodes, edges = read(text)
    assert ("A", "$JS.hub.API") in nodes.values()
    assert (("A", "$JS.hub.API"), "==>", ("mirror",), ("B",)) in edges
    dashed = [line.strip() for line in text.splitlines() if line.endswith(":::dashed")]
    assert dashed == [
        'stream_X["X"]:::dashed',
        'stream_KV_5fy[("y")]:::dashed',
        'stream_A___24JS_2ehub_2eAPI["A<br/>#36;JS.hub.API"]:::dashed',
    ]


def test_buckets_take_from_buckets():
    buckets = [
        {"bucket": "a"},
        {"name": "b", "mirror": {"name": "a"}},
        {
            "name": "c",
            "sources": [{"name": "a"}, {"name": "S", "subject_transforms": [{"src": ">"}]}],
        },
    ]
    edges = edges_of({"kv_buckets": buckets, "streams": [{"name": "S"}]})
    assert edges == [
        (("a",), "==>", ("mirror",), ("b",)),
        (("a",), "-->", ("source",), ("c",)),
        (("S",), "-->", ("source", ">"), ("c",)),
        (("S",), "-->", (), ("S",)),
    ]


def test_what_is_republished_leads_to_the_streams_that_take_it():
    republish = {"src": "a.x", "dest": "b.$1.{{wildcard(2)}}", "headers_only": True}
    streams = [
        {"name": "A", "subjects": ["a.>"], "republish": republish},
        {"name": "B", "subjects": ["b.*.c", "other"]},
        {"name": "C", "subjects": ["b.*"]},
    ]
    buckets = [{"name": "k", "republish": {"dest": "out.>"}}]
    edges = edges_of({"streams": streams, "kv_buckets": buckets})
    dest = ("b.$1.{{wildcard(2)}}",)
    assert [edge for edge in edges if edge[1] == "-.->"] == [
        (("A",), "-.->", ("republish headers", "a.x"), dest),
        (("k",), "-.->", ("republish",), ("out.>",)),
    ]
    assert [edge[3] for edge in edges if edge[0] == dest] == [("B",)]


def test_consumers_inside_and_beside_of_streams_of_buckets_and_of_others():
    environment = {
        "streams": [{"name": "A", "consumers": [{"name": "c", "filter_subjects": ["y", "x"]}]}],
        "kv_buckets": [{"name": "k"}],
        "consumers": [
            {"stream": "A", "durable_name": "d"},
            {"stream": "KV_k", "name": "w", "durable": False},
            {"stream": "ELSEWHERE", "name": "p", "deliver_subject": "out", "deliver_group": "g"},
        ],
    }
    text = diagram(environment)
    assert read(text)[1] == [
        (("A",), "-->", (), ("A",)),
        (("A",), "-->", ("x", "y"), ("c",)),
        (("A",), "-->", (), ("d",)),
        (("ELSEWHERE",), "-->", (), ("p",)),
        (("p",), "-->", ("push", "group g"), ("out",)),
        (("k",), "-->", (), ("w", "ephemeral")),
    ]
    assert 'consumer_KV_5fk__w{{"w<br/>ephemeral"}}:::dashed' in text
    assert 'stream_ELSEWHERE["ELSEWHERE"]:::dashed' in text
    assert edges_of(environment, consumers=False) == [(("A",), "-->", (), ("A",))]


def test_what_is_absent_is_left_out():
    streams = [
        {"name": "A", "state": "absent", "consumers": [{"name": "c"}]},
        {"name": "B", "consumers": [{"name": "d", "state": "absent"}]},
    ]
    assert set(read(diagram({"streams": streams}))[0]) == {"subjects_B", "stream_B"}
    assert set(read(diagram({"streams": streams, "state": "absent"}))[0]) == {"nothing"}


def test_defaults_count_where_an_entry_says_nothing():
    environment = {
        "defaults": {"streams": {"republish": {"dest": "copy"}}, "consumers": {"durable": False}},
        "streams": [
            {"name": "A", "republish": {"dest": "own"}, "consumers": [{"name": "c"}]},
            {"name": "B", "republish": None},
            {"name": "C", "reset": ["republish"]},
        ],
    }
    nodes, edges = read(diagram(environment))
    assert [edge[3] for edge in edges if edge[1] == "-.->"] == [("own",), ("copy",)]
    assert ("c", "ephemeral") in nodes.values()


@pytest.mark.parametrize("direction", ["LR", "TB"])
def test_the_direction(direction):
    assert diagram({}, direction=direction).startswith(f"flowchart {direction}\n")


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        (["streams"], "an environment is a dictionary, not a list"),
        (None, "an environment is a dictionary, not nothing"),
        ({"streams": "A"}, "streams is a list, not a text"),
        ({"streams": ["A"]}, r"streams\[0\] is a dictionary, not a text"),
        ({"streams": [{"subjects": ["a"]}]}, r"streams\[0\] has no name"),
        ({"consumers": [{"name": "c"}]}, r"consumers\[0\] has no stream"),
        ({"streams": [{"name": "A", "consumers": [{}]}]}, r"consumers of A\[0\] has no name"),
    ],
)
def test_what_is_no_environment_is_said(environment, message):
    with pytest.raises(TopologyError, match=message):
        diagram(environment)


def test_a_direction_that_is_none():
    with pytest.raises(TopologyError, match="LR, RL, TB, BT, not 'left'"):
        diagram({}, direction="left")


# What Mermaid, HTML, or the Markdown in labels would take for something else.
ODD = [
    "end",
    "-",
    "---",
    "1",
    "#",
    "a#b;",
    "#quot;",
    '"',
    "`a`",
    "<b>",
    "&amp;",
    "a|b",
    "]",
    "__a__",
]
ODD += [
    "$$x$$",
    "~~a~~",
    "Straße",
    "注文",
    "🙂",
    "%%",
    "subgraph",
    "a_b",
    "a-b",
    "www-x",
    ":::c",
    "{{}}",
    "KV_",
    "OBJ_",
]


@pytest.mark.parametrize("name", ODD)
def test_odd_names_are_shown_as_they_are(name):
    environment = {"streams": [{"name": name, "consumers": [{"name": name}]}]}
    nodes, edges = read(diagram(environment))
    assert list(nodes.values()) == [(name,)] * 3
    assert len(edges) == 2


@pytest.mark.parametrize("subject", ["*", ">", "*.a.*", "www.a", "a.WWW.b", "1.2", "-.-", "_.a_._"])
def test_no_markdown_is_left_of_a_subject(subject):
    text = diagram({"streams": [{"name": "A", "subjects": [subject]}]})
    assert (subject,) in read(text)[0].values()
    label = text.splitlines()[1].partition('"')[2]
    assert not re.search(r"[*>]|www\.|(?:^|\W)[-_]|[-_](?:\W|$)", label.rpartition('"')[0], re.I)


def test_names_that_look_alike_have_ids_of_their_own():
    names = ["a_b", "a-b", "a__b", "a_5fb", "KV_x", "a", "ab"]
    consumers = [{"stream": "a", "name": "b_c"}, {"stream": "a_b", "name": "c"}]
    streams = [{"name": name} for name in names]
    nodes, _edges = read(diagram({"streams": streams, "consumers": consumers}))
    assert len(nodes) == 2 * len(names) + 2


NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"]), min_size=1)
ENTRIES = st.fixed_dictionaries(
    {"name": NAMES},
    optional={
        "subjects": st.lists(NAMES, max_size=3),
        "mirror": st.fixed_dictionaries({"name": NAMES}),
        "sources": st.lists(st.fixed_dictionaries({"name": NAMES, "filter_subject": NAMES})),
        "republish": st.fixed_dictionaries({"dest": NAMES}),
    },
)
CONSUMERS = st.fixed_dictionaries(
    {"name": NAMES, "stream": NAMES}, optional={"filter_subject": NAMES, "durable": st.booleans()}
)
ENVIRONMENTS = st.fixed_dictionaries(
    {},
    optional={
        "streams": st.lists(ENTRIES, unique_by=lambda entry: entry["name"]),
        "kv_buckets": st.lists(ENTRIES, unique_by=lambda entry: entry["name"]),
        "consumers": st.lists(CONSUMERS, unique_by=lambda one: (one["stream"], one["name"])),
    },
)


@given(ENVIRONMENTS, st.randoms(use_true_random=False))
def test_any_environment_is_drawn_in_one_way(environment, chance):
    text = diagram(environment)
    nodes, _edges = read(text)
    for entry in environment.get("streams", []):
        assert (entry["name"],) in nodes.values()
    shuffled = json.loads(json.dumps(environment))
    for entries in shuffled.values():
        chance.shuffle(entries)
    assert diagram(shuffled) == text

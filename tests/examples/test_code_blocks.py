# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The code blocks of guides and README files run as they stand, in their order.

Playbooks, lists of tasks, and declarations of environments are run, the blocks of one document on
one server. A block with a caption is a file of that name for the others. A comment before a block
says what else there is to know of it (``.. example: in domains; twice``):

- ``file NAME``: what a caption says, where there are none
- ``in NAME``: it needs more than a server, see PLACES
- ``twice``: the second run has to change nothing
- ``run``: commands, the lines that begin with ``$``, are run as well
- ``warns``: its warnings are part of what it shows
- ``fails: TEXT``: it fails with this text
- ``not run: REASON``
"""

from __future__ import annotations

import contextlib
import getpass
import itertools
import json
import re
import sys
import textwrap
import time

import pytest
import yaml
from certificates import Authority
from operators import Operator, credentials
from playing import environment, run

from harness import blocks, servers
from harness.client import Client, NoResponders
from harness.paths import ROOT

DOCUMENTS = sorted(
    str(path.relative_to(ROOT))
    for pattern in ("*.md", "docs/docsite/rst/*.rst", "roles/*/README.md")
    for path in ROOT.glob(pattern)
    if path.name != "CHANGELOG.md"
)
BLOCKS = {name: blocks.blocks_of((ROOT / name).read_text()) for name in DOCUMENTS}
RUN = ("playbook", "tasks", "declaration")
WORDS = ("file", "in", "twice", "run", "warns", "fails", "not run")

# What would change the machine that the tests run on. The role has scenarios of molecule instead.
OF_THE_MACHINE = re.compile(r"\bbecome: true|nats\.jetstream\.nats_server\b")
# Folders of a real machine are below the folder of the test.
FOLDERS = re.compile(r"(?<![\w./:-])/(?:srv|opt|var|etc|backup)\b")
# What a document takes for granted: its files, and texts that no machine of a test can have.
FILES = {
    "docs/docsite/rst/guide_objects.rst": {
        "srv/build/shop-1.4.2.tar.gz": "a release",
        "opt/shop/": "",
    },
    "docs/docsite/rst/guide_role.rst": {"teams/more.yml": "streams: []"},
    "roles/jetstream_environment/README.md": {"teams/more.yml": "streams: []"},
}
TEXTS = {
    "docs/docsite/rst/guide_objects.rst": {
        # No such user and no such service.
        "owner: shop": f"owner: {getpass.getuser()}",
        "ansible.builtin.service:\n        name: shop\n        state: restarted": (
            "ansible.builtin.debug:\n        msg: restarted"
        ),
    },
}
SECRETS = {"vaulted_password": "a password", "vaulted_payment_token": "a token"}

TASKS = """\
- name: The tasks of a block
  hosts: localhost
  gather_facts: false
  tasks:
{tasks}
"""
DECLARATION = """\
- name: The environment of a block
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Provision it
      ansible.builtin.import_role:
        name: nats.jetstream.jetstream_environment
      vars:
        jetstream_environment_files:
          - {file}
"""


class Place:
    """Where blocks run: servers, and what in a text stands for them."""

    def __init__(self, folder, url, texts=None, variables=None, env=None):
        self.folder = folder
        # The longer text first: one may be the beginning of another.
        self.texts = {
            "nats://nats.example.com:4222": url,
            "nats://nats.example.com": url,
            **(texts or {}),
        }
        self.variables = {**SECRETS, **(variables or {})}
        self.env = environment(folder, NATS_URL=url, HOME=str(folder), **(env or {}))


@contextlib.contextmanager
def one_server(folder, binary):
    with servers.Server(binary) as server:
        yield Place(folder, server.url)


@contextlib.contextmanager
def with_tls(folder, binary):
    """An account of an operator, and a certificate that the system trusts."""
    authority, operator = Authority(folder), Operator()
    certificate, key = authority.issue("localhost")
    tls = {"cert_file": str(certificate), "key_file": str(key)}
    with servers.Server(binary, {**operator.config, "tls": tls}) as server:
        yield Place(
            folder,
            server.url,
            {"tls://nats.example.com": f"tls://localhost:{server.port}"},
            {"vaulted_credentials": credentials(*operator.user())},
            {"SSL_CERT_FILE": str(authority.path)},
        )


@contextlib.contextmanager
def production(folder, binary):
    """The account SHOP in the cluster east, and a context of the nats command for it."""
    login = {"user": "shop", "password": "a password"}
    accounts = {"SHOP": {"jetstream": "enabled", "users": [login]}}
    with servers.Cluster(3, binary, {"accounts": accounts}, name="east") as cluster:
        context = folder / ".config" / "nats" / "context" / "production.json"
        context.parent.mkdir(parents=True)
        context.write_text(json.dumps({"url": ",".join(cluster.urls), **login}))
        yield Place(folder, cluster.urls[0])


@contextlib.contextmanager
def three_servers(folder, binary):
    with servers.Cluster(3, binary) as cluster:
        names = {f"nats://{one.name}.example.com:4222": one.url for one in cluster.servers}
        yield Place(folder, cluster.urls[0], names)


@contextlib.contextmanager
def domains(folder, binary):
    """Servers with a JetStream domain each: a hub, and a leaf node at the edge."""
    listen = {"leafnodes": {"listen": "127.0.0.1:-1"}}
    with servers.Server(binary, {**domain(folder, "hub"), **listen}, "hub") as hub:
        port = re.search(r"Listening for leafnode connections on [\d.]+:(\d+)", hub.log())[1]
        remote = {"leafnodes": {"remotes": [{"url": f"nats://127.0.0.1:{port}"}]}}
        with servers.Server(binary, {**domain(folder, "edge"), **remote}, "edge") as edge:
            wait_for_domain(edge, "hub")
            wait_for_domain(hub, "edge")
            yield Place(folder, hub.url, {"nats://edge.example.com:4222": edge.url})


def domain(folder, name):
    return {"jetstream": {"store_dir": str(folder / name), "domain": name}}


def wait_for_domain(server, name):
    """Return when the JetStream API of a domain answers through the leaf node."""
    with Client(server.url) as nats:
        deadline = time.monotonic() + 60
        while True:
            with contextlib.suppress(NoResponders, TimeoutError):
                nats.ok("INFO", prefix=f"$JS.{name}.API")
                return
            assert time.monotonic() < deadline, server.log()
            time.sleep(0.05)


PLACES = {
    "": one_server,
    "tls": with_tls,
    "production": production,
    "cluster": three_servers,
    "domains": domains,
}


def words_of(block):
    """Return the words of a mark that take something, with it, and the others with True."""
    found = {}
    for word in block.words:
        name = next(name for name in WORDS if re.match(rf"{name}\b", word))
        found[name] = word[len(name) :].strip(": ") or True
    return found


def file_of(block):
    """Return the name of the file that a block is, or None."""
    return block.caption or words_of(block).get("file")


def is_used(document, block):
    """Whether another block runs the file that this one is."""
    others = [other for other in BLOCKS[document] if other != block and to_run(document, other)]
    return any(file_of(block) in other.text for other in others)


def to_run(document, block):
    words = words_of(block)
    if "not run" in words or (block.kind == "other" and "run" not in words):
        return False
    assert not OF_THE_MACHINE.search(block.text), f"{document}:{block.line} changes this machine"
    if block.kind == "declaration" and file_of(block):
        return not is_used(document, block)
    return block.kind in RUN or "run" in words


def adapted(document, text, place):
    for old, new in {**TEXTS.get(document, {}), **place.texts}.items():
        text = text.replace(old, new)
    return FOLDERS.sub(lambda found: f"{place.folder}{found[0]}", text)


def inventory_of(document, place):
    """Return an inventory: every group that a playbook of the document names has one host."""
    groups = {
        play["hosts"]
        for block in BLOCKS[document]
        if block.kind == "playbook"
        for play in yaml.load(block.text, blocks.Loader)
        if play.get("hosts", "localhost") not in ("localhost", "all")
    }
    local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    children = {name: {"hosts": {f"{name}-1": local}} for name in sorted(groups)}
    hosts = {"localhost": local}
    return {"all": {"vars": place.variables, "hosts": hosts, "children": children}}


def write(document, block, place):
    """Write the playbook that a block is, or that has what it is, and return its file."""
    text = adapted(document, block.text, place)
    file = place.folder / (file_of(block) or f"line-{block.line}.yml")
    if block.kind == "declaration":
        declared = file.with_name(f"declared-{block.line}.yml")
        declared.write_text(text)
        text = DECLARATION.format(file=declared)
    elif block.kind == "tasks":
        text = TASKS.format(tasks=textwrap.indent(text.removeprefix("---\n"), "    "))
    file.write_text(text)
    return file


def script_of(text):
    """Return the commands of a session: what follows "$ ", with the lines that continue it."""
    lines, continued = [], False
    for line in text.splitlines():
        if continued or line.startswith("$ "):
            lines.append(line if continued else line[2:])
            continued = line.endswith("\\")
    return "\n".join(lines)


def run_alone(document, block, place):
    """Run a block that has commands, or that has to fail."""
    words = words_of(block)
    if block.kind == "other":
        script = script_of(adapted(document, block.text, place))
        code, output = run(["bash", "-euo", "pipefail", "-c", script], place.folder, place.env)
    else:
        file = write(document, block, place)
        code, output = run(["ansible-playbook", str(file)], place.folder, place.env)
    shown = f"{document}:{block.line}\n{output}"
    assert (code != 0) is ("fails" in words), shown
    assert words.get("fails", "") in output.replace("\n", " "), shown
    assert "[WARNING]" not in output or words.keys() & {"fails", "warns"}, shown


def run_together(document, several, place):
    """Run blocks in one run of Ansible, which takes a second to begin, and look at each."""
    files, plays = [], []
    for block in several:
        file = write(document, block, place)
        for again in (False, True) if "twice" in words_of(block) else (False,):
            files.append(str(file))
            count = len(yaml.load(file.read_text(), blocks.Loader))
            plays += [(block, again)] * count
    code, output = run(["ansible-playbook", *files], place.folder, place.env)
    parts = re.split(r"^PLAY \[", output, flags=re.MULTILINE)[1:]
    for (block, again), part in zip(plays, parts):
        shown = f"{document}:{block.line}\n{part}"
        assert code == 0 or part is not parts[-1], shown
        assert "[WARNING]" not in part or "warns" in words_of(block), shown
        assert not again or not re.search(r"^changed: ", part, re.MULTILINE), shown
    assert code == 0, output
    assert len(parts) == len(plays), output


def is_alone(block):
    return block.kind == "other" or "fails" in words_of(block)


def prepare(document, place):
    """Make the folder of a place what the document takes for granted."""
    for name, content in FILES.get(document, {}).items():
        path = place.folder / name
        (path if name.endswith("/") else path.parent).mkdir(parents=True, exist_ok=True)
        if not name.endswith("/"):
            path.write_text(content)
    for block in BLOCKS[document]:
        if file_of(block):
            path = place.folder / file_of(block)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(adapted(document, block.text, place))
    inventory = place.folder / "inventory.yml"
    inventory.write_text(json.dumps(inventory_of(document, place)))
    place.env["ANSIBLE_INVENTORY"] = str(inventory)


@pytest.mark.parametrize("document", [name for name in DOCUMENTS if BLOCKS[name]])
def test_the_blocks_run(document, newest_server, tmp_path):
    places = {}
    running = [block for block in BLOCKS[document] if to_run(document, block)]
    with contextlib.ExitStack() as stack:
        for (name, alone), group in itertools.groupby(
            running, lambda block: (words_of(block).get("in", ""), is_alone(block))
        ):
            if name not in places:
                folder = tmp_path / (name or "plain")
                folder.mkdir()
                places[name] = stack.enter_context(PLACES[name](folder, newest_server.binary))
                prepare(document, places[name])
            if alone:
                for block in group:
                    run_alone(document, block, places[name])
            else:
                run_together(document, list(group), places[name])


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_block_is_run_or_a_file(document):
    """A block of YAML that is neither is a text that nobody checks."""
    wrong = [
        f"{document}:{block.line} is no playbook, no task, no environment, and no file"
        for block in BLOCKS[document]
        if block.kind == "data" and not file_of(block) and "not run" not in words_of(block)
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("title", "reason"),
    [
        (f"{document}:{block.line}", words_of(block)["not run"])
        for document in DOCUMENTS
        for block in BLOCKS[document]
        if "not run" in words_of(block)
    ]
    or [("no block", "")],
)
def test_a_block_that_is_not_run_says_why(title, reason):
    if reason:
        pytest.skip(f"a block that is not run: {reason}")

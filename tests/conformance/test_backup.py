# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Backups and restores: what goes in comes out, and what fails leaves nothing behind."""

from __future__ import annotations

import hashlib
import io
import json
import os
import stat
import subprocess
import tarfile

import pytest
from independent import Account
from snapshots import (
    SECOND,
    V210,
    V215,
    acknowledge,
    archive_of,
    filled,
    largest_file,
    nats_command,
    picture,
    s2_stored,
    tree,
)

from ansible_collections.nats.jetstream.plugins.module_utils import _backup_files, _snapshot
from ansible_collections.nats.jetstream.plugins.modules import (
    jetstream_backup,
    jetstream_restore,
    jetstream_stream,
)
from harness import client, servers

FORETOLD = ("changed", "diff")


@pytest.fixture
def backup(run_module, tmp_path):
    """``backup(streams=["S"])`` into the same directory each time, which is in ``backup.path``."""

    def run(**args):
        return run_module(jetstream_backup, path=str(run.path), **args)

    run.path = tmp_path / "backups"
    return run


@pytest.fixture
def restore(run_module, backup):
    def run(folder="S", **args):
        return run_module(jetstream_restore, path=str(backup.path / folder), **args)

    return run


def good(result):
    assert not result.get("failed"), result
    return result


def failed(result):
    assert result.get("failed"), result
    return result["msg"]


# --------------------------------------------------------------------------------------------------
# There and back
# --------------------------------------------------------------------------------------------------


def test_what_goes_in_comes_out(account, backup, restore):
    filled(account)
    before = picture(account)
    check = good(backup(check=True))
    assert not backup.path.exists()
    done = good(backup())
    assert [check[key] for key in FORETOLD] == [done[key] for key in FORETOLD]
    (row,) = done["streams"]
    assert (row["action"], row["messages"], row["consumers"]) == ("backup", 56, 2)
    account.ok("STREAM.DELETE.S")
    check = good(restore(check=True))
    assert account.info("S") is None
    done = good(restore())
    assert [check[key] for key in FORETOLD] == [done[key] for key in FORETOLD]
    assert done["changed"] is True
    assert picture(account) == before
    again = good(restore())
    assert (again["changed"], again["streams"][0]["action"]) == (False, "none")
    # It lives on: the next message is the next sequence, the consumers go on where they were.
    assert account.store("s.1") == [before["state"]["last_seq"] + 1]
    acknowledge(account, "S", "half", 1)


def test_the_layout(account, backup):
    filled(account)
    (row,) = good(backup())["streams"]
    folder = backup.path / "S"
    assert row["path"] == str(folder)
    name = "stream.arc.s2" if account.release >= V215 else "stream.tar.s2"
    assert {file.name for file in folder.iterdir()} == {"backup.json", "manifest.json", name}
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}
    assert {stat.S_IMODE(one.stat().st_mode) for one in (backup.path, folder)} == {0o700}
    meta = json.loads((folder / "backup.json").read_text())
    assert set(meta) == {"config", "state"}
    assert meta["config"]["name"] == "S"
    assert meta["state"]["messages"] == account.state("S")["messages"]
    data = (folder / name).read_bytes()
    assert (row["bytes"], row["sha256"]) == (len(data), hashlib.sha256(data).hexdigest())


def test_an_empty_stream(account, backup, restore):
    account.stream("S", subjects=["s.>"])
    account.store("s.a", "s.b")
    account.ok("STREAM.PURGE.S")
    before = picture(account)
    good(backup())
    account.ok("STREAM.DELETE.S")
    good(restore())
    assert picture(account) == before
    assert account.store("s.a") == [3]


@pytest.mark.parametrize("chunk, window", [("1KiB", None), ("1MiB", None), ("64KiB", "128KiB")])
def test_chunks_and_windows(chunk, window, account, backup, restore):
    if window and account.release < V215:
        pytest.skip("window_size is of nats-server 2.12.5 and later")
    filled(account, messages=300, size=4000)
    before = picture(account)
    good(backup(chunk_size=chunk, window_size=window, check=False))
    account.ok("STREAM.DELETE.S")
    good(restore())
    assert picture(account) == before


def test_without_consumers_and_with_a_check(account, run_module, backup, restore):
    filled(account)
    before = picture(account)
    args = {"path": str(backup.path), "consumers": False}
    (row,) = good(run_module(jetstream_backup, **args))["streams"]
    assert row["consumers"] == 0
    account.ok("STREAM.DELETE.S")
    good(restore())
    assert picture(account) == {**before, "consumers": {}}


def test_the_whole_account_and_buckets(account, backup):
    filled(account, "S")
    filled(account, "A")
    account.stream("KV_settings", subjects=["$KV.settings.>"], max_msgs_per_subject=1)
    account.stream("OBJ_files", subjects=["$O.files.>"])
    names = [row["name"] for row in good(backup(check=True))["streams"]]
    assert sorted(names) == ["A", "KV_settings", "OBJ_files", "S"]
    names = [row["name"] for row in good(backup(kv_buckets=["set*"], streams=[]))["streams"]]
    assert names == ["KV_settings"]
    names = [row["name"] for row in good(backup(object_buckets=["files"]))["streams"]]
    assert names == ["OBJ_files"]
    good(backup())
    assert {one.name for one in backup.path.iterdir()} == {"A", "KV_settings", "OBJ_files", "S"}


def test_a_directory_of_several(account, backup, restore):
    filled(account, "S")
    filled(account, "A")
    before = picture(account, "S"), picture(account, "A")
    good(backup())
    account.clear()
    assert "streams: " in failed(restore("", streams=["NONE"]))
    assert "streams: none of the 2 backups in " in failed(restore("", streams=["N*"]))
    assert "streams: none of the 2 backups in " in failed(restore("", streams=[]))
    good(restore("", streams=["A*"]))
    assert account.info("S") is None
    rows = good(restore(""))["streams"]
    assert [(row["name"], row["action"]) for row in rows] == [("A", "none"), ("S", "restore")]
    assert (picture(account, "S"), picture(account, "A")) == before


def test_consumers_in_memory(account, backup, restore):
    filled(account)
    account.consumer("S", "light", mem_storage=True)
    done = good(backup())
    left = [one["consumer"] for one in done["streams"][0]["left_out"]]
    assert left == ([] if account.release >= V215 else ["light"])
    assert any("light" in text for text in done["warnings"]) == bool(left)
    names = set(picture(account)["consumers"])
    account.ok("STREAM.DELETE.S")
    good(restore())
    assert set(picture(account)["consumers"]) == names - set(left)


def test_streams_in_memory(account, backup, restore):
    filled(account, storage="memory")
    before = picture(account)
    check, done = good(backup(check=True)), good(backup())
    if account.release >= V215:
        account.ok("STREAM.DELETE.S")
        good(restore())
        assert picture(account) == before
        return
    for result in (check, done):
        assert result["changed"] is False
        assert result["streams"][0]["action"] == "skipped"
        assert "memory" in result["warnings"][0]


# --------------------------------------------------------------------------------------------------
# Whether
# --------------------------------------------------------------------------------------------------


def test_only_what_has_changed(account, backup):
    filled(account)
    good(backup())
    kept = tree(backup.path)
    for check in (True, False):
        result = good(backup(check=check))
        assert (result["changed"], result["streams"][0]["action"]) == (False, "none")
    assert tree(backup.path) == kept
    changes = (
        lambda: account.store("s.1"),
        lambda: acknowledge(account, "S", "half", 1),
        lambda: account.ok("STREAM.MSG.DELETE.S", {"seq": 20}),
        lambda: account.consumer("S", "third"),
        lambda: account.ok("STREAM.UPDATE.S", {**account.stored("S"), "description": "new"}),
    )
    for change in changes:
        change()
        assert good(backup(check=True))["changed"] is True
        assert good(backup())["changed"] is True
        assert good(backup())["changed"] is False
    assert good(backup(only_if_changed=False))["changed"] is True
    archive_of(backup.path / "S").unlink()
    assert good(backup())["changed"] is True


def test_generations(account, backup, restore):
    account.stream("S", subjects=["s.>"])
    for _number in range(5):
        account.store("s.a")
        good(backup(keep=3))
    previous = sorted((backup.path / "S" / "previous").iterdir())
    counts = [
        json.loads((one / "backup.json").read_text())["state"]["messages"] for one in previous
    ]
    assert counts == [3, 4]
    account.ok("STREAM.DELETE.S")
    good(restore(f"S/previous/{previous[0].name}"))
    assert account.state("S")["messages"] == 3
    good(backup(keep=1))
    assert not (backup.path / "S" / "previous").exists()


def test_names_that_do_not_exist(account, backup):
    check = good(backup(streams=["NONE"], check=True))
    assert check["changed"] is True
    assert "NONE" in check["warnings"][0]
    assert "NONE" in failed(backup(streams=["NONE"]))
    assert good(backup(streams=["NONE*"]))["streams"] == []


@pytest.mark.parametrize(
    "args, place",
    [
        ({"streams": ["a.b"]}, "streams[0]"),
        ({"chunk_size": "1"}, "chunk_size"),
        ({"window_size": "33MiB"}, "window_size"),
        ({"keep": 0}, "keep"),
        ({"parallel": 0}, "parallel"),
    ],
)
def test_options_that_are_wrong(args, place, account, backup):
    assert backup(**args)["problems"][0]["place"] == place


def test_what_is_no_backup_is_left_alone(account, backup):
    filled(account)
    (backup.path / "S").mkdir(parents=True)
    (backup.path / "S" / "letter.txt").write_text("dear")
    before = tree(backup.path)
    assert "something other" in failed(backup())
    assert "something other" in failed(backup(check=True))
    assert tree(backup.path) == before


def test_one_at_a_time(account, backup):
    filled(account)
    with _backup_files.locked(str(backup.path)):
        assert "another task" in failed(backup())
    good(backup())


# --------------------------------------------------------------------------------------------------
# Backups that fail
# --------------------------------------------------------------------------------------------------


def test_a_full_disk(account, backup):
    filled(account, messages=300, size=5000)
    good(backup(streams=["S"]))
    before = tree(backup.path)
    account.store("s.1")
    with largest_file(400_000):
        result = backup()
    assert "File too large" in failed(result)
    assert result["streams"][0]["action"] == "failed"
    assert tree(backup.path) == before
    assert [one.name for one in backup.path.iterdir()] == ["S"]
    good(backup())


def test_one_that_fails_does_not_stop_the_others(account, backup):
    filled(account, "A")
    filled(account, "S")
    (backup.path / "A").mkdir(parents=True)
    (backup.path / "A" / "letter.txt").write_text("dear")
    result = backup()
    assert "1 of 2" in failed(result)
    assert [row["action"] for row in result["streams"]] == ["failed", "backup"]


def test_the_server_dies(own_server, run_module, tmp_path, monkeypatch):
    with client.Client(own_server.url) as nats:
        nats.ok("STREAM.CREATE.S", {"name": "S", "subjects": ["s.>"]})
        # More than a server sends ahead (8 MiB), and more than waits in the kernel when it dies.
        for _number in range(40):
            nats.request("s.a", os.urandom(1_000_000))
    good(run_module(jetstream_backup, path=str(tmp_path)))
    before = tree(tmp_path)
    write = _backup_files.Writer.write

    def dying(self, chunk):
        own_server.kill()
        write(self, chunk)

    monkeypatch.setattr(_backup_files.Writer, "write", dying)
    args = {"path": str(tmp_path), "only_if_changed": False, "retry_for": "1s"}
    assert "lost" in failed(run_module(jetstream_backup, **args))
    assert tree(tmp_path) == before


def test_a_run_that_was_killed(account, backup):
    """Before the renames, between them, and after them."""
    filled(account)
    good(backup())
    folder = backup.path / "S"
    (backup.path / ".S.new").mkdir()
    (backup.path / ".S.new" / "stream.part").write_bytes(b"x")
    account.store("s.1")
    good(backup())
    assert [one.name for one in backup.path.iterdir()] == ["S"]
    folder.rename(backup.path / ".S.old")
    account.store("s.1")
    good(backup(keep=2))
    assert [one.name for one in backup.path.iterdir()] == ["S"]
    assert len(list((folder / "previous").iterdir())) == 1


# --------------------------------------------------------------------------------------------------
# Permissions and accounts
# --------------------------------------------------------------------------------------------------


def limited(binary, *publish):
    """A server whose user may publish only to these subjects; another may do anything."""
    users = [
        {
            "user": "limited",
            "password": "swordfish",
            "permissions": {"publish": list(publish), "subscribe": "_INBOX.>"},
        },
        {"user": "all", "password": "swordfish"},
    ]
    return servers.Server(binary, {"authorization": {"users": users}})


def test_missing_permissions_are_named(server, run_module, tmp_path):
    with (
        limited(server.binary, "$JS.API.>", "$SYS.REQ.USER.INFO") as own,
        client.Client(own.url.replace("//", "//all:swordfish@")) as nats,
    ):
        nats.ok("STREAM.CREATE.S", {"name": "S", "subjects": ["s.>"]})
        for _number in range(400):
            nats.publish("s.a", os.urandom(50_000))
        nats.flush()
        login = {"servers": [own.url], "user": "limited", "password": "swordfish"}
        args = {**login, "path": str(tmp_path / "b"), "retry_for": "1s"}
        text = failed(run_module(jetstream_backup, **args))
        assert "$JS.SNAPSHOT.ACK" in text.upper()
        assert "permission" in text
        assert not list((tmp_path / "b").iterdir())
        # 2.9 and 2.10 refuse another snapshot until they have given the first one up.
        all_of_it = {**args, "user": "all", "retry_for": "30s"}
        rows = good(run_module(jetstream_backup, **all_of_it))["streams"]
        assert [row["action"] for row in rows] == ["backup"]
        # Replacing is refused before anything is deleted.
        nats.request("s.a", b"x")
        before = nats.ok("STREAM.INFO.S")
        for replace in (True, False):
            if not replace:
                nats.ok("STREAM.DELETE.S")
            args["path"] = str(tmp_path / "b" / "S")
            result = run_module(
                jetstream_restore, **args, replace=replace, safety_path=str(tmp_path / "s")
            )
            text = failed(result)
            assert "$JS.SNAPSHOT.RESTORE" in text.upper()
            assert "permission" in text
            if replace:
                after = nats.ok("STREAM.INFO.S")
                assert (after["created"], after["config"]) == (
                    before["created"],
                    before["config"],
                )
        assert nats.ok("STREAM.NAMES")["streams"] in (None, [])


def test_an_account_that_imports_the_api_alone(server, run_module, tmp_path, monkeypatch):
    monkeypatch.setattr(_snapshot, "IDLE", 2.0)
    accounts = {
        "A": {
            "jetstream": "enabled",
            "users": [{"user": "a", "password": "swordfish"}],
            "exports": [{"service": "$JS.API.>"}],
        },
        "B": {
            "users": [{"user": "b", "password": "swordfish"}],
            "imports": [{"service": {"account": "A", "subject": "$JS.API.>"}, "to": "from.a.>"}],
        },
    }
    with servers.Server(server.binary, {"accounts": accounts}) as own:
        nats = client.Client(own.url.replace("//", "//a:swordfish@"))
        with nats:
            nats.ok("STREAM.CREATE.S", {"name": "S", "subjects": ["s.>"]})
            for _number in range(100):
                nats.publish("s.a", os.urandom(50_000))
            nats.flush()
            args = {
                "servers": [own.url],
                "path": str(tmp_path),
                "user": "a",
                "password": "swordfish",
            }
            good(run_module(jetstream_backup, **args))
            through = {**args, "user": "b", "api_prefix": "from.a", "only_if_changed": False}
            text = failed(run_module(jetstream_backup, **through))
            assert "$JS.SNAPSHOT.ACK.>" in text
            nats.ok("STREAM.DELETE.S")
            del through["only_if_changed"]
            through["path"] = str(tmp_path / "S")
            text = failed(run_module(jetstream_restore, **through))
            assert "$JS.SNAPSHOT.RESTORE.>" in text


def test_a_domain(server, run_module, tmp_path):
    jetstream = {"store_dir": str(tmp_path / "store"), "domain": "hub"}
    with servers.Server(server.binary, {"jetstream": jetstream}) as own:
        nats = client.Client(own.url)
        with nats:
            nats.ok("STREAM.CREATE.S", {"name": "S", "subjects": ["s.>"]})
            nats.request("s.a", b"x")
            args = {"servers": [own.url], "path": str(tmp_path / "b"), "domain": "hub"}
            good(run_module(jetstream_backup, **args))
            nats.ok("STREAM.DELETE.S")
            good(run_module(jetstream_restore, **args))
            assert nats.ok("STREAM.INFO.S")["state"]["messages"] == 1


def test_a_domain_behind_a_leafnode(server, run_module, tmp_path):
    """Backups, restores and migrations of a hub, by a user of the other end."""
    listen = f"127.0.0.1:{servers.free_port()}"

    def settings(name, **leafnodes):
        return {
            "jetstream": {"store_dir": str(tmp_path / name), "domain": name},
            "leafnodes": leafnodes,
        }

    hub, rim = (
        settings("hub", listen=listen),
        settings("rim", remotes=[{"url": f"nats://{listen}"}]),
    )
    with servers.Server(server.binary, hub, "hub") as own, client.Client(own.url) as nats:
        account = Account(nats, own)
        filled(account, deny_purge=True)
        with servers.Server(server.binary, rim, "rim") as far:
            args = {"servers": [far.url], "domain": "hub"}
            moved = {"recreate": "migrate", "migrate_path": str(tmp_path / "m"), **args}
            moved.update(name="S", deny_purge=False)
            # Only what the hub answers tells which version it has.
            wait = good(run_module(jetstream_stream, **moved, check=True))["migration"]["wait"]
            assert bool(wait) == (account.release >= V215)
            config = {**account.stored("S"), "duplicate_window": SECOND // 10}
            nats.ok("STREAM.UPDATE.S", config)
            before = picture(account)
            good(run_module(jetstream_backup, **args, path=str(tmp_path / "b"), streams=["S"]))
            done = good(run_module(jetstream_stream, **moved))
            assert done["action"] == "migrate"
            after = picture(account)
            assert (before["config"].pop("deny_purge"), after["config"].pop("deny_purge")) == (
                True,
                False,
            )
            assert after == before
            args["path"] = str(tmp_path / "b" / "S")
            safety = str(tmp_path / "m")
            for prepare in (lambda: nats.ok("STREAM.DELETE.S"), lambda: account.store("s.1")):
                prepare()
                good(run_module(jetstream_restore, **args, replace=True, safety_path=safety))
                restored = picture(account)
                assert restored["config"].pop("deny_purge") is True
                assert restored == before


# --------------------------------------------------------------------------------------------------
# Archives that are not to be trusted
# --------------------------------------------------------------------------------------------------


def stripped(backup):
    """The folder of the backup as the nats command would have written it: without a manifest."""
    folder = backup.path / "S"
    (folder / "manifest.json").unlink()
    return folder


@pytest.mark.parametrize("manifest", [True, False])
@pytest.mark.parametrize("cut", [0, 5, 12, 1000, -1])
def test_a_truncated_archive(manifest, cut, account, backup, restore):
    filled(account)
    good(backup())
    if not manifest:
        stripped(backup)
    archive = archive_of(backup.path / "S")
    archive.write_bytes(archive.read_bytes()[:cut])
    account.ok("STREAM.DELETE.S")
    assert str(archive) in failed(restore())
    assert account.info("S") is None


def test_a_changed_archive(account, backup, restore):
    filled(account)
    good(backup())
    archive = archive_of(backup.path / "S")
    data = bytearray(archive.read_bytes())
    data[len(data) // 2] ^= 0xFF
    archive.write_bytes(bytes(data))
    account.ok("STREAM.DELETE.S")
    assert "SHA-256" in failed(restore())


def test_a_changed_archive_without_a_checksum(account, backup, restore):
    """The server finds it. 2.15 leaves what it had restored by then, which goes again."""
    filled(account, messages=600, size=5000)
    good(backup())
    archive = archive_of(stripped(backup))
    data = bytearray(archive.read_bytes())
    data[len(data) // 2] ^= 0xFF
    archive.write_bytes(bytes(data))
    account.ok("STREAM.DELETE.S")
    result = restore()
    assert result.get("err_code") == 10062, result
    assert account.info("S") is None


def tar_of(*entries):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, data, kind in entries:
            member = tarfile.TarInfo(name)
            member.type, member.size, member.linkname = kind, len(data), "/etc/passwd"
            tar.addfile(member, io.BytesIO(data))
    return out.getvalue()


META = ("meta.inf", b"{}", tarfile.REGTYPE)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        tar_of(META, ("../evil", b"x", tarfile.REGTYPE)),
        tar_of(META, ("/etc/evil", b"x", tarfile.REGTYPE)),
        tar_of(META, ("msgs/../../evil", b"x", tarfile.REGTYPE)),
        tar_of(META, ("obs/../meta.inf", b"{}", tarfile.REGTYPE)),
        tar_of(META, ("msgs/1.blk", b"", tarfile.SYMTYPE)),
        tar_of(META, ("errors.txt", b"could not read", tarfile.REGTYPE)),
        tar_of(META)[:-10240],
        b"NATSARC1" + b"\xff" * 40,
        b"NATSARC1" + b"\x0a\x00\x00\x00\xff\xff\xff\xff\x7fstate.json",
        b"NATSARC1" + b"\x0a\x00\x00\x00\x02state.json{}" + b"\x01",
    ],
)
def test_an_archive_that_somebody_made(data, account, backup, restore):
    filled(account)
    good(backup())
    archive_of(stripped(backup)).write_bytes(s2_stored(data))
    account.ok("STREAM.DELETE.S")
    assert "archive" in failed(restore())
    assert account.info("S") is None


@pytest.mark.parametrize(
    "meta",
    [
        "",
        "[]",
        "{}",
        '{"config": {"name": "a.b"}, "state": {}}',
        '{"config": {"name": "S"}, "state": {"messages": "many"}}',
        '{"config": {"name": "S", "subjects": ["s.>"]}, "state": {"messages": 1, "last_seq": 9}}',
        '{"config": {"name": "S", "subjects": ["t.>"]}, "state": {"messages": 56}}',
    ],
)
def test_a_meta_file_that_somebody_made(meta, account, backup, restore):
    filled(account)
    good(backup())
    (stripped(backup) / "backup.json").write_text(meta)
    account.ok("STREAM.DELETE.S")
    text = failed(restore())
    assert account.info("S") is None
    if "last_seq" in meta and account.release < V215:
        # A tar does not tell its state: the stream is compared, found wrong, and deleted again.
        assert "instead of" in text


def test_a_backup_of_a_newer_server(account, newest_server, run_module, tmp_path):
    if account.release >= V215:
        pytest.skip("there is no newer server")
    with client.Client(newest_server.url) as nats:
        nats.ok("STREAM.CREATE.S", {"name": "S", "subjects": ["s.>"]})
        nats.request("s.a", b"x")
        good(run_module(jetstream_backup, servers=[newest_server.url], path=str(tmp_path)))
        nats.ok("STREAM.DELETE.S")
    filled(account)
    before, created = picture(account), account.info("S")["created"]
    args = {"path": str(tmp_path), "replace": True, "servers": [account.server.url]}
    for check in (True, False):
        result = run_module(jetstream_restore, **args, check=check)
        assert "2.15.1" in failed(result)
        assert account.server.version in result["msg"]
        assert picture(account) == before
        assert account.info("S")["created"] == created


# --------------------------------------------------------------------------------------------------
# Under another configuration, and over what is there
# --------------------------------------------------------------------------------------------------


def test_another_configuration(account, backup, restore):
    filled(account, deny_delete=True)
    before = picture(account)
    good(backup())
    account.ok("STREAM.DELETE.S")
    config = {"deny_delete": False, "description": "new", "max_age": "1y", "max_consumers": 7}
    good(restore(config=config))
    after = picture(account)
    assert {**after, "config": None} == {**before, "config": None}
    stored = after["config"]
    assert [stored.get(name) for name in ("deny_delete", "description", "max_consumers")] == [
        False,
        "new",
        7,
    ]
    assert restore(config={"max_aeg": "1s"})["problems"][0]["place"] == "config.max_aeg"


def test_another_name(account, backup, restore):
    filled(account)
    before = picture(account)
    good(backup())
    result = restore(name="T", config={"subjects": ["t.>"]})
    if account.release < V215:
        assert result["problems"][0]["place"] == "name"
        return
    good(result)
    after = picture(account, "T")
    assert after["messages"] == before["messages"]
    assert set(after["consumers"]) == set(before["consumers"])


def test_memory(account, backup, restore):
    filled(account)
    before = picture(account)
    good(backup())
    account.ok("STREAM.DELETE.S")
    result = restore(config={"storage": "memory"})
    if account.release < V215:
        assert result["problems"][0]["place"] == "storage"
        assert account.info("S") is None
        return
    good(result)
    assert account.stored("S")["storage"] == "memory"
    assert picture(account)["messages"] == before["messages"]


def test_replacing(account, backup, restore, tmp_path):
    filled(account)
    before = picture(account)
    good(backup())
    args = {"replace": True, "safety_path": str(tmp_path / "safe")}
    assert good(restore(**args))["changed"] is False
    account.store("s.1", "s.1")
    changed = picture(account)
    assert good(restore())["changed"] is False
    assert "2" not in failed(restore(**args, data_loss="forbid"))[:1]
    assert picture(account) == changed
    check = good(restore(**args, check=True))
    assert picture(account) == changed
    assert check["streams"][0]["would_lose"]["messages"] == 58
    done = good(restore(**args))
    assert [check[key] for key in FORETOLD] == [done[key] for key in FORETOLD]
    assert picture(account) == before
    assert good(restore(**args))["changed"] is False
    assert not list((tmp_path / "safe").iterdir())


def test_replacing_that_fails(account, backup, restore, tmp_path):
    """What the server finds wrong with the archive after the old stream was deleted."""
    filled(account, messages=600, size=5000)
    good(backup())
    archive = archive_of(stripped(backup))
    data = bytearray(archive.read_bytes())
    data[len(data) // 2] ^= 0xFF
    archive.write_bytes(bytes(data))
    account.store("s.1")
    before = picture(account)
    result = restore(replace=True, safety_path=str(tmp_path / "safe"))
    assert "restored as it was" in failed(result)
    assert picture(account) == before
    assert not list((tmp_path / "safe").iterdir())


def test_a_configuration_that_the_server_refuses(account, backup, restore):
    """Before anything is deleted."""
    filled(account)
    good(backup())
    account.stream("OTHER", subjects=["o.>"])
    account.store("s.1")
    before, created = picture(account), account.info("S")["created"]
    result = restore(replace=True, config={"subjects": ["s.>", "o.a"]})
    assert failed(result)
    assert picture(account) == before
    assert account.info("S")["created"] == created


# --------------------------------------------------------------------------------------------------
# The nats command
# --------------------------------------------------------------------------------------------------


@pytest.fixture
def command(account):
    program = nats_command()
    if program is None:
        pytest.skip("the nats command is not on this machine (NATS_CLI or PATH)")

    def run(*words):
        line = [program, "--server", account.server.url, *words]
        done = subprocess.run(line, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


def test_the_command_restores_ours(account, backup, command):
    filled(account)
    before = picture(account)
    good(backup())
    account.ok("STREAM.DELETE.S")
    command("stream", "restore", str(backup.path / "S"))
    assert picture(account) == before


def test_the_command_restores_our_account(account, backup, command):
    filled(account, "A")
    filled(account, "S")
    before = picture(account, "A"), picture(account, "S")
    good(backup(keep=2))
    good(backup(keep=2, only_if_changed=False))
    account.clear()
    command("account", "restore", str(backup.path))
    assert (picture(account, "A"), picture(account, "S")) == before


def test_we_restore_what_the_command_wrote(account, backup, restore, command):
    filled(account)
    before = picture(account)
    command("stream", "backup", "S", str(backup.path / "S"))
    account.ok("STREAM.DELETE.S")
    good(restore())
    assert picture(account) == before
    # And it is a generation like any other.
    account.store("s.1")
    good(backup(keep=2))
    assert len(list((backup.path / "S" / "previous").iterdir())) == 1


def test_the_server_knows_consumers_of_2_10(account, backup):
    """The metadata of a backup stays what the server sent."""
    if account.release < V210:
        pytest.skip("metadata is of nats-server 2.10 and later")
    filled(account, metadata={"a": "b"})
    good(backup())
    config = json.loads((backup.path / "S" / "backup.json").read_text())["config"]
    assert config["metadata"]["a"] == "b"

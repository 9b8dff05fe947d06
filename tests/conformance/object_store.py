# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Buckets of objects as the independent client, and the classes of nats-py, make and see them."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import importlib
import io
import json
from typing import Any, Callable

from harness import client


class Bucket:
    """A bucket laid out as ADR-20 says, looked at without the collection."""

    def __init__(self, nats: client.Client, url: str, name: str) -> None:
        self.nats, self.url, self.name, self.stream = nats, url, name, f"OBJ_{name}"

    def create(self, **more: Any) -> Bucket:
        config = {
            "name": self.stream,
            "subjects": [f"$O.{self.name}.C.>", f"$O.{self.name}.M.>"],
            "discard": "new",
            "allow_rollup_hdrs": True,
            "allow_direct": True,
            **more,
        }
        self.nats.ok(f"STREAM.CREATE.{self.stream}", config)
        return self

    def update(self, **more: Any) -> None:
        config = self.nats.ok(f"STREAM.INFO.{self.stream}")["config"]
        self.nats.ok(f"STREAM.UPDATE.{self.stream}", {**config, **more})

    def last_seq(self) -> int:
        return int(self.nats.ok(f"STREAM.INFO.{self.stream}")["state"]["last_seq"])

    def subjects(self) -> dict[str, int]:
        """Return every subject that has messages, with their number."""
        body = {"subjects_filter": ">"}
        found = self.nats.ok(f"STREAM.INFO.{self.stream}", body)["state"].get("subjects")
        return dict(found or {})

    def chunks(self) -> dict[str, int]:
        """Return how many chunks there are under each nuid."""
        prefix = f"$O.{self.name}.C."
        found = self.subjects().items()
        return {subject[len(prefix) :]: n for subject, n in found if subject.startswith(prefix)}

    def chunk_seqs(self, name: str) -> list[int]:
        """Return the sequences of an object's chunks."""
        subject = f"$O.{self.name}.C.{self.meta(name)['nuid']}"
        found, seq = [], 0
        while True:
            body = {"seq": seq + 1, "next_by_subj": subject}
            answer = self.nats.api(f"STREAM.MSG.GET.{self.stream}", body)
            if "message" not in answer:
                return found
            seq = answer["message"]["seq"]
            found.append(seq)

    def meta_subject(self, name: str) -> str:
        return f"$O.{self.name}.M.{base64.urlsafe_b64encode(name.encode()).decode()}"

    def message(self, name: str) -> dict[str, Any]:
        body = {"last_by_subj": self.meta_subject(name)}
        return dict(self.nats.ok(f"STREAM.MSG.GET.{self.stream}", body)["message"])

    def meta(self, name: str) -> dict[str, Any]:
        return dict(json.loads(base64.b64decode(self.message(name)["data"])))

    def consumers(self) -> list[str]:
        return list(self.nats.ok(f"CONSUMER.NAMES.{self.stream}")["consumers"] or [])

    def delete_chunk(self, seq: int) -> None:
        self.nats.ok(f"STREAM.MSG.DELETE.{self.stream}", {"seq": seq})

    def as_nats_py(self, work: Callable[[Any], Any]) -> Any:
        """Run ``await work(store)`` with nats-py's own ObjectStore."""
        client_module = importlib.import_module("nats.aio.client")
        context = importlib.import_module("nats.js").JetStreamContext

        async def run() -> Any:
            connection = client_module.Client()
            await connection.connect(self.url)
            try:
                return await work(await context(connection).object_store(self.name))
            finally:
                await connection.close()

        return asyncio.run(run())

    def put(self, name: str, data: bytes, **meta: Any) -> None:
        api = importlib.import_module("nats.js.api")

        async def work(store: Any) -> None:
            await store.put(name, io.BytesIO(data), api.ObjectMeta(name=name, **meta))

        self.as_nats_py(work)

    def get(self, name: str) -> bytes:
        """Return what nats-py reads of an object; it checks the digest as well."""

        async def work(store: Any) -> bytes:
            into = io.BytesIO()
            result = await asyncio.wait_for(store.get(name, writeinto=into), 20)
            return into.getvalue() or bytes(result.data)

        return bytes(self.as_nats_py(work))

    def info(self, name: str, deleted: bool = False) -> Any:
        return self.as_nats_py(lambda store: store.get_info(name, show_deleted=deleted))

    def delete(self, name: str) -> None:
        self.as_nats_py(lambda store: store.delete(name))


def digest_text(data: bytes) -> str:
    """Return the digest as ADR-20 has it."""
    return "SHA-256=" + base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode()

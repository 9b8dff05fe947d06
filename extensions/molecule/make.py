# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Makes what a scenario of the role nats_server needs, if it is not there: make.py WHAT FILE ...

make.py ports FILE NUMBER          free ports of the loopback interface, a line each
make.py archive FILE BINARY        an archive as releases are, and FILE.sha256
make.py certificates FOLDER NAME   an authority, and a certificate and key for 127.0.0.1
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import random
import socket
import sys
import tarfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "core"))


def ports(file: Path, number: str) -> None:
    """Below those that the system gives to connections: none of them takes one meanwhile."""
    found: list[socket.socket] = []
    for port in random.sample(range(20000, 32000), 2000):
        if len(found) < int(number):
            one = socket.socket()
            with contextlib.suppress(OSError):  # it is in use
                one.bind(("127.0.0.1", port))
                found.append(one)
    file.write_text("".join(f"{one.getsockname()[1]}\n" for one in found))


def archive(file: Path, binary: str) -> None:
    with tarfile.open(file, "w:gz", compresslevel=1) as release:
        release.add(binary, "nats-server-v0.0.0-linux-amd64/nats-server")
        text = b"A release.\n"
        readme = tarfile.TarInfo("nats-server-v0.0.0-linux-amd64/README.md")
        readme.size = len(text)
        release.addfile(readme, io.BytesIO(text))
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    file.with_name(f"{file.name}.sha256").write_text(f"sha256:{digest}\n")


def certificates(folder: Path, name: str) -> None:
    from certificates import Authority

    folder.mkdir()
    Authority(folder, "authority").issue(name, "127.0.0.1")


if __name__ == "__main__":
    what, path, *rest = sys.argv[1:]
    if not Path(path).exists():
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        {"ports": ports, "archive": archive, "certificates": certificates}[what](Path(path), *rest)
        print("made")

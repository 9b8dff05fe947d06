# Copyright (c) 2026 The nats.jetstream contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An authority and certificates of its own, for servers on the loopback interface."""

from __future__ import annotations

import datetime
import ipaddress

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = datetime.timedelta(days=1)


def _name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(subject, issuer, key):
    now = datetime.datetime.now(datetime.timezone.utc)
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - DAY)
        .not_valid_after(now + DAY)
    )


class Authority:
    """Writes its certificate to ``path``, and issues others."""

    def __init__(self, folder, name="test authority"):
        self.folder, self.name, self.key = folder, name, ec.generate_private_key(ec.SECP256R1())
        builder = _builder(name, name, self.key).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        identifier = x509.SubjectKeyIdentifier.from_public_key(self.key.public_key())
        builder = builder.add_extension(usage, critical=True).add_extension(identifier, False)
        self.certificate = builder.sign(self.key, hashes.SHA256())
        self.path = self._write(f"{name.replace(' ', '-')}.pem", self._pem(self.certificate))

    @property
    def pem(self):
        return self._pem(self.certificate).decode()

    def issue(self, name, *addresses, password=None):
        """Return the paths of a certificate for a name and addresses, and of its key.

        A password encrypts the key.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        names = [x509.DNSName(name), *(x509.IPAddress(ipaddress.ip_address(a)) for a in addresses)]
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        certificate = (
            _builder(name, self.name, key)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(identifier, critical=False)
            .sign(self.key, hashes.SHA256())
        )
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(password.encode())
            if password
            else serialization.NoEncryption(),
        )
        return self._write(f"{name}.pem", self._pem(certificate)), self._write(
            f"{name}-key.pem", private
        )

    @staticmethod
    def _pem(certificate):
        return certificate.public_bytes(serialization.Encoding.PEM)

    def _write(self, name, data):
        path = self.folder / name
        path.write_bytes(data)
        return str(path)

"""A made-up maker of processors for tests: its root, its certificates, its collateral, and machines that quote.

Nothing of it leads to Intel's root, so what it makes proves something only to who takes `Maker.root`. The layouts are
those of Intel's "TDX DCAP Quoting Library API" and "PCK Certificate and CRL Profile".
"""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

FMSPC = bytes.fromhex("00906ed50000")
QE_SIGNER, QE_ID = b"\x51" * 32, 2
VENDOR = bytes.fromhex("939a7233f79c4ca9940a0db3957f0607")
ATTRIBUTES = bytes.fromhex("0000001000000000")  # only SEPT_VE_DISABLE, as a production machine has it
SGX = "1.2.840.113741.1.13.1"
Key = ec.EllipticCurvePrivateKey


@dataclass(slots=True)
class Machine:
    """A machine that was started with some software; hashes are octets. `svn` is the version of its microcode."""

    mrtd: bytes = b"\x11" * 48
    rtmr: Sequence[bytes] = (b"\x20" * 48, b"\x21" * 48, b"\x22" * 48, b"\x23" * 48)
    config: bytes = bytes(48)
    attributes: bytes = ATTRIBUTES
    svn: int = 3

    def report(self, data: bytes) -> bytes:
        """Returns what its module measured, with 64 octets of its own choice (TDREPORT 1.0)."""
        tcb = bytes([self.svn, 0, *[0] * 14])
        fixed = tcb + bytes(48) + bytes(48) + bytes(8) + self.attributes + b"\xe7\x02\x06" + bytes(5)
        return fixed + self.mrtd + self.config + bytes(96) + b"".join(self.rtmr) + data.ljust(64, b"\0")


@dataclass(slots=True)
class Maker:
    """Makes certificates and collateral that hold around a moment. `revoked` are serial numbers of PCK certificates;
    `levels` are the states of the platform by the least version of its microcode, with their advisories."""

    now: datetime
    levels: Sequence[tuple[int, str, Sequence[str]]] = ((3, "UpToDate", ()),)
    revoked: Sequence[int] = ()
    days: int = 30
    keys: dict[str, Key] = field(default_factory=dict)
    certificates: dict[str, x509.Certificate] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, issuer in (("root", "root"), ("platform", "root"), ("tcb", "root"), ("pck", "platform")):
            self.keys[name] = ec.generate_private_key(ec.SECP256R1())
            self.certificates[name] = self._certificate(name, issuer)

    @property
    def root(self) -> bytes:
        """Returns the certificate that all others lead to (DER)."""
        return self.certificates["root"].public_bytes(Encoding.DER)

    def quote(self, machine: Machine, data: bytes, *, version: int = 4) -> bytes:
        """Returns a quote of a machine over 64 octets of its own choice."""
        attestation = ec.generate_private_key(ec.SECP256R1())
        report = machine.report(data)
        head = struct.pack("<HHIHH", version, 2, 0x81, 0, 0) + VENDOR + bytes(20)
        signed = head + (struct.pack("<HI", 2, len(report)) if version == 5 else b"") + report
        own, extra = _point(attestation), os.urandom(32)
        enclave = self._enclave(sha256(own + extra).digest())
        chain = self._pem("pck", "platform", "root").encode()
        inner = enclave + _signed(self.keys["pck"], enclave) + struct.pack("<H", 32) + extra
        inner += struct.pack("<HI", 5, len(chain)) + chain
        proof = _signed(attestation, signed) + own + struct.pack("<HI", 6, len(inner)) + inner
        return signed + struct.pack("<I", len(proof)) + proof

    def collateral(self) -> str:
        """Returns what vouches for a quote, as JSON: lists of what is revoked, and what is up to date."""
        tcb, identity = json.dumps(self._tcb()), json.dumps(self._identity())
        found = {
            "pck_crl_issuer_chain": self._pem("platform", "root"),
            "root_ca_crl": self._crl("root", ()).hex(),
            "pck_crl": self._crl("platform", self.revoked).hex(),
            "tcb_info_issuer_chain": self._pem("tcb", "root"), "tcb_info": tcb,
            "tcb_info_signature": _signed(self.keys["tcb"], tcb.encode()).hex(),
            "qe_identity_issuer_chain": self._pem("tcb", "root"), "qe_identity": identity,
            "qe_identity_signature": _signed(self.keys["tcb"], identity.encode()).hex(),
        }  # fmt: skip
        return json.dumps(found)

    def _enclave(self, data: bytes) -> bytes:
        """Returns the quoting enclave's own report (SGX REPORT)."""
        body = bytes(16) + bytes(4) + bytes(28) + bytes(16) + b"\x33" * 32 + bytes(32) + QE_SIGNER + bytes(96)
        return body + struct.pack("<HH", QE_ID, 8) + bytes(60) + data.ljust(64, b"\0")

    def _tcb(self) -> Mapping[str, Any]:
        levels = [
            {
                "tcb": {
                    "sgxtcbcomponents": [{"svn": 0}] * 16, "pcesvn": 5,
                    "tdxtcbcomponents": [{"svn": svn}] + [{"svn": 0}] * 15,
                },
                "tcbDate": _written(self.now), "tcbStatus": status, "advisoryIDs": list(advisories),
            }
            for svn, status, advisories in self.levels
        ]  # fmt: skip
        module = {"mrsigner": "00" * 48, "attributes": "00" * 8, "attributesMask": "ff" * 8}
        return {
            "id": "TDX", "version": 3, **self._dates(), "fmspc": FMSPC.hex(), "pceId": "0000", "tcbType": 0,
            "tcbEvaluationDataNumber": 1, "tdxModule": module, "tcbLevels": levels,
        }  # fmt: skip

    def _identity(self) -> Mapping[str, Any]:
        level = {"tcb": {"isvsvn": 8}, "tcbDate": _written(self.now), "tcbStatus": "UpToDate"}
        return {
            "id": "TD_QE", "version": 2, **self._dates(), "tcbEvaluationDataNumber": 1, "miscselect": "00" * 4,
            "miscselectMask": "ff" * 4, "attributes": "00" * 16, "attributesMask": "ff" * 16,
            "mrsigner": QE_SIGNER.hex(), "isvprodid": QE_ID, "tcbLevels": [level],
        }  # fmt: skip

    def _dates(self) -> Mapping[str, str]:
        return {"issueDate": _written(self.now - timedelta(days=1)), "nextUpdate": _written(self._until())}

    def _until(self) -> datetime:
        return self.now + timedelta(days=self.days)

    def _certificate(self, name: str, issuer: str) -> x509.Certificate:
        key = self.keys[name].public_key()
        made = (
            x509.CertificateBuilder()
            .subject_name(_title(name))
            .issuer_name(_title(issuer))
            .public_key(key)
            .serial_number(SERIALS[name])
            .not_valid_before(self.now - timedelta(days=365))
            .not_valid_after(self.now + timedelta(days=3650))
            .add_extension(x509.BasicConstraints(ca=name in ("root", "platform"), path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(_usage(sure=name in ("root", "platform")), critical=True)
        )
        if name == "pck":
            made = made.add_extension(x509.UnrecognizedExtension(x509.ObjectIdentifier(SGX), _platform()), False)
        return made.sign(self.keys[issuer], SHA256())

    def _crl(self, issuer: str, serials: Sequence[int]) -> bytes:
        day = timedelta(days=1)
        made = x509.CertificateRevocationListBuilder().issuer_name(_title(issuer)).last_update(self.now - day)
        made = made.next_update(self._until()).add_extension(x509.CRLNumber(1), critical=False)
        own = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.keys[issuer].public_key())
        made = made.add_extension(own, critical=False)
        for serial in serials:
            gone = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(self.now - day)
            made = made.add_revoked_certificate(gone.build())
        return made.sign(self.keys[issuer], SHA256()).public_bytes(Encoding.DER)

    def _pem(self, *names: str) -> str:
        return "".join(self.certificates[name].public_bytes(Encoding.PEM).decode() for name in names)


SERIALS = {"root": 1, "platform": 2, "tcb": 3, "pck": 4}


def _title(name: str) -> x509.Name:
    told = f"Simulated PCK {name} CA" if name == "platform" else f"Simulated {name}"
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, told)])


def _usage(*, sure: bool) -> x509.KeyUsage:
    no = dict.fromkeys(
        ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only",
         "decipher_only"), False,
    )  # fmt: skip
    return x509.KeyUsage(digital_signature=not sure, key_cert_sign=sure, crl_sign=sure, **no)


def _signed(key: Key, what: bytes) -> bytes:
    r, s = decode_dss_signature(key.sign(what, ec.ECDSA(SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def _point(key: Key) -> bytes:
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)[1:]


def _written(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _platform() -> bytes:
    """Returns the extension of a PCK certificate that says which platform it is of (DER)."""
    svns = b"".join(_named(f"2.{at}", _der(2, b"\0")) for at in range(1, 17))
    tcb = svns + _named("2.17", _der(2, b"\5")) + _named("2.18", _der(4, bytes(16)))
    parts = _named("1", _der(4, b"\x77" * 16)) + _named("2", _der(0x30, tcb)) + _named("3", _der(4, b"\0\0"))
    return _der(0x30, parts + _named("4", _der(4, FMSPC)) + _named("5", _der(10, b"\1")))


def _named(tail: str, value: bytes) -> bytes:
    numbers = [int(each) for each in f"{SGX}.{tail}".split(".")[2:]]
    encoded = b"".join(_base128(each) for each in numbers)
    return _der(0x30, _der(6, bytes([42]) + encoded) + value)


def _base128(number: int) -> bytes:
    parts = [number & 0x7F]
    while number := number >> 7:
        parts.append(number & 0x7F | 0x80)
    return bytes(reversed(parts))


def _der(kind: int, value: bytes) -> bytes:
    size = bytes([len(value)]) if len(value) < 0x80 else b"\x82" + len(value).to_bytes(2, "big")
    return bytes([kind]) + size + value

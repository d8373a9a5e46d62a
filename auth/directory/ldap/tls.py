"""TLS to a directory server: the certificate must be signed by a known authority and be for the server's name."""

from __future__ import annotations

import ssl

import ldap3

from conf.errors import AccessDenied


class CheckedTls(ldap3.Tls):  # type: ignore[misc]  # ldap3 is untyped
    """ldap3's TLS with Python's own check of the certificate and the name in it (RFC 6125), and TLS 1.2 or later.

    ldap3 compares names by ``ssl.match_hostname``, which Python has given up.

    Args:
        host: the server's name or address, as the settings write it.
        ca_file: certificates (PEM) that the server's must be signed by; empty: those that the system trusts.

    Raises:
        AccessDenied: the file of certificates cannot be used.
    """

    def __init__(self, host: str, ca_file: str) -> None:
        super().__init__(validate=ssl.CERT_REQUIRED)
        self._host = host
        self.fault = ""
        """Why the certificate was refused; empty if it was not."""
        try:
            self._context = ssl.create_default_context(cafile=ca_file or None)
        except (OSError, ssl.SSLError) as error:
            told = error.strerror or "it holds no certificate"
            raise AccessDenied(
                f"The certificates in {ca_file} cannot be read: {told}.",
                "An operator sees to ldap.ca_file (PEM, one or more certificates).",
            ) from None
        self._context.minimum_version = ssl.TLSVersion.TLSv1_2

    def wrap_socket(self, connection: ldap3.Connection, do_handshake: bool = False) -> None:
        """See ldap3; it calls this for ldaps:// and for StartTLS."""
        try:
            connection.socket = self._context.wrap_socket(
                connection.socket, do_handshake_on_connect=do_handshake, server_hostname=self._host
            )
        except ssl.SSLCertVerificationError as error:
            self.fault = error.verify_message.rstrip(".")
            raise

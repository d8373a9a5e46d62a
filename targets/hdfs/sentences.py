"""What HDFS says, in whatever words: which fault that is, and the sentences that tell it."""

from __future__ import annotations

import re

AGAIN = "Run again when that is mended; the work goes on where it stopped."

# Java's exception, by the end of its class's name -> what it means here.
_KINDS = {
    "FileNotFoundException": "missing",
    "FileAlreadyExistsException": "taken",
    "SafeModeException": "safe mode",
    "AccessControlException": "denied",
    "AuthorizationException": "impersonation",
    "SecurityException": "security",
    "NSQuotaExceededException": "names",
    "DSQuotaExceededException": "space",
    "QuotaByStorageTypeExceededException": "space",
    "QuotaExceededException": "names",
    "StandbyException": "away",
    "RetriableException": "away",
    "ParentNotDirectoryException": "in the way",
    "PathIsNotDirectoryException": "in the way",
    "MaxDirectoryItemsExceededException": "crowded",
    "PathIsNotEmptyDirectoryException": "not empty",
}
# What is told in words only, or in words that say more than the class.
_WORDS = (
    (re.compile(r"safe ?mode", re.IGNORECASE), "safe mode"),
    (re.compile(r"not allowed to impersonate"), "impersonation"),
    (re.compile(r"could only be written to|NotEnoughReplicas|NoSuitableDataNode|not replicated yet", re.I), "no node"),
    (re.compile(r"BlocksNotFound|BlockMissing|Could not obtain block|No valid DataNode|No live nodes", re.I), "blocks"),
    (re.compile(r"EOFException|End of File Exception|ConnectException|Connection refused|Call From .* failed"), "away"),
    (re.compile(r"is not empty"), "not empty"),
    (re.compile(r"NSQuotaExceeded"), "names"),
    (re.compile(r"DSQuotaExceeded"), "space"),
    (re.compile(r"Permission denied"), "denied"),
    (re.compile(r"Authentication failure|SASL|GSSAPI|Kerberos", re.I), "security"),
    (re.compile(r"UnsupportedFeature.*ncryption|File encryption"), "encrypted"),
)
PASSING = {"away", "safe mode", "no node", "blocks"}
JAVA = re.compile(r"(?:[a-z]\w*\.)+(\w*Exception)")


def kind_of(said: str, java: str = "") -> str:
    """Which fault the words tell; empty if none that we know.

    Args:
        java: the name of Java's exception, if that is told apart.
    """
    for pattern, kind in _WORDS:
        if pattern.search(said):
            return kind
    found = JAVA.search(said)
    return _KINDS.get((java or (found[1] if found else "")).rpartition(".")[2], "")


def tell(kind: str, **values: str) -> tuple[str, str]:
    """What happened, and what to do.

    Args:
        values: where, said, user, login, url, web.
    """
    what, fix = _SENTENCES[kind]
    return what.format(**values), fix.format(**values, again=AGAIN)


def spoken(trace: str) -> tuple[str, str] | None:
    """What happened and what to do, from a trace of Java's HDFS client; None if HDFS is not what is at fault."""
    cause = next(filter(_OF_HDFS.search, reversed(trace.splitlines())), None)
    kind = kind_of(cause) if cause else ""
    if not kind or kind not in _SENTENCES:
        return None
    assert cause is not None
    path, user = re.search(r'inode="([^"]+)"|(?<=path )(/\S+)|File (/\S+)', cause), re.search(r"user=([^,\s]+)", cause)
    values = {"said": "no connection", "url": "the lake", "web": "", "login": "Landfall's user"}
    where = next(filter(None, path.groups()), "the lake") if path else "the lake"
    return tell(kind, where=where, user=user[1] if user else "of this run", **values)


_OF_HDFS = re.compile(
    r"org\.apache\.hadoop\.(?:hdfs|ipc|security|fs)\S*Exception|could only be written to|Call From \S+ to \S+ failed"
    r"|BlockMissingException|Could not obtain block"
)

_SENTENCES = {
    "away": (
        "HDFS at {url} does not answer ({said}).",
        "See whether its NameNode and DataNodes run and can be reached from here. {again}",
    ),
    "safe mode": (
        "HDFS at {url} is in safe mode: it changes nothing.",
        "See why with `hdfs dfsadmin -safemode get` and its NameNode's page. {again}",
    ),
    "no node": (
        "{where}: no DataNode of HDFS takes the block.",
        "See whether DataNodes run, can be reached from here and have space left. {again}",
    ),
    "blocks": (
        "{where}: no DataNode of HDFS has the file's blocks.",
        "See which DataNodes are down with `hdfs fsck`. {again}",
    ),
    "denied": (
        "{where}: the HDFS user {user} may not do this.",
        "Give that user the right (see docs/hdfs.md, Users and rights), or set hdfs.user and hdfs.as_client. {again}",
    ),
    "impersonation": (
        "HDFS does not let {login} act as {user}.",
        "Set hadoop.proxyuser.{login}.users and .hosts in the NameNode's core-site.xml and run "
        "`hdfs dfsadmin -refreshSuperUserGroupsConfiguration`, or leave hdfs.as_client empty.",
    ),
    "security": (
        "HDFS does not know who asks: {said}.",
        "With Kerberos, see to hdfs.auth, hdfs.principal and hdfs.keytab, or run kinit. {again}",
    ),
    "names": (
        "{where}: the directory's quota of names (files and directories) is used up.",
        "Raise it with `hdfs dfsadmin -setQuota`, or remove what is no longer needed. {again}",
    ),
    "space": (
        "{where}: the directory's quota of space is used up.",
        "Raise it with `hdfs dfsadmin -setSpaceQuota`, or remove what is no longer needed. {again}",
    ),
    "crowded": (
        "{where}: its directory holds as many names as the NameNode allows.",
        "Raise dfs.namenode.fs-limits.max-directory-items. {again}",
    ),
    "in the way": (
        "{where}: a file stands where a directory belongs.",
        "Move it away and run again.",
    ),
    "tls": (
        "WebHDFS at {web} shows a certificate that is not trusted here.",
        "Name the CA in hdfs.ca_file, and the host in hdfs.web as the certificate has it. {again}",
    ),
    "encrypted": (
        '{where} lies in an encryption zone, which hdfs.transport = "rpc" cannot write.',
        'Set hdfs.transport = "web": there the DataNodes encrypt (docs/hdfs.md). {again}',
    ),
}

"""The SFTP server's configuration. It names no client: a new one is an account and a key file, and needs no reload."""

from __future__ import annotations

from conf.client import SftpAccess
from conf.settings import Sftp

# For files: read by the account itself and by the landing's group, which is the runner's.
_UMASK = "0027"
_TRIES, _SILENCES = 3, 3

_CONFIG = """\
# The SFTP server of Landfall's clients: written by `landfall sftp config`, which replaces it. It has nothing to do with
# the host's own sshd.
Port {port}
{listen}HostKey {host_key}
PidFile {pid_file}
LogLevel VERBOSE

# Keys only, and only of clients' accounts.
AllowGroups {group}
AuthenticationMethods publickey
PubkeyAuthentication yes
PasswordAuthentication no
KbdInteractiveAuthentication no
HostbasedAuthentication no
GSSAPIAuthentication no
KerberosAuthentication no
PermitRootLogin no
PermitEmptyPasswords no
UsePAM no
AuthorizedKeysFile {keys}/%u
AuthorizedKeysCommand none
AuthorizedPrincipalsFile none
TrustedUserCAKeys none
StrictModes yes
MaxAuthTries {tries}
LoginGraceTime {login_grace_seconds}
MaxStartups 20:50:100

# Files in the client's own directory, and nothing else: no shell, no command, no forwarding.
ChrootDirectory %h
ForceCommand internal-sftp -l INFO -u {umask}
Subsystem sftp internal-sftp -l INFO -u {umask}
DisableForwarding yes
AllowTcpForwarding no
AllowStreamLocalForwarding no
AllowAgentForwarding no
X11Forwarding no
GatewayPorts no
PermitTunnel no
PermitTTY no
PermitUserRC no
PermitUserEnvironment no
PermitListen none
PermitOpen none

MaxSessions {max_sessions}
TCPKeepAlive no
ClientAliveInterval {alive_seconds}
ClientAliveCountMax {silences}
{idle}UseDNS no
PrintMotd no
Banner none
"""


def sshd_config(settings: Sftp) -> str:
    """The text of ``sshd_config`` (OpenSSH 8.5 or later; 9.2 with ``idle_seconds``)."""
    idle = settings.idle_seconds
    return _CONFIG.format(
        **settings.model_dump(include={"port", "group", "login_grace_seconds", "max_sessions", "alive_seconds"}),
        listen="".join(f"ListenAddress {address}\n" for address in settings.listen),
        host_key=host_key(settings),
        pid_file=f"/run/landfall-sftp-{settings.port}.pid",
        keys=f"{settings.directory}/keys",
        umask=_UMASK,
        tries=_TRIES,
        silences=_SILENCES,
        idle=f"ChannelTimeout session:*={idle}\nUnusedConnectionTimeout {idle}\n" if idle else "",
    )


def host_key(settings: Sftp) -> str:
    """Path of the server's private key."""
    return settings.host_key or f"{settings.directory}/host_ed25519_key"


def authorized_keys(access: SftpAccess) -> str:
    """The file of one client's keys (sshd(8), AUTHORIZED_KEYS FILE FORMAT); each may open SFTP and nothing else."""
    options = "restrict"
    if access.addresses:
        options += f',from="{",".join(access.addresses)}"'
    return "".join(f"{options} {key}\n" for key in access.keys)

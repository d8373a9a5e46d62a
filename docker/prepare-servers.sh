#!/usr/bin/env bash
# Installs the servers that the tests start themselves, where they are missing. None of them is started here, nor by
# the system: the tests own theirs (free ports, temporary directories). Says a sentence where it cannot install.
set -euo pipefail

# package: the program by which it is known
PACKAGES="slapd:slapd ldap-utils:ldapsearch openssh-server:sshd openssh-client:sftp maven:mvn"

export PATH="$PATH:/usr/sbin:/sbin" DEBIAN_FRONTEND=noninteractive
say() { printf '%s\n' "$*" >&2; }

missing=()
for pair in $PACKAGES; do
    command -v "${pair#*:}" >/dev/null || missing+=("${pair%%:*}")
done
[ "${#missing[@]}" -gt 0 ] || exit 0
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    say "These servers are missing: ${missing[*]}. On Debian or Ubuntu, as root: apt-get install ${missing[*]}"
    exit 1
fi
say "Installing the tests' servers: ${missing[*]} …"
# Debian starts a server that it installs, unless these files are there.
case " ${missing[*]} " in *" slapd "*) mkdir -p /etc/ldap && touch /etc/ldap/noslapd ;; esac
case " ${missing[*]} " in *" openssh-server "*) mkdir -p /etc/ssh && touch /etc/ssh/sshd_not_to_be_run ;; esac
install() { apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=300 "${missing[@]}"; }
if ! install >/dev/null 2>&1; then
    apt-get update -qq -o DPkg::Lock::Timeout=300 >/dev/null
    install >/dev/null
fi

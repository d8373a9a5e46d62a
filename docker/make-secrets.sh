#!/usr/bin/env bash
# Makes the secrets of docker/compose.yaml: an authority and its servers' certificates, and passwords at random. What is
# there is left as it is. Each file is its one reader's alone (mode 0400 or 0600), so this must be root's to run.
#
#   docker/make-secrets.sh [CLIENT…]     CLIENT: clients that get a database user; by default those of conf/clients
set -euo pipefail
umask 077
cd "$(dirname "$0")"
[ "$(id -u)" = 0 ] || { echo "Run it as root: each secret belongs to the account that reads it." >&2; exit 1; }
if [ -f .env ]; then
    # Only the two that are needed, and not as shell.
    CONF_DIR=${CONF_DIR:-$(sed -n 's/^CONF_DIR=//p' .env)} SECRETS_DIR=${SECRETS_DIR:-$(sed -n 's/^SECRETS_DIR=//p' .env)}
fi
conf=${CONF_DIR:-./conf} place=${SECRETS_DIR:-./secrets}
RUNNER=10001 LDAP=10002 MONGO=999 DAYS=825

install -d -m 0755 "$place"
install -d -m 0700 "$place/authority" "$place/sftp"
install -d -m 0700 -o "$RUNNER" -g "$RUNNER" "$place/runner" "$place/mongo-clients"
install -d -m 0700 -o "$LDAP" -g "$LDAP" "$place/ldap"
install -d -m 0700 -o "$MONGO" -g "$MONGO" "$place/mongo"

give() { # owner, file, from
    [ -e "$2" ] && return
    install -m 0600 -o "$1" -g "$1" "$3" "$2"
    echo "made $2"
}
password() { # the password of that name, made where there is none
    [ -e "$place/authority/$1" ] || openssl rand -hex 24 >"$place/authority/$1"
    echo "$place/authority/$1"
}
certificate() { # name of a server, which is also its certificate's
    [ -e "$place/authority/$1.pem" ] && return
    openssl req -new -newkey rsa:3072 -nodes -subj "/CN=$1" -keyout "$place/authority/$1.key" \
        -out "$place/authority/$1.csr" 2>/dev/null
    openssl x509 -req -in "$place/authority/$1.csr" -CA "$place/ca.pem" -CAkey "$place/authority/ca.key" -CAcreateserial \
        -days "$DAYS" -extfile <(echo "subjectAltName=DNS:$1,DNS:localhost,IP:127.0.0.1") \
        -out "$place/authority/$1.pem" 2>/dev/null
}

if [ ! -e "$place/ca.pem" ]; then
    openssl req -x509 -newkey rsa:3072 -nodes -subj "/CN=Landfall" -days 3650 -keyout "$place/authority/ca.key" \
        -out "$place/ca.pem" 2>/dev/null
    chmod 0644 "$place/ca.pem"
    echo "made $place/ca.pem"
fi
certificate openldap
certificate mongo
cat "$place/authority/mongo.key" "$place/authority/mongo.pem" >"$place/authority/mongo-both.pem"

give "$RUNNER" "$place/runner/password" "$(password runner)"
give "$RUNNER" "$place/runner/ldap-service-password" "$(password ldap-service)"
give 0 "$place/sftp/password" "$(password onboarder)"
give 0 "$place/sftp/ldap-service-password" "$(password ldap-service)"
for name in admin service runner onboarder; do
    from=$name
    case $name in admin | service) from=ldap-$name ;; esac
    # slappasswd takes the whole file, line end included.
    tr -d '\n' <"$(password "$from")" >"$place/authority/plain"
    give "$LDAP" "$place/ldap/$name-password" "$place/authority/plain"
done
rm -f "$place/authority/plain"
give "$LDAP" "$place/ldap/server.pem" "$place/authority/openldap.pem"
give "$LDAP" "$place/ldap/server.key" "$place/authority/openldap.key"
give "$MONGO" "$place/mongo/server.pem" "$place/authority/mongo-both.pem"
give "$MONGO" "$place/mongo/root-password" "$(password mongo-root)"

clients=("$@")
if [ "${#clients[@]}" = 0 ]; then
    for file in "$conf"/clients/*.toml; do clients+=("$(basename "$file" .toml)"); done
fi
for client in "${clients[@]}"; do
    [[ $client =~ ^[a-z][a-z0-9_-]{0,62}$ ]] || { echo "$client is no client's id." >&2; exit 1; }
    give "$RUNNER" "$place/mongo-clients/$client" "$(password "mongo-client-$client")"
done

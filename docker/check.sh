#!/usr/bin/env bash
# Builds the images with buildah, where no Docker engine runs; runs the demo in the first as its own user, and tries the
# servers of the others. The base comes by debootstrap from the mirror that this machine's apt uses ($MIRROR goes before
# it); pip is configured as on this machine, by build secrets that leave nothing in the image.
#
#   KEEP=1      leave the images for another run
#   STORE=/dir  where they lie meanwhile (some GB)
set -euo pipefail
cd "$(dirname "$0")/.."

BASE=debian:bookworm-slim IMAGE=landfall:check
STORE=${STORE:-/var/tmp/landfall-images}
export DEBIAN_FRONTEND=noninteractive STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
say() { printf '%s\n' "$*" >&2; }

if [ "$(id -u)" -ne 0 ]; then
    say "make docker-check needs root: it bootstraps a Debian and mounts. With a Docker engine: docker build -f docker/Dockerfile ."
    exit 1
fi
missing=()
for program in buildah debootstrap; do command -v "$program" >/dev/null || missing+=("$program"); done
if [ "${#missing[@]}" -gt 0 ]; then
    say "Installing ${missing[*]} …"
    apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null 2>&1 ||
        { apt-get update -qq && apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null; }
fi

work=$(mktemp -d /var/tmp/landfall-check.XXXXXX)
container=
buildah() { command buildah --root "$STORE" --runroot "$work/run" --storage-driver vfs "$@"; }
clean() {
    [ -z "$container" ] || buildah rm "$container" >/dev/null 2>&1 || true
    rm -rf "$work"
    [ "${KEEP:-}" = 1 ] || rm -rf "$STORE"
}
trap clean EXIT

if ! buildah images -q "localhost/$BASE" >/dev/null 2>&1; then
    mirror=${MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' \
        'Created-By: Packages' 'Codename: bookworm' 'Component: main' 2>/dev/null | head -n 1)}
    say "Bootstrapping the base image …"
    debootstrap --variant=minbase bookworm "$work/base" ${mirror:+"$mirror"} >"$work/debootstrap.log" 2>&1 ||
        { tail -n 20 "$work/debootstrap.log" >&2; exit 1; }
    rm -rf "$work"/base/var/cache/apt/archives/*.deb "$work"/base/var/lib/apt/lists/*
    container=$(buildah from scratch)
    buildah add -q "$container" "$work/base" / >/dev/null
    buildah config --cmd bash "$container"
    buildah commit -q --rm "$container" "localhost/$BASE" >/dev/null
    container=
    rm -rf "$work/base"
fi

say "Building the image …"
secrets=()
pip=$(mktemp -p "$work")
{ python3 -m pip config list 2>/dev/null || true; } |
    awk -F= '/^(global|:env:)\.(index-url|extra-index-url|trusted-host|timeout|default-timeout)=/ {
        sub(/^[^.]*\./, ""); name = substr($0, 1, index($0, "=") - 1); value = substr($0, index($0, "=") + 1)
        gsub(/\047/, "", value); if (!seen[name]++) print name " = " value }' |
    { echo "[global]"; cat; } >"$pip"
secrets+=(--secret "id=pip,src=$pip")
authorities=${PIP_CERT:-/etc/ssl/certs/ca-certificates.crt}
[ ! -r "$authorities" ] || secrets+=(--secret "id=ca,src=$authorities")
build() { # tag, Containerfile, target
    buildah bud --isolation chroot --network host --pull-never --format docker "${secrets[@]}" \
        --file "$2" --target "$3" --tag "$1" . >"$work/build.log" 2>&1 ||
        { tail -n 40 "$work/build.log" >&2; exit 1; }
}
build "$IMAGE" docker/Dockerfile landfall

say "Running the demo in it …"
container=$(buildah from --pull-never "localhost/$IMAGE")
run() { buildah run --isolation chroot --network host "$@"; }
[ "$(run "$container" -- id -u)" != 0 ] || { say "The image runs as root."; exit 1; }
run "$container" -- sh -c 'landfall demo && set -a && . ./demo.env && set +a && landfall digest --client demo'
buildah rm "$container" >/dev/null

say "Trying the SFTP server's image …"
# The stage that stands on it, without building all before it anew: two builds share nothing but images.
{ echo "FROM localhost/$IMAGE AS landfall"; sed -n '/^FROM landfall AS sftp$/,/^FROM debian/{/^FROM debian/!p}' docker/Dockerfile; } \
    >"$work/sftp"
build "$IMAGE-sftp" "$work/sftp" sftp
container=$(buildah from --pull-never "localhost/$IMAGE-sftp")
run "$container" -- sh -c 'test -z "$(ls /etc/ssh/ssh_host_* 2>/dev/null)"'
run --volume "$PWD/docker/try-sftp:/tmp/try:ro" "$container" -- /tmp/try "$(free_port)"
buildah rm "$container" >/dev/null

say "Trying the directory's image …"
sed -n '/^FROM debian:bookworm-slim AS ldap$/,$p' docker/Dockerfile >"$work/ldap"
build "$IMAGE-ldap" "$work/ldap" ldap
SECRETS_DIR=$work/secrets docker/make-secrets.sh demo >/dev/null
install -d -m 0755 "$work/run-secrets"
for name in admin service runner onboarder; do
    cp -p "$work/secrets/ldap/$name-password" "$work/run-secrets/ldap-$name-password"
done
cp -p "$work/secrets/ldap/server.pem" "$work/run-secrets/ldap-server"
cp -p "$work/secrets/ldap/server.key" "$work/run-secrets/ldap-server-key"
cp -p "$work/secrets/ca.pem" "$work/run-secrets/ca"
container=$(buildah from --pull-never "localhost/$IMAGE-ldap")
run --volume "$work/run-secrets:/run/secrets:ro" --volume "$PWD/docker/try-ldap:/tmp/try:ro" "$container" -- /tmp/try
say "The images build, the demo runs, and the servers answer."

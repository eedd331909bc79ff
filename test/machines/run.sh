#!/bin/bash
# npm run test:machines [-- SUITE [COMMAND…]]: README's commands on a Debian that has nothing but what README asks for.
#
# SUITE is trixie (Debian's own Node; the whole suite) or bookworm (npm's Node 20; the demo and the tests that need a Postfix);
# both without one. COMMANDs take the place of these, one after the other, until one fails. KEEP=1 leaves the machine,
# POSTFIX=1 puts a configured Postfix there first, PLACE=/root/toeh clones to another place than /srv/toeh.
#
# A machine is a folder made by Debian's mmdebstrap, entered by chroot(1) with a /proc, /tmp and /run of its own. Where packages
# come from, by which proxy and with which certificates is asked of this system's apt and npm. The last commit is tested.
# Base systems are kept in toeh-machines in the temporary folder, for a week.
#
# Tests run in a network namespace of each machine, in which there is loopback and nothing else; what fetches runs before it.
set -uo pipefail

WEEK_MINUTES=$((7 * 24 * 60))
# 20 is the oldest that is supported.
NODE=20
base=${TMPDIR:-/tmp}/toeh-machines
place=${PLACE:-/srv/toeh}
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

fail() {
  printf 'test:machines: %s\n' "$*" >&2
  exit 1
}

[ "$(id -u)" = 0 ] || fail 'making a machine needs root'
command -v apt-get >/dev/null || fail 'making a machine needs a Debian with apt-get'
unshare --mount --net --pid --fork true 2>/dev/null || fail 'this system lets nobody make namespaces, root neither'

# .ci/run asks first.
if [ "${1:-}" = --can ]; then exit 0; fi

suites=(trixie bookworm)
if [ $# -gt 0 ]; then
  case $1 in trixie | bookworm) suites=("$1") ;; *) fail "there is no suite $1: trixie or bookworm" ;; esac
  shift
fi
commands=("$@")

# Everything that a run makes is in one folder beside the base systems; it is on one file system, without mounts.
mkdir -p "$base" || exit 1
chmod 755 "$base"
work=$(mktemp -d "$base/run.XXXXXX") || exit 1
chmod 755 "$work"
finish() {
  if [ -n "${KEEP:-}" ]; then printf 'kept: %s\n' "$work"; else rm -rf --one-file-system "$work"; fi
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# The lines of sources.list for a suite, made of this system's own: its codename is another, its servers are the same.
sources_of() {
  local suite=$1 own keyring=/usr/share/keyrings/debian-archive-keyring.gpg signed=''
  own=$(. /etc/os-release && printf '%s' "${VERSION_CODENAME:-}")
  if [ -e "$keyring" ]; then signed="[signed-by=$keyring] "; fi
  apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' | sort -u |
    awk -v own="$own" -v suite="$suite" -v signed="$signed" '
      $3 == "main" && ($2 == own || $2 == own "-updates" || $2 == own "-security") {
        print "deb " signed $1, suite substr($2, length(own) + 1), "main"
      }'
}

# How this system's apt reaches its servers: proxies, certificates, whether dates are checked.
apt_settings() { apt-config dump Acquire | grep -E '^Acquire::(http|https|Check-|Retries|ForceIPv)' | grep -v '""'; }

# A program of this system, installed where it is missing: needed PROGRAM PACKAGE.
needed() {
  command -v "$1" >/dev/null && return
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$2" >/dev/null ||
    fail "$2 cannot be installed"
}

# A base system, into a tar file. What needs no Debian of that suite is in it as well: npm's Node, for bookworm.
make_base() {
  local suite=$1 tar=$2 packages=ca-certificates,build-essential,python3
  needed mmdebstrap mmdebstrap
  sources_of "$suite" >"$work/sources.list"
  [ -s "$work/sources.list" ] || fail "this system's apt has no servers of Debian"
  apt_settings >"$work/apt.conf"
  if [ "$suite" = trixie ]; then packages=$packages,nodejs,npm; fi
  mmdebstrap --quiet --variant=minbase --include="$packages" --aptopt="$work/apt.conf" --format=directory \
    "$suite" "$work/base" "$work/sources.list" || return 1
  if [ "$suite" != trixie ]; then node_into "$work/base/usr/local" || return 1; fi
  tar -cpf "$tar.new" --numeric-owner --one-file-system -C "$work/base" . && mv "$tar.new" "$tar" && rm -rf "$work/base"
}

# npm's package node brings the program and its headers; npm is this system's own.
node_into() {
  local prefix=$1 parts npm
  npm=$(npm root --global)/npm
  [ -e "$npm/bin/npm-cli.js" ] || npm=$(dirname "$(dirname "$(readlink -f "$(command -v npm)")")")
  mkdir -p "$work/node" && echo '{ "private": true, "allowScripts": { "node": true } }' >"$work/node/package.json" || return 1
  npm install --prefix "$work/node" --no-save --no-audit --no-fund --loglevel=error "node@$NODE" >&2 || return 1
  parts=$(find "$work/node/node_modules" -type f -path '*/bin/node' -path '*/node-*-*/*' | head -n 1)
  [ -n "$parts" ] || return 1
  parts=$(dirname "$(dirname "$parts")")
  mkdir -p "$prefix"/{bin,include,lib/node_modules} && cp -a "$parts/bin/node" "$prefix/bin/" || return 1
  if [ -d "$parts/include/node" ]; then cp -a "$parts/include/node" "$prefix/include/"; fi
  cp -a "$npm" "$prefix/lib/node_modules/" || return 1
  ln -s ../lib/node_modules/npm/bin/npm-cli.js "$prefix/bin/npm"
  ln -s ../lib/node_modules/npm/bin/npx-cli.js "$prefix/bin/npx"
}

# A file of this system to the same place in the machine.
carry() { if [ -f "$1" ]; then install -D -m 0644 "$1" "$2$1"; fi; }

# How this system reaches the network: names, certificates, and npm's settings. Sets environment, for env(1).
settle_in() {
  local machine=$1 file name
  environment=(HOME=/root TERM=dumb CI=true NO_COLOR=1 LANG=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin)
  for file in /etc/resolv.conf /etc/hosts /etc/ssl/certs/ca-certificates.crt; do
    if [ -e "$file" ]; then cp -L --remove-destination "$file" "$machine$file"; fi
  done
  # Where its Node has its headers is nothing to the machine's.
  for file in "$(npm config get globalconfig)" "$(npm config get userconfig)"; do
    if [ -f "$file" ]; then grep -vE '^ *(nodedir|prefix|cache) *=' "$file" >>"$machine/root/.npmrc"; fi
  done
  for name in /usr/local /usr; do
    # A download less, where nothing but npm's registry may be reachable.
    if [ -e "$machine$name/include/node/node.h" ]; then environment+=("npm_config_nodedir=$name") && break; fi
  done
  file=$(npm config get cafile)
  if [ "$file" != null ]; then carry "$file" "$machine"; fi
  for name in NODE_EXTRA_CA_CERTS SSL_CERT_FILE; do
    if [ -n "${!name:-}" ]; then carry "${!name}" "$machine" && environment+=("$name=${!name}"); fi
  done
  for name in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY npm_config_registry; do
    if [ -n "${!name:-}" ]; then environment+=("$name=${!name}"); fi
  done
}

# Runs a line of bash in a machine, in the clone: within NETWORK LINE; NETWORK is fetching (this system's) or alone.
within() {
  local machine=$1 network=$2 line=$3 own=()
  if [ "$network" = alone ]; then own=(--net); fi
  unshare --mount --pid --fork --kill-child --propagation private "${own[@]}" bash -c '
    machine=$1 network=$2; shift 2
    if [ "$network" = alone ]; then ip link set lo up || exit 1; fi
    mount --bind "$machine" "$machine" && mount -t proc proc "$machine/proc" &&
      mount --rbind /sys "$machine/sys" && mount --rbind /dev "$machine/dev" &&
      mount -t tmpfs -o mode=1777 tmpfs "$machine/tmp" && mount -t tmpfs -o mode=0755 tmpfs "$machine/run" &&
      exec env -i "$@"' _ "$machine" "$network" "${environment[@]}" \
    chroot "$machine" bash -c "cd '$place' && $line" </dev/null
}

# The compiled tests that start a Postfix: by what they import, themselves or by a file of test/support.
with_postfix='grep -lE "support/(postfix|debian|doctor)\.js" -r dist/test --include="*.test.js" | grep -vE "^dist/test/(soak|crash)/"'

# One machine. The whole suite is npm cit in its parts, because only the first two of them fetch anything.
try() {
  local suite=$1 tar=$base/$1.tar machine=$work/$1 step network line
  shift
  if [ -n "$(find "$tar" -mmin +$WEEK_MINUTES 2>/dev/null)" ]; then rm -f "$tar"; fi
  if [ ! -s "$tar" ]; then
    printf '\n== %s: a new base system\n' "$suite"
    make_base "$suite" "$tar" || return 1
  fi
  mkdir "$machine" && tar -xpf "$tar" --numeric-owner -C "$machine" || return 1
  settle_in "$machine"
  git clone --quiet --no-hardlinks "$root" "$machine$place" && chown -R root:root "$machine$place" || return 1
  local steps=()
  if [ -n "${POSTFIX:-}" ]; then
    steps+=('fetching apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y postfix >/dev/null')
  fi
  if [ $# -gt 0 ]; then
    for line; do steps+=("fetching $line"); done
  else
    steps+=('fetching ./examples/demo' 'fetching npm ci && npm run pretest')
    if [ "$suite" = trixie ]; then steps+=('alone npm test --ignore-scripts'); else
      steps+=("alone NODE_OPTIONS=--import=./dist/test/support/unrecorded.js npx tap \$($with_postfix)")
    fi
  fi
  for step in "${steps[@]}"; do
    network=${step%% *} line=${step#* }
    printf '\n== %s: %s\n' "$suite" "$line"
    SECONDS=0
    within "$machine" "$network" "$line"
    local status=$?
    printf '\n== %s: ended with %s after %s s\n' "$suite" "$status" "$SECONDS"
    [ "$status" = 0 ] || return 1
  done
}

needed ip iproute2
needed git git
failed=()
for suite in "${suites[@]}"; do
  try "$suite" ${commands[@]+"${commands[@]}"} || failed+=("$suite")
  [ -n "${KEEP:-}" ] || rm -rf --one-file-system "${work:?}/$suite"
done
[ ${#failed[@]} = 0 ] || fail "not whole on ${failed[*]}"
printf '\nwhole on %s\n' "${suites[*]}"

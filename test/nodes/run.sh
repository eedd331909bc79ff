#!/bin/bash
# npm run test:nodes [-- VERSION… [-- TEST…]]: installs, builds and tests the last commit under each Node that is supported.
# Each has a clone and a node_modules of its own in a temporary folder: npm installs the better-sqlite3 that fits that Node.
# TESTs are files of dist/test; without any it is npm test. KEEP=1 leaves the folder.
set -uo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
versions=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do versions+=("$1"); shift; done
[ $# -gt 0 ] && shift
[ ${#versions[@]} -gt 0 ] || versions=(20 22 24 26)

work=$(mktemp -d "${TMPDIR:-/tmp}/toeh-nodes-XXXXXX") || exit 1
# Some tests run the programs as another user.
chmod 755 "$work"
if [ -z "${KEEP:-}" ]; then trap 'rm -rf "$work"' EXIT; fi
unset NODE_OPTIONS NODE_PATH

# npm's package node brings the program, and with it the headers that better-sqlite3 is compiled against.
node_of() {
  local prefix=$work/node-$1 parts
  mkdir -p "$prefix" && echo '{ "private": true, "allowScripts": { "node": true } }' >"$prefix/package.json" || return 1
  npm install --prefix "$prefix" --no-save --no-audit --no-fund --loglevel=error "node@$1" >&2 || return 1
  parts=$(find "$prefix/node_modules" -type f -path '*/bin/node' -path '*/node-*-*/*' | head -n 1)
  [ -n "$parts" ] && dirname "$(dirname "$parts")"
}

# In a shell of its own, so that PATH ends with it.
try() (
  home=$(node_of "$1") || { echo "node@$1 could not be installed" >&2; exit 1; }
  export PATH=$home/bin:$PATH
  shift
  # better-sqlite3 12 downloads a ready-made binary where it can; else node-gyp compiles, and needs no download for that.
  if [ -e "$home/include/node/node.h" ]; then export npm_config_nodedir=$home; fi
  clone=$work/toeh-$(node --version)
  git clone --quiet "$root" "$clone" && cd "$clone" || exit 1
  npm ci --no-audit --no-fund --loglevel=error || exit 1
  node -p "const D = require(process.versions.napi >= 10 ? 'better-sqlite3' : 'better-sqlite3-12')
    const { sqlite } = new D(':memory:').prepare('SELECT sqlite_version() AS sqlite').get()
    'node ' + process.version + ', modules ' + process.versions.modules + ', V8 ' + process.versions.v8 + ', SQLite ' + sqlite" || exit 1
  if [ $# -eq 0 ]; then npm test; else npm run pretest && npx tap "$@"; fi
)

failed=()
for version in "${versions[@]}"; do
  printf '\n== Node %s\n' "$version"
  try "$version" "$@" || failed+=("$version")
done
if [ ${#failed[@]} -gt 0 ]; then
  printf '\nfailed under Node %s\n' "${failed[*]}" >&2
  exit 1
fi
printf '\nwhole under Node %s\n' "${versions[*]}"

#!/bin/sh
# toeh-filter: what pipe(8) starts. Node does the work (bin/toeh-filter.ts); this answers for it with 0 or 75. pipe(8) bounces on
# every other status, and Node has some of its own: 9 for an option it does not know, 1 with too few descriptors to
# start, 127 where there is none. A --node=PROGRAM that comes first says which Node; else it is the first in the PATH.
#
# --no-rehash-snapshot spares a tenth of Node's start: docs/performance.md, "The hash seed". --no-warnings: what Node prints
# would stand in front of the one line that pipe(8) reads.
trap 'exit 75' EXIT
# A signal to this alone must not leave a Node behind that sends what Postfix is told is not sent.
trap : HUP INT TERM
node=node
case $1 in --node=*) node=${1#*=} && shift ;; esac
"$node" --no-rehash-snapshot --no-warnings "${0%/*}/toeh-filter.cjs" --writer="$PPID" "$@" && trap - EXIT

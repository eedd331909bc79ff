#!/usr/bin/env -S /bin/sh -c 'trap "exit 75" 0; . "$0"'
# toeh-filter: what pipe(8) starts. Node does the work (bin/toeh-filter.ts); this answers for it with 0 or 75. pipe(8) bounces on
# every other status, and Node has some of its own: 9 for an option it does not know, 1 with too few descriptors to
# start, 127 where there is none. A --node=PROGRAM that comes first says which Node; else it is the first in the PATH.
#
# --no-rehash-snapshot spares a tenth of Node's start: docs/performance.md, "The hash seed". --no-warnings spares writing what
# nobody would read.
#
# The first line sets a trap before a shell opens this file: with fewer than 12 descriptors dash cannot, and would end with 2.
#
# Both outputs are one to pipe(8), which looks for 4.3.0 in the first bytes. So standard error goes nowhere: V8's dump, the
# loader's and this shell's own words. Where Node ends without an answer, the one line is written here.
command exec 2>/dev/null || exec 2>&-
answer() {
  case $ended in
    75) exit 75 ;;
    '') why='no process can be started: TasksMax= of its unit, or a limit of its user' ;;
    9) why="$node does not know an option; Node has to be 20.19 or newer" ;;
    126) why="$node cannot be run: its mode, a noexec mount, or ProtectHome= and the like in the unit of Postfix" ;;
    127) why="there is no Node at ${node:-\"\"}, or a library that it needs is missing" ;;
    129 | 130 | 143) why="Node was ended by signal $((ended - 128))" ;;
    137) why='Node was killed: MemoryMax= in the unit of Postfix, or no memory is left' ;;
    159) why='Node may not make a system call: SystemCallFilter= in the unit of Postfix' ;;
    13[2-9])
      why="Node crashed (signal $((ended - 128)))"
      case $(ulimit -n) in
        [0-9] | [1-5][0-9]) why="$why: $(ulimit -n) descriptors are too few, LimitNOFILE= in the unit of Postfix" ;;
        *) why="$why: probably MemoryDenyWriteExecute= in the unit of Postfix, or a limit of memory" ;;
      esac ;;
    *) why="Node ended with $ended and no answer" ;;
  esac
  printf '4.3.0 toeh: start: %s; run toeh doctor\n' "$why"
  exit 75
}
trap answer EXIT
# A signal to this alone must not leave a Node behind that sends what Postfix is told is not sent.
trap : HUP INT TERM
node=node ended=
case $1 in --node=*) node=${1#*=} && shift ;; esac
"$node" --no-rehash-snapshot --no-warnings "${0%/*}/toeh-filter.cjs" --writer="$PPID" "$@"
ended=$?
[ "$ended" = 0 ] && trap - EXIT && exit 0

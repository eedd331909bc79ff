#!/bin/sh
# The least a content filter of pipe(8) does, after the "simple content filter example" of Postfix's FILTER_README:
# keeps the mail in a file, would look at it, and hands it to sendmail.
# simple-filter.sh FOLDER -f SENDER -- RECIPIENT...
cd "$1" || exit 75
shift
trap 'rm -f in.$$' 0 1 2 3 15
cat > in.$$ || exit 75
/usr/sbin/sendmail -G -i "$@" < in.$$ || exit 75

#!/bin/sh
# Fails if an archive of our usrsctp defines a global symbol without our prefix: it would clash with
# the system's library in a program that links both. Usage: symbols.sh NM ARCHIVE
stray=$("$1" -g --defined-only "$2" | awk 'NF == 3 && $3 !~ /^asiortc_/ { print $3 }')
count=$("$1" -g --defined-only "$2" | grep -c ' asiortc_')
if [ -n "$stray" ] || [ "$count" -lt 100 ]; then
  echo "symbols without a prefix (of $count with one):" $stray
  exit 1
fi

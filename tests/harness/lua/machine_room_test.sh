#!/bin/sh
# SPDX-License-Identifier: MIT
# Every line of docs/machine-room.md names a case that is there, and one only: a file of scripts/ and
# how the case's name begins. Every case of scripts/lost is in the page.
set -eu
export LC_ALL=C

top=$TAPLINE_SOURCE_DIR
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
status=0

# "| ... | `lost/send.lua`: the cable is out |" -> "lost/send.lua: the cable is out"
sed -n -E 's/^\|.*\| `([^`]*\.lua)`: (.*) \|$/\1: \2/p' "$top/docs/machine-room.md" >"$dir/named"
[ "$(wc -l <"$dir/named")" -ge 40 ] || { echo "only $(wc -l <"$dir/named") cases found in docs/machine-room.md"; exit 1; }

cd "$top/scripts"
sed 's/:.*//' "$dir/named" | sort -u | xargs "$TAPLINE" run --list >"$dir/cases"
while read -r name; do
	n=$(awk -v name="$name" 'index($0, name) == 1' "$dir/cases" | tee -a "$dir/shown" | wc -l)
	[ "$n" = 1 ] || { echo "docs/machine-room.md: $n cases begin with \"$name\""; status=1; }
done <"$dir/named"

"$TAPLINE" run --list lost | sort >"$dir/lost"
sort "$dir/shown" >"$dir/shown.sorted"
if comm -23 "$dir/lost" "$dir/shown.sorted" | grep .; then
	echo "these cases are not in docs/machine-room.md"
	status=1
fi
exit $status

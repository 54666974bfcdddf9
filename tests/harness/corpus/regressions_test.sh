#!/bin/sh
# SPDX-License-Identifier: MIT
# docs/regressions.md: the case of every row is in its file, and its seed in the corpus.
set -eu
export LC_ALL=C

root=$TAPLINE_SOURCE_DIR
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
status=0

# Rows of five cells: name, file, test, target; names with a comma have one row.
awk -F ' *[|] *' '/^\| [a-z0-9_, ]+ \|/ && NF == 7 && $2 != "name" { print $2 "\t" $4 "\t" $5 "\t" $6 }' \
	"$root/docs/regressions.md" >"$dir/rows"
[ "$(wc -l <"$dir/rows")" -ge 70 ] || { echo "docs/regressions.md: fewer than 70 rows are understood"; exit 1; }

tab=$(printf '\t')
while IFS=$tab read -r name file test target; do
	grep -q -F -e "$test" "$root/scripts/$file" || {
		echo "docs/regressions.md: $name: scripts/$file has no test '$test'"
		status=1
	}
	[ "$target" = - ] && continue
	seed="$target/regress-${name%%,*}"
	[ -s "$root/corpus/$seed" ] || {
		echo "docs/regressions.md: $name: there is no corpus/$seed"
		status=1
	}
done <"$dir/rows"
[ -z "$(cut -f1 "$dir/rows" | sort | uniq -d)" ] || { echo "docs/regressions.md: a name has two rows"; status=1; }
exit $status

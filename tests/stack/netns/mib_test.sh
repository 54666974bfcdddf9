#!/bin/bash
# SPDX-License-Identifier: MIT
# Each counter of stack/netns/mib.def is counted somewhere in the stack, or docs/counters.md says why it is
# not; and what that says is always 0 is counted nowhere.
set -euo pipefail
export LC_ALL=C
cd "$TAPLINE_SOURCE_DIR"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
sed -n 's/^MIB(\([A-Za-z0-9]*\)).*/\1/p' stack/netns/mib.def | sort >"$work/all"
# Names of counters in code; proc/ only prints them.
find stack -name '*.[ch]' ! -path 'stack/proc/*' -exec grep -ohE '[A-Za-z0-9_]+' {} + | sed 's/^MIB_//' |
	sort -u | comm -12 - "$work/all" >"$work/used"
sed -n '/^## Always 0/,$s/^| \(`.*`\) |.*/\1/p' docs/counters.md | grep -oE '[A-Za-z0-9]+' | sort >"$work/zero"

status=0
complain() {
	while read -r name; do
		echo "$name: $1"
		status=1
	done
}
complain "is counted nowhere, and docs/counters.md does not say why" < <(comm -23 "$work/all" "$work/used" | comm -23 - "$work/zero")
complain "docs/counters.md has it as always 0, and it is counted" < <(comm -12 "$work/used" "$work/zero")
complain "docs/counters.md has it twice, or it does not exist" < <(comm -13 "$work/all" "$work/zero")
exit $status

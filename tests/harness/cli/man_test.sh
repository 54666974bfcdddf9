#!/bin/sh
# SPDX-License-Identifier: MIT
# docs/man/tapline.1 has every command, and for each exactly the options of its --help.
set -eu
export LC_ALL=C

page=$TAPLINE_SOURCE_DIR/docs/man/tapline.1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
status=0

# The options that lines begin with, one a line, sorted.
options() {
	grep -o -E '(^|[ ,])--?[a-z][-a-z]*' | tr -d ' ,' | sort -u
}

"$TAPLINE" help | sed -n 's/^  \([a-z][a-z]*\)  *.*/\1/p' >"$dir/commands"
[ "$(wc -l <"$dir/commands")" -ge 6 ] || { echo "no commands in 'tapline help'"; exit 1; }

while read -r command; do
	sed 's/\\-/-/g' "$page" | awk -v start=".SS tapline $command" '
		/^\.S[SH]/ { in_it = index($0 " ", start " ") == 1; if (in_it) found = 1 }
		in_it { print }
		END { if (!found) exit 1 }' >"$dir/section" || {
		echo "docs/man/tapline.1 has no section '.SS tapline $command'"
		status=1
		continue
	}
	"$TAPLINE" "$command" --help | sed -n 's/^  \(-[^ ,]*\(, -[^ ,]*\)*\).*/ \1/p' | options >"$dir/help" || true
	sed -n '/^\.BI* "*-/{s/^\.BI* "*//;s/" .*//;s/^/ /;p;}' "$dir/section" | options >"$dir/page" || true
	# Commands whose only option is --help need not list it.
	if ! diff "$dir/help" "$dir/page" >"$dir/diff"; then
		echo "tapline $command: options of --help (<) and of docs/man/tapline.1 (>) differ:"
		cat "$dir/diff"
		status=1
	fi
done <"$dir/commands"

[ "$(sed 's/\\-/-/g' "$page" | grep -c '^\.BI* "*--*[a-z]')" -ge 25 ] || { echo "few options found in the page"; status=1; }
if command -v groff >/dev/null; then
	groff -man -ww -Tascii "$page" 2>"$dir/warnings" >/dev/null || true
	[ ! -s "$dir/warnings" ] || { cat "$dir/warnings"; status=1; }
fi
exit $status

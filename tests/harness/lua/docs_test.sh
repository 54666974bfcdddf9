#!/bin/sh
# SPDX-License-Identifier: MIT
# Every block of code in docs/lua.md is a test file that passes, alone and in any company.
set -eu

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
awk -v dir="$dir" '
	/^```lua$/ { file = sprintf("%s/block%02d.lua", dir, ++n); next }
	/^```$/ { file = ""; next }
	file { print > file }
' "$TAPLINE_SOURCE_DIR/docs/lua.md"
count=$(ls "$dir" | wc -l)
[ "$count" -ge 5 ] || { echo "only $count blocks found in docs/lua.md"; exit 1; }
cd "$dir"
"$TAPLINE" run .

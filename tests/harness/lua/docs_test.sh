#!/bin/sh
# SPDX-License-Identifier: MIT
# Every block of code in README.md and docs/lua.md is a test file that passes, alone and in any company;
# those of docs/capture-cases.md are the files that they say they are.
set -eu

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
awk -v dir="$dir" '
	/^```lua$/ { file = sprintf("%s/block%02d.lua", dir, ++n); next }
	/^```$/ { file = ""; next }
	file { print > file }
' "$TAPLINE_SOURCE_DIR/README.md" "$TAPLINE_SOURCE_DIR/docs/lua.md"
count=$(ls "$dir" | wc -l)
[ "$count" -ge 5 ] || { echo "only $count blocks found in docs/lua.md"; exit 1; }
(cd "$dir" && "$TAPLINE" run .)

mkdir "$dir/case"
awk -v dir="$dir/case" '
	/^```lua$/ { getline; file = dir "/" $2; print > file; next }
	/^```$/ { file = ""; next }
	file { print > file }
' "$TAPLINE_SOURCE_DIR/docs/capture-cases.md"
cd "$dir/case"
"$TAPLINE" run make.lua >out && { echo "a capture that is not there was not missed"; exit 1; }
"$TAPLINE" run --make make.lua
"$TAPLINE" run .
"$TAPLINE" run echo.pcap

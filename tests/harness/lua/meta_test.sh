#!/bin/sh
# SPDX-License-Identifier: MIT
# The annotations for the Lua language server (scripts/lib/meta) have every function that docs/lua.md
# names, and no method that the library does not have.
set -eu
export LC_ALL=C

top=$TAPLINE_SOURCE_DIR
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
status=0

# As docs/lua.md writes it -> as the annotations do.
sed '/^```lua/,/^```$/d' "$top/docs/lua.md" "$top/docs/capture-cases.md" |
	grep -o -E '\b(program|capture|p|packetdrill|t|host|peer|wire|packet|task|s|socket|e|net|tap|case|make)[:.][a-z][a-z0-9_]*[( {"]?' |
	sed -E -e 's/[( {"]$//' -e 's/^t:/Test:/' -e 's/^p:/Packetdrill:/' -e 's/^program:/Program:/' -e 's/^capture:/Capture:/' -e 's/^host:/Host:/' -e 's/^peer:/Peer:/' -e 's/^wire:/Wire:/' \
		-e 's/^packet:/Packet:/' -e 's/^task:/Task:/' -e 's/^(s|socket):/Socket:/' -e 's/^e:/Epoll:/' |
	grep -E '^([A-Z][a-z]*:|packetdrill\.|net\.|tap\.|case\.|make\.)' | sort -u >"$dir/named"
# net.ipv4.ip_forward and the like are sysctls, packetdrill.md is a page.
grep -v -x -E 'net\.(ipv4|core|ipv6|netfilter)|packetdrill\.md' "$dir/named" >"$dir/wanted"
[ "$(wc -l <"$dir/wanted")" -ge 60 ] || { echo "only $(wc -l <"$dir/wanted") functions found in docs/lua.md"; exit 1; }

sed -n -E 's/^function ([A-Za-z0-9_]+[:.][a-z0-9_]+)\(.*/\1/p' "$top"/scripts/lib/meta/*.lua | sort -u >"$dir/annotated"
if comm -23 "$dir/wanted" "$dir/annotated" | grep .; then
	echo "these are in docs/lua.md and have no annotation in scripts/lib/meta"
	status=1
fi

# Each is somewhere in the library, or in the binding.
cat "$top"/scripts/lib/*.lua "$top"/scripts/lib/net/*.lua "$top"/harness/lua/net_packet.c >"$dir/library"
sed 's/.*[:.]//' "$dir/annotated" | sort -u | while read -r name; do
	grep -q -w -- "$name" "$dir/library" || echo "$name"
done >"$dir/unknown"
if [ -s "$dir/unknown" ]; then
	cat "$dir/unknown"
	echo "these are annotated and not in the library"
	status=1
fi

# They are Lua.
for file in "$top"/scripts/lib/meta/*.lua; do
	"$TAPLINE" run "$file" 2>&1 | grep -q "no test here" || {
		"$TAPLINE" run "$file" || true
		status=1
	}
done
exit $status

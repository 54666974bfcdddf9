#!/bin/sh
# SPDX-License-Identifier: MIT
# A script's --ip_version is its only family, wherever it stands and whatever addresses stand with it; a
# script without any event is an error.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tapline=${TAPLINE:-./tapline}
cat >"$work/own.pkt" <<'END'
--local_ip=2001:db8:1::1
--remote_ip=2001:db8:2::1
--ip_version=ipv6
--gateway_ip=2001:db8:1::2
0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 bind(3, ..., ...) = 0
+0 listen(3, 1) = 0
+0 < S 0:0(0) win 32792 <mss 1000>
+0 > S. 0:0(0) ack 1 <mss 1440>
END
"$tapline" run "$work/own.pkt" >"$work/own.tap" 2>&1 || true
grep -q '^ok 1 - .*: ipv6$' "$work/own.tap" || { cat "$work/own.tap"; exit 1; }
# Addresses of another family than the one that is asked for: a skip.
sed '/ip_version/d' "$work/own.pkt" >"$work/none.pkt"
"$tapline" run "$work/none.pkt" >"$work/none.tap" 2>&1 || true
grep -q '^ok 1 - .*: ipv4 # SKIP .*family' "$work/none.tap" || { cat "$work/none.tap"; exit 1; }
# Nothing that could fail is no pass.
printf -- '--mtu=1400\n// Nothing.\n' >"$work/empty.pkt"
if "$tapline" run "$work/empty.pkt" >"$work/empty.tap" 2>&1; then
	cat "$work/empty.tap"
	exit 1
fi
grep -q 'empty.pkt:1: no event here' "$work/empty.tap" || { cat "$work/empty.tap"; exit 1; }

#!/bin/sh
# SPDX-License-Identifier: MIT
# A conversation over IPv6 is played over IPv6, whichever side is the peer.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cat >"$dir/talk.pkt" <<'PKT'
--ip_version=ipv6
0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 bind(3, ..., ...) = 0
+0 listen(3, 1) = 0
+0 < S 0:0(0) win 65535 <mss 1000>
+0 > S. 0:0(0) ack 1 <...>
+.1 < . 1:1(0) ack 1 win 65535
+0 accept(3, ..., ...) = 4
+.1 < P. 1:3001(3000) ack 1 win 65535
+0 > . 1:1(0) ack 3001
+0 write(4, ..., 5000) = 5000
+0 > P. 1:5001(5000) ack 3001
+.1 < . 3001:3001(0) ack 5001 win 65535
+0 shutdown(4, SHUT_WR) = 0
+0 > F. 5001:5001(0) ack 3001
+.1 < F. 3001:3001(0) ack 5002 win 65535
+0 > . 5002:5002(0) ack 3002
PKT
"$TAPLINE" run --capture "$dir" "$dir/talk.pkt" >"$dir/tap" || { cat "$dir/tap"; exit 1; }
capture=$(find "$dir" -name '*.pcapng')
for side in client server; do
	"$TAPLINE" replay --converse --side "$side" -w "$dir/$side.pcap" "$capture" >"$dir/out"
	grep -q " whole" "$dir/out" || { cat "$dir/out"; exit 1; }
	grep -q "peer $side received .*" "$dir/out"
	# Every packet that was played has an IPv6 header with the addresses of docs/replay.md.
	od -An -v -tx1 "$dir/$side.pcap" | tr -d ' \n' >"$dir/hex"
	grep -q 20010db8000000000000000000000001 "$dir/hex"
	grep -q 20010db8000000000000000000000002 "$dir/hex"
	if grep -q c0000201c0000202 "$dir/hex"; then exit 1; fi
done
grep -q 'received 3000\|received 5000' "$dir/out"

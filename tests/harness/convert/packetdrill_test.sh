#!/bin/sh
# SPDX-License-Identifier: MIT
# Our own packetdrill scripts as Lua tests: all are converted, pass, and fail when an expected packet
# says something else.
set -eu
for family in 4 6 mapped; do
	FAMILY=$family "$TAPLINE_SOURCE_DIR/ci/packetdrill-convert" "$TAPLINE_SOURCE_DIR/scripts/packetdrill"
done

# A command of several lines, one of them a file that does more than set sysctls: its text is there.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tapline=${TAPLINE:-./tapline}
cat >"$work/settings.sh" <<'END'
sysctl -q net.ipv4.tcp_sack=0
ip route change 192.0.2.1 dev tun0 advmss 700
END
cat >"$work/x.pkt" <<'END'
`./settings.sh
 ethtool -K tun0 tso off gso off
 sysctl -q net.ipv4.tcp_window_scaling=0`
0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0
+0 connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress)
+0 > S 0:0(0) <mss 700,nop,nop,TS val 100 ecr 0>
END
"$tapline" convert -o "$work/x.lua" "$work/x.pkt"
"$tapline" run "$work/x.lua"

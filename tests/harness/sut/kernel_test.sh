#!/bin/sh
# SPDX-License-Identifier: MIT
# A packetdrill script on this machine's kernel: what Linux does passes, what it does not do fails, calls
# wait and end, commands reach the namespace and not the machine. Where no namespace can be made the
# message says so, and that is all that is tested.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cat >"$dir/talk.pkt" <<'PKT'
`sysctl net.ipv4.tcp_sack=0`
0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 bind(3, ..., ...) = 0
+0 listen(3, 1) = 0
+0...0.2 accept(3, ..., ...) = 4
+.1 < S 0:0(0) win 65535 <mss 1000,nop,nop,sackOK>
+0 > S. 0:0(0) ack 1 <mss 1460>
+.1 < . 1:1(0) ack 1 win 65535
+.1 < P. 1:1001(1000) ack 1 win 65535
+0 > . 1:1(0) ack 1001
+0 read(4, ..., 2000) = 1000
+0 %{ assert tcpi_state == 1, tcpi_state }%
+0 write(4, ..., 500) = 500
+0 > P. 1:501(500) ack 1001
+.1 < . 1001:1001(0) ack 501 win 65535
+0 read(4, ..., 2000) = -1 EAGAIN
PKT
sed -i 's/^+0 read(4, ..., 2000) = -1 EAGAIN/+0 fcntl(4, F_SETFL, O_RDWR|O_NONBLOCK) = 0\n&/' "$dir/talk.pkt"
sed 's/^+0 > P. 1:501(500) ack 1001/+0 > P. 1:502(501) ack 1001/' "$dir/talk.pkt" >"$dir/wrong.pkt"
echo 'local tap = require "tap" tap.test("t", function(t) t:ok(true) end)' >"$dir/t.lua"
cd "$dir"

"$TAPLINE" run --sut kernel t.lua >out 2>err && { echo "a Lua test ran on the kernel"; exit 1; }
grep -q 'Lua tests need virtual time' err || { cat err; exit 1; }

for option in --audit --digest "--nic virtio" "--offload gro=on" "--profile rfc"; do
	# shellcheck disable=SC2086
	"$TAPLINE" run --sut kernel $option talk.pkt >out 2>err && { echo "$option was taken with --sut kernel"; exit 1; }
	grep -q -e "^tapline run: ${option%% *} .*--sut kernel" -e "^tapline run: ${option%% *} rfc and --sut kernel" err || { cat err; exit 1; }
done

before=$(cat /proc/sys/net/ipv4/tcp_sack 2>/dev/null || true)
if ! unshare -n true 2>/dev/null || ! [ -w /dev/net/tun ] || ! command -v ip >/dev/null; then
	"$TAPLINE" run --sut kernel talk.pkt >out 2>&1 && { echo "it ran without the rights"; exit 1; }
	grep -q 'is this root' out || [ "$(id -u)" = 0 ] || { cat out; exit 1; }
	echo "skipped: no network namespace with a tun device can be made here"
	exit 0
fi
# Real time on a machine that may be busy.
passes() {
	for _ in 1 2 3 4 5; do
		"$TAPLINE" run --sut kernel --tolerance 90ms "$1" >out 2>&1 && return
	done
	cat out
	exit 1
}
passes talk.pkt
# What a script sets of the device is set, not only that it is up.
cat >mtu.pkt <<'PKT'
`ip link set dev tun0 mtu 1400`
0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 bind(3, ..., ...) = 0
+0 listen(3, 1) = 0
+0 < S 0:0(0) win 32792 <mss 1460>
+0 > S. 0:0(0) ack 1 <mss 1360>
PKT
passes mtu.pkt
"$TAPLINE" run --sut kernel --set net.ipv4.tcp_sak=1 talk.pkt >out 2>err && { echo "a sysctl that is not there was set"; exit 1; }
grep -q "did you mean 'net.ipv4.tcp_sack'" err || { cat err; exit 1; }
"$TAPLINE" run --sut kernel --tolerance 90ms wrong.pkt >out 2>&1 && { echo "501 bytes were seen where 500 are"; exit 1; }
grep -q 'not ok 1' out || { cat out; exit 1; }
[ "$before" = "$(cat /proc/sys/net/ipv4/tcp_sack 2>/dev/null || true)" ] || { echo "the machine's own sysctl was set"; exit 1; }

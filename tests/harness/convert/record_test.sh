#!/bin/sh
# SPDX-License-Identifier: MIT
# A script that is recorded says what the stack does: it passes. Our own scripts, and one without any
# expectation.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tapline=${TAPLINE:-./tapline}
case $tapline in */*) tapline=$(realpath "$tapline") ;; esac
cd "$TAPLINE_SOURCE_DIR/scripts/packetdrill"
cp tapline.args "$work"
for script in *.pkt; do
	# Passes when it fails; files and the clock of %{ }% blocks are the script's own.
	case $script in failure.pkt) continue ;; esac
	"$tapline" convert --record -o "$work/$script" "$script"
done
cat >"$work/draft.pkt" <<'END'
// A draft.
0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 bind(3, ..., ...) = 0
+0 listen(3, 1) = 0
+0 < S 0:0(0) win 32792 <mss 1000,sackOK,TS val 1 ecr 0,nop,wscale 7>
+.1 < . 1:1(0) ack 1 win 257 <nop,nop,TS val 101 ecr 100>
+0 accept(3, ..., ...) = 4
+0...0.9 read(4, ..., 1000) = 0
+.2 < P. 1:101(100) ack 1 win 257 <nop,nop,TS val 301 ecr 100>
+0 write(4, ..., 1500) = 0
+.3 ioctl(4, SIOCOUTQ, [0]) = 0
+0 poll([{fd=4, events=POLLIN|POLLOUT, revents=0}], 1, 0) = 0
+0 poll([], 0, 0) = 1
+0 close(4) = -1 EBADF
+0 write(4, ..., 1) = 1
+0 write(4, "\"", 1) = 1
+0 epoll_create(1) = 7
+0 socket(..., SOCK_DGRAM, IPPROTO_UDP) = 5
+0 socket(..., SOCK_DGRAM, IPPROTO_UDP) = 6
+0 epoll_ctl(7, EPOLL_CTL_ADD, 5, {events=EPOLLIN|EPOLLOUT, fd=5}) = 0
+0 epoll_ctl(7, EPOLL_CTL_ADD, 6, {events=EPOLLIN|EPOLLOUT, fd=6}) = 0
+0 epoll_wait(7, {events=EPOLLIN, fd=5}, 4, 0) = 1
+0 epoll_ctl(7, EPOLL_CTL_DEL, 5, NULL) = 0
+0 epoll_wait(7, {events=EPOLLIN, fd=5}, 1, 0) = 0
END
"$tapline" convert --record --info -o "$work/drawn.pkt" "$work/draft.pkt"
for line in '// A draft.' '0.100000...0.300000 read(4, ..., 1000) = 100' \
	'0.600000 ioctl(4, SIOCOUTQ, \[1500\]) = 0' \
	'0.600000 poll(\[{fd=4, events=0x5, revents=0x4}\], 1, 0) = 1' \
	'0.600000 poll(\[\], 0, 0) = 0' '0.600000 write(4, "\\"", 1) = -1 EBADF' \
	'0.600000 write(4, ..., 1) = -1 EBADF' \
	'0.600000 epoll_wait(7, \[{events=0x4, fd=5}, {events=0x4, fd=6}\], 4, 0) = 2' \
	'0.600000 epoll_wait(7, {events=0x4, fd=6}, 1, 0) = 1' 'assert tcpi_unacked == 2, tcpi_unacked' \
	'0.300000 > . 1:1(0) ack 101 win 64 <nop,nop,TS val 400 ecr 301>'; do
	grep -q -x -e "$line" "$work/drawn.pkt" || { echo "no line '$line'"; cat "$work/drawn.pkt"; exit 1; }
done
rm "$work/draft.pkt"
"$tapline" run "$work"
# And no other than these.
sed 's/unacked == 2/unacked == 3/' "$work/drawn.pkt" >"$work/other.pkt"
if "$tapline" run "$work/other.pkt" >"$work/other.tap" 2>&1; then
	echo "the assertions of a recording mean nothing"
	exit 1
fi
# Bad input is told by its line and word.
refused()
{
	text=$1
	shift
	if "$tapline" convert --record "$@" >"$work/out" 2>"$work/error"; then
		echo "taken: $*"
		exit 1
	fi
	grep -q -e "$text" "$work/error" || { echo "no '$text' of $*"; cat "$work/error"; exit 1; }
}
printf '0 socket(..., SOCK_STREAM, IPPROTO_TCP = 3\n' >"$work/bad.pkt"
refused "bad.pkt:1: unknown field 'IPPROTO_TCP'" "$work/bad.pkt"
printf '0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 writ(3, ..., 1) = 1\n' >"$work/bad.pkt"
refused "bad.pkt:2: no system call 'writ' here; did you mean 'write'?" "$work/bad.pkt"
printf '0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 `ip route add bogus`\n' >"$work/bad.pkt"
refused "bad.pkt:2: the script does not run to its end: the command ended with status 2: ip: route" "$work/bad.pkt"
if [ "$(wc -l <"$work/error")" != 1 ]; then
	echo "more than a line:"
	cat "$work/error"
	exit 1
fi
refused "No such file" "$work/none.pkt"
refused "no stack 'linux' (there are tapline and kernel" --sut linux "$work/bad.pkt"
refused "for --record of packetdrill scripts" --info "$work/none.pcap"

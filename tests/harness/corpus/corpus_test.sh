#!/bin/sh
# SPDX-License-Identifier: MIT
# `tapline corpus`: seeds from captures, with and without link header, and from scripts; they are
# inputs that the targets take, and the same ones every time.
set -eu
export LC_ALL=C

top=$TAPLINE_SOURCE_DIR
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
status=0

fail() { echo "$*"; status=1; }

# seeds TARGET LEAST IN...: at least so many seeds, each of which runs; frames go both ways.
seeds() {
	target=$1 least=$2
	shift 2
	rm -rf "$dir/a" "$dir/b"
	"$TAPLINE" corpus "$target" "$@" -o "$dir/a" || fail "corpus $target $*: status $?"
	"$TAPLINE" corpus "$target" "$@" -o "$dir/b"
	diff -r "$dir/a" "$dir/b" || fail "$target: not the same twice"
	count=$(find "$dir/a" -type f | wc -l)
	[ "$count" -ge "$least" ] || fail "$target: $count seeds from $*"
	in=0 out=0
	for seed in "$dir"/a/*; do
		"$TAPLINE" repro "$target" "$seed" >"$dir/out" 2>&1 || { fail "$seed"; cat "$dir/out"; }
		in=$((in + $(sed -n 's/^frames_in //p' "$dir/out")))
		out=$((out + $(sed -n 's/^frames_out //p' "$dir/out")))
	done
	echo "$target: $count seeds, $in frames in, $out out"
	[ "$in" -gt "$count" ] || fail "$target: $in frames in"
}

seeds ethernet_demux 2 "$top/pcaps/udp/udp.pcap" "$top/pcaps/icmp/icmp.pcap"
seeds ip_defrag 1 "$top"/pcaps/ipfrag/*.pcap
seeds tcp_state_machine 10 "$top"/pcaps/talk/*.pcap

# A script: a UDP exchange, and TCP conversations over a device without link header.
cat >"$dir/case.lua" <<'X'
local tap = require "tap"
local net = require "net"

for i = 1, 2 do
  tap.test("talk " .. i, function()
    local host = net.host { addr = "192.0.2.1/24", model = i == 1 and "tun" or nil }
    host:route { dst = "default", dev = 2 }
    local peer = host.wire:peer { addr = "192.0.2.9", port = 4000 }:to(80)
    host:socket "tcp":listen(80)
    for port = 4000, 4005 do
      peer:fresh { port = port }:send "S 0:0(0) win 65535 <mss 1460>"
      peer:expect("S. 0:0(0) ack 1", { within = "1s" })
      peer:send ". 1:1(0) ack 1 win 65535"
      peer:send "P. 1:11(10) ack 1 win 65535"
      peer:expect(". 1:1(0) ack 11", { within = "1s" })
      peer:send "R. 11:11(0) ack 1"
    end
  end)
end
X
seeds tcp_state_machine 2 "$dir/case.lua"
# Four conversations, each opened and with its segments.
for seed in "$dir"/a/*; do
	[ "$("$TAPLINE" repro tcp_state_machine "$seed" | sed -n 's/^frames_in //p')" -ge 12 ] ||
		fail "$seed: few frames"
done
seeds ethernet_demux 1 "$dir/case.lua"

if "$TAPLINE" corpus tcp_state_machine "$dir/nowhere.lua" -o "$dir/a" 2>"$dir/err"; then
	fail "a script that is not there"
fi
grep -q 'nowhere.lua' "$dir/err" || fail "no message: $(cat "$dir/err")"
exit $status

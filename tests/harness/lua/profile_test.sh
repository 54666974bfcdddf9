#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A test that is for one profile runs in that one; where the command line names the other one it is
# skipped.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cat >"$dir/x.lua" <<'LUA'
local tap, net = require "tap", require "net"
local function min() return net.host{}:sysctl "net.ipv4.tcp_rto_min_us" end
tap.test("any", function(t) t:is(min(), t.profile == "rfc" and "1000000" or "200000") end)
tap.test("rfc", { profile = "rfc" }, function(t) t:is({ min(), t.profile }, { "1000000", "rfc" }) end)
tap.test("linux", { profile = "linux" }, function(t) t:is({ min(), t.profile }, { "200000", "linux" }) end)
LUA
fail() { echo "$1" >&2; exit 1; }
out=$("$TAPLINE" run "$dir/x.lua")
[ "$(echo "$out" | grep -c '^ok [123] - [^#]*$')" = 3 ] || fail "all three run: $out"
out=$("$TAPLINE" run --profile rfc "$dir/x.lua")
echo "$out" | grep -q '^ok 3 .*# SKIP for profile linux' || fail "rfc: $out"
[ "$(echo "$out" | grep -c '^ok [12] - [^#]*$')" = 2 ] || fail "rfc: $out"
out=$("$TAPLINE" run --profile linux "$dir/x.lua")
echo "$out" | grep -q '^ok 2 .*# SKIP for profile rfc' || fail "linux: $out"
echo 'local tap = require "tap" tap.test("x", { profile = "bsd" }, function() end)' >"$dir/y.lua"
"$TAPLINE" run "$dir/y.lua" | grep -q "option 'profile' is" || fail "an unknown profile"

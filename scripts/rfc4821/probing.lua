-- SPDX-License-Identifier: MIT
-- The search for a larger path MTU by probes of TCP (RFC 4821; net.ipv4.tcp_mtu_probing).
local tap = require "tap"
local tcp = require "suite.tcp"
local net = require "net"

local function probing(mode, more)
  local sysctl = { ["net.ipv4.tcp_mtu_probing"] = mode, ["net.ipv4.tcp_base_mss"] = 512,
    ["net.ipv4.tcp_timestamps"] = 0 }
  for name, value in pairs(more or {}) do sysctl[name] = value end
  local host, peer, conn = tcp.active { syn = "mss 1460,nop,nop,sackOK", sysctl = sysctl }
  host:ethtool { tso = false }
  return host, peer, conn
end

-- Lengths of segments that come within a millisecond, in the order of their numbers.
local function lengths(peer)
  local sizes = {}
  for i, frame in ipairs(peer:collect { during = "1ms" }) do sizes[i] = frame.ip.len - 20 - frame.tcp.doff * 4 end
  return sizes
end

-- A probe needs a cwnd of eleven segments: 5120 octets of ten.
local function warm(peer, conn)
  conn:send(("w"):rep(5120))
  lengths(peer)
  peer:send ". 1:1(0) ack 5121 win 65535"
  net.sleep "1ms"
end

tap.test("a probe between what works and what may; acknowledged, it is the size", function(t)
  local host, peer, conn = probing(2)
  warm(peer, conn)
  conn:send(("x"):rep(5000))
  local sizes = lengths(peer)
  t:is(sizes[1], 986, "half way between 552 and 1500, less the headers")
  t:is({ sizes[2], sizes[3] }, { 512, 512 })
  peer:send ". 1:1(0) ack 10121 win 65535"
  net.sleep "1ms"
  t:shows("RFC4821-7.6.2-1", t:is(conn:info().snd_mss, 986))
  t:is(host:counter "TcpExtTCPMTUPSuccess", 1)
end)

tap.test("the window in bytes does not grow with the segments", function(t)
  local _, peer, conn = probing(2)
  warm(peer, conn)
  local before = conn:info().snd_cwnd
  conn:send(("x"):rep(5000))
  lengths(peer)
  peer:send ". 1:1(0) ack 6107 win 65535" -- the probe alone
  net.sleep "1ms"
  t:shows("RFC4821-4-3", t:ok(conn:info().snd_cwnd * 1026 <= before * 552 + 1026,
    "cwnd " .. conn:info().snd_cwnd .. " of " .. before))
end)

tap.test("a probe that is lost alone: cwnd stays, the search goes on below", function(t)
  local host, peer, conn = probing(2)
  warm(peer, conn)
  local before = conn:info().snd_cwnd
  conn:send(("x"):rep(5000))
  local sizes = lengths(peer)
  t:is(sizes[1], 986)
  peer:send ". 1:1(0) ack 5121 win 65535 <nop,nop,sack 6107:6619>"
  peer:send ". 1:1(0) ack 5121 win 65535 <nop,nop,sack 6107:7131>"
  peer:send ". 1:1(0) ack 5121 win 65535 <nop,nop,sack 6107:7643>"
  sizes = lengths(peer)
  t:is({ sizes[1], sizes[2] }, { 512, 474 }, "the probe's bytes in segments that work")
  t:is(host:counter "TcpExtTCPMTUPFail", 1)
  t:shows("RFC4821-4-1", t:is(conn:info().snd_cwnd, before))
end)

tap.test("1: no probe until a black hole is suspected; then smaller and smaller segments", function(t)
  local _, peer, conn = probing(1, { ["net.ipv4.tcp_retries1"] = 2, ["net.ipv4.tcp_retries2"] = 12 })
  conn:send(("x"):rep(1460))
  t:is(lengths(peer), { 1460 })
  local seen = {}
  for _, frame in ipairs(peer:collect { during = "60s" }) do seen[frame.ip.len - 20 - frame.tcp.doff * 4] = true end
  t:shows("RFC4821-7.3-1", t:ok(seen[512], "tcp_base_mss"))
  t:shows("RFC4821-7.7-1", t:ok(seen[256] and seen[128], "and halves of it"))
end)

tap.test("0: never", function(t)
  local _, peer, conn = probing(0)
  conn:send(("x"):rep(14600))
  t:is(lengths(peer)[1], 1460)
end)

tap.test("the loss of what is no probe is congestion, while probing goes on too", function(t)
  local _, peer, conn = probing(2)
  warm(peer, conn)
  local before = conn:info().snd_cwnd
  conn:send(("x"):rep(5000))
  local sizes = lengths(peer)
  t:is(sizes[1], 986)
  -- The probe came, the segment behind it did not.
  peer:send ". 1:1(0) ack 6107 win 65535 <nop,nop,sack 6619:7131>"
  peer:send ". 1:1(0) ack 6107 win 65535 <nop,nop,sack 6619:7643>"
  peer:send ". 1:1(0) ack 6107 win 65535 <nop,nop,sack 6619:8155>"
  lengths(peer)
  t:shows("RFC4821-4-2", t:ok(conn:info().snd_ssthresh < before,
    ("ssthresh %d, the window was %d"):format(conn:info().snd_ssthresh, before)))
  t:is(conn:info().ca_state, "Recovery")
end)

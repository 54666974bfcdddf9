-- SPDX-License-Identifier: MIT
-- Where Linux is more eager than RFC 5681: the initial window, what an ACK of many segments is worth,
-- a SYN that was lost. Each as profile rfc has it, and as Linux does it.
local tap = require "tap"
local net = require "net"
local tcp = require "suite.tcp"

local segments, sent = tcp.segments, tcp.sent
local RENO = { ["net.ipv4.tcp_congestion_control"] = "reno" }

local function passive(mss, o)
  o = o or {}
  o.profile_values, o.syn, o.sysctl, o.rtt = true, "mss " .. mss, RENO, 100
  o.mtu = 9000
  local host, peer, conn = tcp.passive(o)
  conn:option("TCP_NODELAY", 1)
  conn:option("SO_SNDBUF", 1000000)
  conn:send(net.pattern(1, 100000))
  return host, peer, conn
end

for _, case in ipairs { { 536, 4 }, { 1095, 4 }, { 1096, 3 }, { 1460, 3 }, { 2190, 3 }, { 2191, 2 }, { 4000, 2 } } do
  tap.test(("profile rfc: the initial window is %d segments of %d octets"):format(case[2], case[1]),
    { profile = "rfc" }, function(t)
      local _, peer, conn = passive(case[1])
      local frames = peer:collect { during = "10ms" }
      t:shows("RFC3390-1-1", t:shows("RFC5681-3.1-2",
        t:is({ #frames, conn:info().snd_cwnd }, { case[2], case[2] })))
      t:is(#frames[1].payload, case[1])
    end)
end

for _, mss in ipairs { 536, 1460, 4000 } do
  tap.test(("profile linux: the initial window is ten segments, of %d octets too"):format(mss),
    { profile = "linux" }, function(t)
      local _, peer, conn = passive(mss)
      t:shows("RFC6928-2-1", t:is(#peer:collect { during = "10ms" }, 10))
      t:is(conn:info().snd_cwnd, 10)
    end)
end

tap.test("profile rfc: an ACK of three segments is worth one", { profile = "rfc" }, function(t)
  local _, peer, conn = passive(1000)
  t:is(sent(peer), segments(0, 4))
  peer:send ". 1:1(0) ack 3001 win 65535"
  t:shows("RFC5681-3.1-9", t:shows("RFC3465-2.3-1", t:is(sent(peer), segments(4, 4))))
  t:is(conn:info().snd_cwnd, 5)
  peer:send ". 1:1(0) ack 8001 win 65535" -- five of them
  t:is(sent(peer), segments(8, 6))
end)

tap.test("profile rfc: an ACK of a part of a segment is worth no more", { profile = "rfc" }, function(t)
  local _, peer, conn = passive(1000)
  t:is(sent(peer), segments(0, 4))
  for i = 1, 9 do
    peer:send((". 1:1(0) ack %d win 65535"):format(1 + i * 100))
    sent(peer, "10us")
  end
  t:shows("RFC5681-3.1-10", t:is(conn:info().snd_cwnd, 4))
  peer:send ". 1:1(0) ack 1001 win 65535"
  sent(peer)
  t:is(conn:info().snd_cwnd, 5)
end)

tap.test("profile rfc: slow start after a time-out: one segment an ACK too", { profile = "rfc" }, function(t)
  local _, peer, conn = passive(1000)
  t:is(sent(peer), segments(0, 4))
  peer:send ". 1:1(0) ack 4001 win 65535"
  sent(peer)
  sent(peer, "2500ms") -- probe or time-out
  t:is(conn:info().snd_cwnd, 1)
  local before = conn:info().snd_cwnd
  peer:send ". 1:1(0) ack 7001 win 65535"
  sent(peer)
  t:shows("RFC3465-2.3-2", t:is(conn:info().snd_cwnd, before + 1))
end)

tap.test("profile linux: an ACK of four segments is worth four", { profile = "linux" }, function(t)
  local _, peer, conn = passive(1000)
  t:is(sent(peer), segments(0, 10))
  peer:send ". 1:1(0) ack 4001 win 65535"
  t:is(sent(peer), segments(10, 8))
  t:is(conn:info().snd_cwnd, 14)
end)

local function syn_lost(times)
  local _, peer, server = tcp.listen { profile_values = true, sysctl = RENO }
  peer:send "S 0:0(0) win 65535 <mss 1000>"
  peer:expect "S. 0:0(0) ack 1"
  for i = 1, times do peer:expect("S. 0:0(0) ack 1", { at = "+" .. (1 << (i - 1)) .. "s" }) end
  peer:send ". 1:1(0) ack 1 win 65535"
  local conn = server:accept()
  conn:option("TCP_NODELAY", 1)
  conn:option("SO_SNDBUF", 1000000)
  conn:send(net.pattern(1, 20000))
  return peer
end

tap.test("profile rfc: the SYN,ACK was lost once: one segment", { profile = "rfc" }, function(t)
  local peer = syn_lost(1)
  t:shows("RFC3390-1-2", t:shows("RFC5681-3.1-4", t:is(sent(peer), segments(0, 1))))
end)

tap.test("profile linux: the SYN,ACK was lost once: the window is not lowered", { profile = "linux" }, function(t)
  local peer = syn_lost(1)
  t:shows("RFC6928-2-2", t:is(sent(peer), segments(0, 10)))
end)

tap.test("profile rfc: after an idle time the window is the initial one again", { profile = "rfc" }, function(t)
  local _, peer, conn = passive(1000)
  local acked = 0
  while acked < 100 do
    for stop in sent(peer, "10us"):gmatch ":(%d+)" do acked = math.max(acked, (tonumber(stop) - 1) // 1000) end
    net.sleep "50ms"
    peer:send((". 1:1(0) ack %d win 65535"):format(acked * 1000 + 1))
  end
  peer:collect { during = "1ms" }
  t:ok(conn:info().snd_cwnd > 4)
  net.sleep "20s"
  conn:send(net.pattern(1, 20000))
  t:shows("RFC3390-1-3", t:is(sent(peer), segments(100, 4)))
end)

tap.test("profile rfc: the RTO is 1 s at least", { profile = "rfc" }, function(t)
  local _, peer, conn = tcp.passive { profile_values = true, rtt = 10 }
  conn:send "x"
  peer:expect "P. 1:2(1) ack 1"
  t:shows("RFC6298-2-6", peer:expect_nothing { during = "1s" })
  peer:expect("P. 1:2(1) ack 1", { within = "12ms" })
end)

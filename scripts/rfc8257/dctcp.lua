-- SPDX-License-Identifier: MIT
-- DCTCP (RFC 8257).
local tap = require "tap"
local net = require "net"

local function dctcp(ecn)
  local host = net.host { addr = "192.0.2.1/24", sysctl = { ["net.ipv4.tcp_timestamps"] = 0,
    ["net.ipv4.tcp_sack"] = 0, ["net.ipv4.tcp_congestion_control"] = "dctcp" } }
  local peer = host.wire:peer { addr = "192.0.2.9", port = 4000 }:to(80)
  host:neigh { addr = peer.addr, mac = peer.mac }
  local server = host:socket "tcp":listen(80)
  peer:send(ecn and "SEW 0:0(0) win 65535 <mss 1000>" or "S 0:0(0) win 65535 <mss 1000>")
  peer:expect(ecn and "[ect0] SE. 0:0(0) ack 1" or "S. 0:0(0) ack 1")
  peer:send ". 1:1(0) ack 1 win 65535"
  return peer, server:accept(), host
end

tap.test("every segment is ECN-capable, ACKs and the SYN,ACK too", function(t)
  local peer = dctcp(true)
  peer:send "[ect0] P. 1:11(10) ack 1 win 65535"
  t:shows("RFC8257-3.6-1", peer:expect("[ect0] . 1:1(0) ack 11", { within = "1s" }))
end)

tap.test("our SYN asks, and is ECN-capable", function(t)
  local host = net.host { addr = "192.0.2.1/24",
    sysctl = { ["net.ipv4.tcp_congestion_control"] = "dctcp" } }
  local peer = host.wire:peer { addr = "192.0.2.9", port = 4000 }
  host:neigh { addr = peer.addr, mac = peer.mac }
  host:socket("tcp", { nonblock = true }):try("connect", "192.0.2.9", 4000)
  t:shows("RFC8257-3.6-1", peer:expect "[ect0] SEW 0:0(0)")
end)

tap.test("ECE exactly for what was marked; a change is told at once", function(t)
  local peer = dctcp(true)
  peer:send "[ce] P. 1:1001(1000) ack 1 win 65535"
  t:shows("RFC8257-3.2-1", peer:expect ".E 1:1(0) ack 1001")
  peer:send "[ce] P. 1001:2001(1000) ack 1 win 65535"
  t:shows("RFC8257-3.2-1", peer:expect(".E 1:1(0) ack 2001", { within = "1s" }))
  peer:send "[ect0] P. 2001:3001(1000) ack 1 win 65535"
  t:shows("RFC8257-3.2-1", peer:expect ". 1:1(0) ack 3001")
end)

tap.test("an ACK that was delayed goes first, with the old state", function(t)
  local peer, conn = dctcp(true)
  -- Quick ACKs are used up, so that one is delayed.
  for i = 0, 19 do
    peer:send(("[ect0] P. %d:%d(100) ack 1 win 65535"):format(i * 100 + 1, i * 100 + 101))
  end
  peer:collect { during = "500ms" }
  conn:recv()
  conn:option("TCP_QUICKACK", 0)
  peer:send "[ect0] . 2001:2101(100) ack 1 win 65535"
  net.sleep "1ms"
  peer:send "[ce] P. 2101:2201(100) ack 1 win 65535"
  t:shows("RFC8257-3.2-1", peer:expect ". 1:1(0) ack 2101")
  t:shows("RFC8257-3.2-1", peer:expect ".E 1:1(0) ack 2201")
end)

tap.test("alpha begins at 1: the first mark halves the window, later ones cut less", function(t)
  local peer, conn = dctcp(true)
  conn:send(("x"):rep(60000))
  peer:collect { during = "1us" }
  peer:send ".E 1:1(0) ack 1001 win 65535"
  net.sleep "10us"
  t:shows("RFC8257-3.3-2", t:is(conn:info().snd_ssthresh, 5))
  -- Five windows without a mark: alpha falls to 1024 * (15/16)^n, and so does the cut.
  local acked = 1001
  for _ = 1, 40 do
    acked = acked + 1000
    peer:send((". 1:1(0) ack %d win 65535"):format(acked))
    net.sleep "1ms"
  end
  peer:collect { during = "1us" }
  local cwnd = conn:info().snd_cwnd
  peer:send((".E 1:1(0) ack %d win 65535"):format(acked + 1000))
  net.sleep "10us"
  t:shows("RFC8257-3.3-1", t:ok(conn:info().snd_ssthresh > cwnd // 2))
  peer:collect { during = "1us" }
end)

tap.test("a loss is answered as by anybody: half", function(t)
  local peer, conn = dctcp(true)
  conn:send(("x"):rep(60000))
  peer:collect { during = "1us" }
  for _ = 1, 3 do peer:send ". 1:1(0) ack 1 win 65535" end
  net.sleep "10us"
  t:shows("RFC8257-3.5-1", t:is(conn:info().snd_ssthresh, 5))
  peer:collect { during = "1us" }
end)

tap.test("without ECN on the other side it is Reno", function(t)
  local peer, conn = dctcp(false)
  t:is((conn:option "TCP_CONGESTION"):match "^[^%z]*", "dctcp-reno")
  conn:send "hello"
  t:ok(peer:expect "[noecn] P. 1:6(5) ack 1")
end)

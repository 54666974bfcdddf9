-- SPDX-License-Identifier: MIT
-- ACK compression (net.ipv4.tcp_comp_sack_*): of segments out of order three are acknowledged at
-- once, of those that follow the last one.
local tap = require "tap"
local net = require "net"

local function receiving(sysctl)
  local host = net.host { addr = "192.0.2.1/24", sysctl = sysctl }
  host:sysctl("net.ipv4.tcp_timestamps", 0)
  local peer = host.wire:peer { addr = "192.0.2.9", port = 4000 }:to(80)
  host:neigh { addr = peer.addr, mac = peer.mac }
  local server = host:socket "tcp"
  server:listen(80)
  peer:send "S 0:0(0) win 65535 <mss 1000,nop,nop,sackOK>"
  peer:expect "[noecn] S. 0:0(0) ack 1"
  net.sleep "40ms"
  peer:send ". 1:1(0) ack 1 win 65535"
  local conn = server:accept()
  -- The receiver's own estimate of the round trip: a window of data in 40 ms.
  for i = 0, 39 do
    peer:send((". %d:%d(1000) ack 1"):format(1 + i * 1000, 1001 + i * 1000))
    if i % 2 == 1 then net.sleep "40ms" end
  end
  conn:recv { size = 40000 }
  peer:collect { during = "100ms" }
  return peer, conn, host
end

local function holes(peer, first, count)
  for i = first, first + count - 1 do
    peer:send((". %d:%d(1000) ack 1"):format(41001 + i * 1000, 42001 + i * 1000))
  end
end

tap.test("three at once, the rest in one ACK, and the counter tells how many were saved", function(t)
  local peer, _, host = receiving()
  holes(peer, 0, 3)
  for i = 1, 3 do
    t:ok(peer:expect((". 1:1(0) ack 40001 <nop,nop,sack 41001:%d>"):format(41001 + i * 1000)))
  end
  local before = net.now()
  holes(peer, 3, 4)
  t:ok(peer:expect(". 1:1(0) ack 40001 <nop,nop,sack 41001:48001>", { within = "1ms" }))
  -- No estimate of the round trip without time stamps: the slack of the timer alone.
  t:is((net.now() - before) // 1000, 102)
  t:is(host:counter "TcpExtTCPAckCompressed", 3)
end)

tap.test("an ACK that has to go takes those held back along", function(t)
  local peer, conn, host = receiving()
  holes(peer, 0, 5)
  for i = 1, 3 do
    peer:expect((". 1:1(0) ack 40001 <nop,nop,sack 41001:%d>"):format(41001 + i * 1000))
  end
  conn:send "x"
  t:ok(peer:expect "P. 1:2(1) ack 40001 <nop,nop,sack 41001:46001>")
  net.sleep "10ms"
  t:is(host:counter "TcpExtTCPAckCompressed", 2)
end)

tap.test("so many at most; 0: each is acknowledged", function(t)
  local peer = receiving { ["net.ipv4.tcp_comp_sack_nr"] = 2 }
  holes(peer, 0, 6)
  t:is(#peer:collect { during = "500us" }, 4) -- three, and the sixth
  peer = receiving { ["net.ipv4.tcp_comp_sack_nr"] = 0 }
  holes(peer, 0, 6)
  t:is(#peer:collect { during = "500us" }, 6)
end)

-- SPDX-License-Identifier: MIT
-- Segments that are larger than all of the receive buffer: Linux takes one when nothing waits to be
-- read, and its right edge is then where it never was announced to be (tcp_sequence).
local tap = require "tap"
local net = require "net"
local tcp = require "suite.tcp"

-- A connection whose listener had a small buffer, over a device that cuts nothing.
local function small()
  local host = tcp.constants(net.host { model = "tun", dev = "tun0", addr = "192.0.2.1/24" })
  local peer = host.wire:peer { addr = "192.0.2.9", port = 4000 }:to(80)
  local server = host:socket "tcp"
  server:setsockopt("SO_RCVBUF", 5000)
  server:listen(80)
  peer:send "S 0:0(0) win 65535 <mss 1000>"
  peer:expect "S. 0:0(0) ack 1"
  peer:send ". 1:1(0) ack 1 win 65535"
  return peer, server:accept()
end

tap.test("one is taken while nothing waits, the next one not", { profile = "linux" }, function(t)
  local peer, conn = small()
  peer:send "P. 1:50001(50000) ack 1 win 65535"
  peer:expect ". 1:1(0) ack 50001"
  peer:send "P. 50001:51001(1000) ack 1 win 65535"
  peer:expect ". 1:1(0) ack 50001"
  t:is(#conn:recv(60000), 50000)
  peer:expect ". 1:1(0) ack 50001" -- the window is open again
end)

-- SPDX-License-Identifier: MIT
-- What Linux does in a simultaneous open and RFCs do not: a peer that has offered no window scale
-- gets the offer again in the SYN,ACK, and windows that are scaled.
local tap = require "tap"
local net = require "net"
local tcp = require "suite.tcp"

tap.test("simultaneous open: windows stay scaled for a peer that scales none", { profile = "linux" }, function(t)
  local _, peer, client = tcp.connecting()
  peer:send "S 0:0(0) win 5000 <mss 1000>"
  peer:expect "S. 0:0(0) ack 1 win 64240 <mss 1460,sackOK,TS val * ecr 0,nop,wscale 10>"
  peer:send ". 1:1(0) ack 1 win 5000"
  net.sleep "1ms"
  client:send(("x"):rep(100))
  peer:expect "P. 1:101(100) ack 1 win 63"
  t:is(client:info().state, "ESTABLISHED")
end)

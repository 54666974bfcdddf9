-- SPDX-License-Identifier: MIT
-- TCP_USER_TIMEOUT and a device that takes nothing (Linux).
local tap = require "tap"
local net = require "net"

tap.test("what the device refuses is tried every 500 ms, until the user's time is over", function(t)
  local host = net.host { addr = "192.0.2.1/24" }
  local peer = host.wire:peer { addr = "192.0.2.9", port = 4000 }:to(80)
  host:neigh { addr = peer.addr, mac = peer.mac }
  local server = host:socket "tcp":listen(80)
  peer:send "S 0:0(0) win 65535 <mss 1460>"
  peer:expect "S. 0:0(0) ack 1"
  peer:send ". 1:1(0) ack 1 win 65535"
  local conn = server:accept()
  conn:option("TCP_USER_TIMEOUT", 3000)
  host:qdisc { kind = "pfifo", limit = 0 }
  conn:send "hello"
  net.sleep "2990ms"
  t:is(conn:info().probes, 6)
  t:is(conn:info().backoff, 0)
  t:is(conn:info().state, "ESTABLISHED")
  net.sleep "600ms"
  t:is(conn:info().state, "CLOSE")
  t:is(select(2, conn:try("send", "x")), "ETIMEDOUT")
  peer:expect_nothing { during = "10s" }
end)

tap.test("the device takes packets again: the data goes with the next try", function(t)
  local host = net.host { addr = "192.0.2.1/24" }
  local peer = host.wire:peer { addr = "192.0.2.9", port = 4000 }:to(80)
  host:neigh { addr = peer.addr, mac = peer.mac }
  local server = host:socket "tcp":listen(80)
  peer:send "S 0:0(0) win 65535 <mss 1460>"
  peer:expect "S. 0:0(0) ack 1"
  peer:send ". 1:1(0) ack 1 win 65535"
  local conn = server:accept()
  host:qdisc { kind = "pfifo", limit = 0 }
  conn:send "hello"
  net.sleep "100ms"
  host:qdisc {}
  t:ok(peer:expect("P. 1:6(5) ack 1", { within = "500ms" }))
end)

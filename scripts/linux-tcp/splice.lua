-- SPDX-License-Identifier: MIT
-- splice(2) and sendfile(2) on TCP sockets: what they move, where they stop and when they wait.
local tap = require "tap"
local net = require "net"

local function connection()
  local host = net.host { addr = "192.0.2.1/24", sysctl = { ["net.ipv4.tcp_timestamps"] = 0 } }
  local peer = host.wire:peer { addr = "192.0.2.9", port = 4000 }:to(80)
  host:neigh { addr = peer.addr, mac = peer.mac }
  local server = host:socket "tcp"
  server:listen(80)
  peer:send "S 0:0(0) win 65535 <mss 1000>"
  peer:expect "[noecn] S. 0:0(0) ack 1"
  peer:send ". 1:1(0) ack 1 win 65535"
  return peer, server:accept(), host
end

tap.test("sendfile: the file's bytes, from its position or an offset, at most to its end", function(t)
  local peer, conn, host = connection()
  local file = host:file "0123456789"
  t:is(conn:sendfile(file, 4), 4)
  t:is(peer:expect("P. 1:5(4) ack 1").payload, "0123")
  t:is(conn:sendfile(file, 3, 7), 3)
  peer:send ". 1:1(0) ack 5 win 65535"
  t:is(peer:expect("P. 5:8(3) ack 1").payload, "789")
  t:is(conn:sendfile(file, 100), 6)
  peer:send ". 1:1(0) ack 8 win 65535"
  t:is(peer:expect("P. 8:14(6) ack 1").payload, "456789")
  t:is(conn:sendfile(file, 100), 0)
  t:is(select(2, conn:try("sendfile", conn, 1)), "EINVAL")
end)

tap.test("sendfile waits for room, and gives what it sent when it may not", function(t)
  local peer, conn, host = connection()
  local zero = host:file "/dev/zero"
  conn:nonblock(true)
  local sent = conn:sendfile(zero, 10000000)
  t:ok(sent > 10000 and sent < 10000000, "as much as the buffer takes")
  t:is(select(2, conn:try("sendfile", zero, 1)), "EAGAIN")
  t:is(#peer:collect { during = "1ms" }, 10)
  peer:send("R 1:1(0) win 0")
  net.sleep "1ms"
  t:is(select(2, conn:try("sendfile", zero, 1)), "ECONNRESET")
end)

tap.test("splice: from a connection into a pipe and on into another one", function(t)
  local peer, conn, host = connection()
  local out, into = host:pipe()
  peer:send "P. 1:1001(1000) ack 1 win 65535"
  t:is(conn:splice(into, 600), 600)
  t:is(conn:splice(into, 600), 400)
  t:ok(peer:expect ". 1:1(0) ack 1001")
  t:is(out:splice(conn, 65536), 1000)
  t:ok(peer:expect "P. 1:1001(1000) ack 1001")
  t:is(select(2, conn:try("splice", into, 1, { flags = "nonblock" })), "EAGAIN")
  peer:send "F. 1001:1001(0) ack 1001 win 65535"
  net.sleep "1ms"
  t:is(conn:splice(into, 1), 0)
  t:is(select(2, conn:try("splice", conn, 1)), "EINVAL")
end)

tap.test("splice waits for data, and a pipe without readers gives EPIPE", function(t)
  local peer, conn, host = connection()
  local out, into = host:pipe()
  net.spawn(function()
    net.sleep "50ms"
    peer:send "P. 1:11(10) ack 1 win 65535"
  end)
  local before = net.now()
  t:is(conn:splice(into, 100), 10)
  t:is(net.now() - before, 50001000)
  t:is(#out:recv(), 10)
  t:ok(peer:expect ". 1:1(0) ack 11")
  out:close()
  t:is(select(2, conn:try("splice", into, 100)), "EPIPE")
  t:is(select(2, into:try("send", "x")), "EPIPE")
end)

tap.test("splice stops in front of an urgent byte and goes no further", function(t)
  local peer, conn, host = connection()
  local _, into = host:pipe()
  peer:send "PU. 1:101(100) ack 1 win 65535 urg 10"
  t:is(conn:splice(into, 100), 9)
  t:is(conn:splice(into, 100), 0)
  t:is(#conn:recv(), 90)
  t:ok(peer:expect ". 1:1(0) ack 101")
end)

tap.test("sendfile on UDP: what the file holds is one datagram, though more was asked for", function(t)
  local host = net.host { addr = "192.0.2.1/24" }
  local peer = host.wire:peer { addr = "192.0.2.9" }
  host:neigh { addr = peer.addr, mac = peer.mac }
  local sock = host:socket "udp"
  sock:connect("192.0.2.9", 4000)
  t:is(sock:sendfile(host:file "0123456789", 100), 10)
  t:ok(peer:expect(net.udp { dport = 4000 } / "0123456789"))
end)

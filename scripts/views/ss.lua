-- SPDX-License-Identifier: MIT
-- host:ss (out of /proc/net/tcp and udp, as ss does without netlink: a listener's queues are 0), /proc/net/protocols and sockstat6: who has sockets, in the formats people know.
local tap = require "tap"
local net = require "net"

local function setup()
  local host = net.host { addr = "192.0.2.1/24" }
  local peer = host.wire:peer { addr = "192.0.2.9", port = 4000 }:to(80)
  host:neigh { addr = peer.addr, mac = peer.mac }
  local server = host:socket "tcp":listen(80)
  peer:send "S 0:0(0) win 65535 <mss 1460>"
  peer:expect "S. 0:0(0) ack 1 <mss 1460>"
  peer:send ". 1:1(0) ack 1 win 65535"
  return host, peer, server:accept()
end

tap.test("ss -tan lists listeners and connections", function(t)
  local host, peer = setup()
  t:is(host:ss "-tan", "State  Recv-Q Send-Q Local Address:Port Peer Address:Port Process\n" ..
    "LISTEN 0      0              0.0.0.0:80         0.0.0.0:* \n" ..
    "ESTAB  0      0            192.0.2.1:80    192.0.2.9:4000 \n")
  peer:send("P. 1:6(5) ack 1 win 65535", { data = "hello" })
  peer:expect ". 1:1(0) ack 6"
  t:like(host:ss "-tn", "ESTAB 5      0")
end)

tap.test("ss -tln only listeners, ss -tn only connections", function(t)
  local host = setup()
  t:ok(not (host:ss "-tln"):find "ESTAB")
  t:ok(not (host:ss "-tn"):find "LISTEN")
end)

tap.test("ss -uan, and both with Netid", function(t)
  local host = setup()
  host:socket "udp":bind(53)
  t:like(host:ss "-uan", "\nUNCONN 0      0 +0.0.0.0:53 +0.0.0.0:%* \n")
  t:like(host:ss "-an", "^Netid State")
  t:like(host:ss "-an", "\nudp +UNCONN")
end)

tap.test("goes wrong: the peer is gone, ss -tno shows the timer and the retransmissions", function(t)
  local host, peer, conn = setup()
  conn:send "lost"
  peer:expect "P. 1:5(4) ack 1"
  peer:expect("P. 1:5(4) ack 1", { within = "2s" })
  t:like(host:ss "-tno", "ESTAB 0      4 .* timer:%(on,[%d.]+m?s%a*,1%)")
end)

tap.test("options that are not known are named", function(t)
  local host = net.host {}
  t:error(function() host:ss "-tx" end, "option %-x is not known")
  t:error(function() host:ss "state" end, '"state" is not understood')
end)

tap.test("/proc/net/protocols counts sockets by protocol", function(t)
  local host = setup()
  host:socket "udp":bind(53)
  host:socket "packet"
  local text = host:proc "/proc/net/protocols"
  t:like(text, "^protocol  size sockets  memory press maxhdr  slab module ")
  for name, count in pairs { TCP = 2, UDP = 1, PACKET = 1 } do
    t:is(tonumber(text:match("\n" .. name .. " +%d+ +(%d+) ")), count, name)
  end
end)

tap.test("/proc/net/sockstat6", function(t)
  local host = net.host {}
  t:is(host:proc "/proc/net/sockstat6",
    "TCP6: inuse 0\nUDP6: inuse 0\nUDPLITE6: inuse 0\nRAW6: inuse 0\nFRAG6: inuse 0 memory 0\n")
  host:socket "tcp6":listen(80)
  t:like(host:proc "/proc/net/sockstat6", "^TCP6: inuse 1\n")
end)

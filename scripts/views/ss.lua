-- SPDX-License-Identifier: MIT
-- host:ss, /proc/net/protocols and sockstat6: who has sockets, in the formats people know.
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
    "LISTEN 0      4096           0.0.0.0:80         0.0.0.0:* \n" ..
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
  t:error(function() host:ss "-t established" end, '"established" is not understood')
  t:error(function() host:ss "-t state open" end, "there is no state 'open'")
  t:error(function() host:ss "-t sport =" end, "a value is missing")
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

tap.test("ss -ti and -tm: what TCP_INFO and SO_MEMINFO have, in ss's words", function(t)
  local host, peer, conn = setup()
  conn:send(("x"):rep(3000))
  peer:collect { during = "1ms" }
  net.sleep "9ms"
  t:like(host:ss "-tin", "\nESTAB 0      3000 +192.0.2.1:80 +192.0.2.9:4000 \n\t cubic rto:201 rtt:[%d.]+/[%d.]+ mss:1460 pmtu:1500 " ..
    "rcvmss:536 advmss:1460 cwnd:10 bytes_sent:3000 segs_out:3 segs_in:2 data_segs_out:3 send %d+bps lastsnd:10 lastrcv:10 " ..
    "lastack:10 pacing_rate %d+bps delivered:1 app_limited busy:10ms unacked:3 rcv_space:14600 rcv_ssthresh:%d+ minrtt:[%d.]+ snd_wnd:65535\n$")
  t:like(host:ss "-ti", " send [%d.]+[KMG]bps ")
  local mem = conn:meminfo()
  t:like(host:ss "-tm", ("\n\t skmem:%%(r0,rb131072,t%d,tb%d,f%d,w%d,o0,bl0,d0%%)\n$"):format(mem.wmem, mem.sndbuf, mem.forward, mem.queued))
  t:like(host:ss "-tOH", "^ESTAB [^\n]*\n$")
  peer:collect { during = "1s" }
  t:like(host:ss "-tin", " backoff:%d .* retrans:1/2 lost:3 ")
end)

tap.test("ss: a listener's queues are what waits for accept and what listen() allows", function(t)
  local host = net.host { addr = "192.0.2.1/24" }
  local peer = host.wire:peer { addr = "192.0.2.9", port = 4000 }:to(80)
  host:neigh { addr = peer.addr, mac = peer.mac }
  host:socket "tcp":listen(80, 7)
  peer:send "S 0:0(0) win 65535 <mss 1460>"
  peer:expect "S. 0:0(0) ack 1 <mss 1460>"
  peer:send ". 1:1(0) ack 1 win 65535"
  net.sleep "1ms"
  t:like(host:ss "-tlni", "\nLISTEN 1      7 +0.0.0.0:80 +0.0.0.0:%* \n\t cubic cwnd:10\n$")
end)

tap.test("ss: states and filters", function(t)
  local host = setup()
  host:socket "tcp":listen(81)
  local function ports(command)
    local list = {}
    for port in host:ss(command):gmatch "%.%d+:(%d+) " do list[#list + 1] = tonumber(port) end
    return list
  end
  t:is(ports "-tanH", { 80, 80, 4000, 81 })
  t:is(ports "-tanH sport = :81", { 81 })
  t:is(ports "-tanH dport = :4000", { 80, 4000 })
  t:is(ports "-tanH dst 192.0.2.9:4000 and src 192.0.2.1", { 80, 4000 })
  t:is(ports "-tnH state listening", { 80, 81 })
  t:is(ports "-tnH state connected", { 80, 4000 })
  t:is(ports "-tnH state all dst 192.0.2.8", {})
end)

tap.test("ss -s counts them", function(t)
  local host = setup()
  host:socket "udp":bind(53)
  t:is(host:ss "-s", "Total: 3\nTCP:   2 (estab 1, closed 0, orphaned 0, timewait 0)\n\nTransport Total     IP        IPv6\n" ..
    "RAW\t  0         0         0        \nUDP\t  1         1         0        \nTCP\t  2         2         0        \n" ..
    "INET\t  3         3         0        \nFRAG\t  0         0         0        \n\n")
end)

-- SPDX-License-Identifier: MIT
-- What a host tells of its sockets: /proc/net/tcp, udp, sockstat in the kernel's formats, and
-- host:sockets() as `ss -an` has it.
local tap = require "tap"
local net = require "net"
local tcp = require "suite.tcp"

-- The lines of a view behind its head.
local function lines(host, name)
  local list = {}
  for line in host:proc("/proc/net/" .. name):gmatch("([^\n]*)\n") do list[#list + 1] = line end
  return list
end

local HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode"

tap.test("/proc/net/tcp: a listener", function(t)
  local host = tcp.listen { backlog = 5 }
  local view = lines(host, "tcp")
  t:is(#view, 2)
  t:is({ #view[1], view[1]:match("^(.-) *$") }, { 149, HEAD })
  t:is({ #view[2], view[2]:match("^(.-) *$") }, { 149,
    "   0: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 0 " ..
    "1 0000000000000000 100 0 0 10 0" })
end)

tap.test("/proc/net/tcp: a connection, its queues, its timer", function(t)
  local host, peer, conn = tcp.passive { rtt = 100 }
  peer:send "P. 1:11(10) ack 1"
  peer:expect ". 1:1(0) ack 11"
  conn:send "hello"
  peer:expect "P. 1:6(5) ack 11"
  local line = lines(host, "tcp")[3]
  t:like(line, "^   1: 010200C0:0050 090200C0:0FA0 01 00000005:0000000A 01:0000001E 00000000     0        0 0 ")
  t:like(line, " 30 4 %d+ 10 %-1 *$")
  peer:collect { during = "400ms" }
  t:like(lines(host, "tcp")[3], " 01:%x+ 00000001 ")
end)

tap.test("/proc/net/tcp: a request, and TIME-WAIT", function(t)
  local host, peer = tcp.listen()
  peer:send "S 0:0(0) win 65535 <mss 1460>"
  peer:expect "S. 0:0(0) ack 1"
  t:like(lines(host, "tcp")[3], "^   1: 010200C0:0050 090200C0:0FA0 03 00000000:00000000 01:00000064 " ..
    "00000000     0        0 0 0 0000000000000000 *$")
  peer:send "R 1:1(0) win 0"

  local other = tcp.state "TIME_WAIT"
  local found
  for _, line in ipairs(lines(other, "tcp")) do
    if line:find "010200C0:0050 090200C0:0FA0 06 00000000:00000000 03:0000177" then found = true end
  end
  t:ok(found, "60 s of TIME-WAIT")
end)

tap.test("/proc/net/udp: local and connected sockets", function(t)
  local host = net.host { addr = "192.0.2.1/24" }
  local a = host:socket "udp"
  a:bind(7)
  local b = host:socket "udp"
  b:bind("192.0.2.1", 9)
  b:connect("192.0.2.9", 4000)
  local view = lines(host, "udp")
  t:like(view[2], "^ *7: 00000000:0007 00000000:0000 07 00000000:00000000 00:00000000 00000000 ")
  t:like(view[3], "^ *9: 010200C0:0009 090200C0:0FA0 01 ")
end)

tap.test("/proc/net/sockstat counts", function(t)
  local host, peer, conn = tcp.passive()
  local datagrams = host:socket "udp"
  datagrams:bind(7)
  host:socket "udp"
  peer:send "P. 1:11(10) ack 1"
  peer:expect ". 1:1(0) ack 11"
  t:is(host:proc "/proc/net/sockstat", "sockets: used 4\n" ..
    "TCP: inuse 2 orphan 0 tw 0 alloc 2 mem 0\n" ..
    "UDP: inuse 1 mem 0\nUDPLITE: inuse 0\nRAW: inuse 0\nFRAG: inuse 0 memory 0\n")
  conn:recv()
  conn:close()
  peer:expect "F. 1:1(0) ack 11"
  t:like(host:proc "/proc/net/sockstat", "\nTCP: inuse 2 orphan 1 tw 0 alloc 2 mem ")
  peer:send ". 11:11(0) ack 2"
  peer:send "F. 11:11(0) ack 2"
  peer:expect ". 2:2(0) ack 12"
  t:like(host:proc "/proc/net/sockstat", "^sockets: used 3\nTCP: inuse 1 orphan 0 tw 1 alloc 1 mem 0\n")
end)

tap.test("/proc/net/sockstat: fragments that wait", function(t)
  local host = net.host { addr = "192.0.2.1/24" }
  local peer = host.wire:peer { addr = "192.0.2.9" }
  peer:send(net.ip{ id = 1, mf = true, proto = 17 } / ("x"):rep(64))
  net.sleep "1ms"
  local count, memory = host:proc("/proc/net/sockstat"):match("\nFRAG: inuse (%d+) memory (%d+)\n$")
  t:is(count, "1")
  t:ok(tonumber(memory) > 64)
end)

tap.test("host:sockets() lists them as ss does", function(t)
  local host, peer, conn = tcp.passive { rtt = 100 }
  host:socket "udp":bind(7)
  conn:send "hello"
  peer:expect "P. 1:6(5) ack 1"
  local list = host:sockets()
  t:is(#list, 3)
  t:is({ list[1].proto, list[1].state, list[1].lport }, { "tcp", "LISTEN", 80 })
  t:is(list[2], { proto = "tcp", state = "ESTAB", laddr = "192.0.2.1", lport = 80,
    raddr = "192.0.2.9", rport = 4000, recv_q = 0, send_q = 5, timer = "on", timer_ms = 300,
    retransmits = 0 })
  t:is({ list[3].proto, list[3].state, list[3].laddr, list[3].lport }, { "udp", "UNCONN", "0.0.0.0", 7 })
  conn:option("SO_LINGER", { 1, 0 })
  conn:close()
  peer:expect "R. 6:6(0) ack 1"
  t:is(#host:sockets(), 2)
end)

tap.test("reverse path filtering is counted as the kernel counts it", function(t)
  local host = net.host { addr = "192.0.2.1/24", sysctl = { ["net.ipv4.conf.all.rp_filter"] = 1 } }
  local peer = host.wire:peer { addr = "192.0.2.9" }
  local before = host:counters()
  peer:send(net.ip{ src = "198.51.100.7" } / net.udp{ sport = 1, dport = 2 })
  peer:expect_nothing { during = "1ms" }
  t:is(host:changes(before, "^TcpExtIPRev"), { TcpExtIPReversePathFilter = 1 })
  t:is(host:drops "IP_RPFILTER", 1)
  t:like(host:proc "/proc/net/netstat", " IPReversePathFilter")
end)

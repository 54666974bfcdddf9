-- SPDX-License-Identifier: MIT
-- What Linux counts, and where: read off a kernel by ci/linux-differential counters.
local tap = require "tap"
local net = require "net"

tap.test("the loopback counts octets without the link header", function(t)
  local host = net.host { up = false }
  local s = host:socket "udp"
  s:bind(7)
  s:sendto("x", "127.0.0.1", 7)
  net.sleep("1ms")
  t:like(host:proc "/proc/net/dev", "lo:%s+29%s+1 .-%s29%s+1 ")
end)

tap.test("TCPHPHits: the short way is for data that fits into the rest of the last page", function(t)
  local host = net.host { up = false }
  local server = host:socket "tcp":listen(80)
  local client = host:socket "tcp"
  client:connect("127.0.0.1", 80)
  local conn = server:accept()
  local hits = 0
  -- Whether a packet takes it follows from its size and from what the last page has left.
  local function arrives(data, hit)
    local before = conn:meminfo()
    client:send(data)
    net.sleep("1ms")
    local size = conn:meminfo().rmem - before.rmem
    hits = hits + (size <= before.forward and 1 or 0)
    t:is(host:counter "TcpExtTCPHPHits", hits, data)
    -- In the hostile build a packet's head is made anew at every pull: another size.
    if net.C.HOSTILE == 0 then t:is(size <= before.forward, hit, data) end
  end
  arrives("first", false)
  arrives("second", true)
  conn:recv()
  t:is(conn:meminfo().forward, 0)
  arrives("third: the queue is empty again, and the page given back", false)
end)

tap.test("a D-SACK while nothing is outstanding: no block of it counts as discarded", function(t)
  local host = net.host { up = false }
  local s = host:socket("tcp", { nonblock = true })
  s:bind "127.0.0.1:7000"
  s:try("connect", "127.0.0.1", 7000)
  net.sleep("1ms")
  t:is(s:info().state, "ESTABLISHED")
  t:is(host:changes({}, "SACK"), { TcpExtTCPDSACKRecv = 1, TcpExtTCPDSACKOldSent = 1, TcpExtTCPDSACKIgnoredDubious = 1 })
end)

tap.test("sockstat and protocols count TCP's sockets by family, as they are in its tables", function(t)
  local host = net.host { up = false }
  host:socket "tcp" -- not bound: in no table
  host:socket "tcp":listen(80)
  host:socket "tcp6":listen(81)
  t:like(host:proc "/proc/net/sockstat", "\nTCP: inuse 1 orphan 0 tw 0 alloc 3 mem 0\n")
  t:like(host:proc "/proc/net/sockstat6", "^TCP6: inuse 1\n")
  t:like(host:proc "/proc/net/protocols", "\nTCPv6 +2432 +1 ")
  t:like(host:proc "/proc/net/protocols", "\nTCP +2304 +1 ")
end)

tap.test("netstat: the counters of TcpExt in the kernel's order", function(t)
  local names = net.host { up = false }:proc "/proc/net/netstat":match "TcpExt: ([^\n]+)"
  t:like(names, "^SyncookiesSent SyncookiesRecv SyncookiesFailed EmbryonicRsts PruneCalled RcvPruned OfoPruned ")
  t:like(names, " TCPHystartTrainDetect TCPHystartTrainCwnd TCPHystartDelayDetect TCPHystartDelayCwnd ")
end)

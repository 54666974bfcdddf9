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
  client:send "first"
  net.sleep("1ms")
  t:is(host:counter "TcpExtTCPHPHits", 0)
  client:send "second"
  net.sleep("1ms")
  t:is(host:counter "TcpExtTCPHPHits", 1)
  conn:recv()
  client:send "third: the queue is empty again, and the page given back"
  net.sleep("1ms")
  t:is(host:counter "TcpExtTCPHPHits", 1)
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

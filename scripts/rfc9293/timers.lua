-- SPDX-License-Identifier: MIT
-- Timers: retransmission (RFC 6298), zero-window probes, keep-alive, user time-out; the backlog.
local tap = require "tap"
local net = require "net"
local tcp = require "suite.tcp"

tap.test("a segment that is not acknowledged comes again, each time after twice the time", function(t)
  local _, peer, conn = tcp.passive()
  conn:send "x"
  peer:expect "P. 1:2(1) ack 1"
  local rto = 201
  for _ = 1, 8 do
    t:shows("RFC6298-5-6", peer:expect("P. 1:2(1) ack 1", { at = "+" .. rto .. "ms" }))
    rto = 2 * rto
  end
  t:is(conn:info().retransmits, 8)
end)

tap.test("the retransmission timer stops when all is acknowledged", function(t)
  local _, peer, conn = tcp.passive()
  conn:send "x"
  peer:expect "P. 1:2(1) ack 1"
  net.sleep "100ms"
  peer:send ". 1:1(0) ack 2 win 65535"
  t:shows("RFC6298-5-3", peer:expect_nothing { during = "1min" })
  t:is(conn:info().unacked, 0)
end)

tap.test("tcp_retries2: after the last one the connection ends with ETIMEDOUT", function(t)
  local _, peer, conn = tcp.passive { sysctl = { ["net.ipv4.tcp_retries2"] = 3 } }
  conn:send "x"
  t:is(#peer:collect { during = "10s" }, 5)
  t:is(conn:info().state, "CLOSE")
  t:shows("RFC9293-MUST-20", t:is(select(2, conn:try "recv"), "ETIMEDOUT"))
end)

tap.test("TCP_USER_TIMEOUT ends the connection", function(t)
  local _, peer, conn = tcp.passive()
  conn:option("TCP_USER_TIMEOUT", 1000)
  conn:send "x"
  peer:collect { during = "5s" }
  t:shows("RFC9293-MUST-21", t:is(select(2, conn:try "recv"), "ETIMEDOUT"))
end)

tap.test("the window is closed: probes, later and later, for as long as they are answered", function(t)
  local _, peer, conn = tcp.passive()
  peer:send ". 1:1(0) ack 1 win 0"
  net.sleep "1ms"
  conn:send "hello"
  t:shows("RFC9293-MUST-36", peer:expect(". 0:0(0) ack 1", { within = "300ms" }))
  local last = t:now()
  for i = 1, 6 do
    peer:send ". 1:1(0) ack 1 win 0"
    peer:expect(". 0:0(0) ack 1", { within = "20s" })
    local now = t:now()
    t:ok(now - last > 150000000 << i, "the interval grows")
    last = now
  end
  t:shows("RFC9293-MUST-37", t:is(conn:info().state, "ESTABLISHED"))
  peer:send ". 1:1(0) ack 1 win 1000"
  peer:expect("P. 1:6(5) ack 1", { data = "hello" })
end)

tap.test("keep-alive is off unless asked for", function(t)
  local _, peer, conn = tcp.passive()
  t:is(conn:option "SO_KEEPALIVE", 0)
  t:shows("RFC9293-MUST-25", peer:expect_nothing { during = "4h" })
end)

tap.test("keep-alive: a probe after the idle time, of no data, below the sequence space", function(t)
  local _, peer, conn = tcp.passive()
  conn:option("SO_KEEPALIVE", 1)
  t:shows("RFC9293-MUST-28", t:is(conn:option "TCP_KEEPIDLE", 7200))
  t:shows("RFC9293-SHLD-12", peer:expect(". 0:0(0) ack 1", { within = "7201s" }))
  t:ok(t:now() >= 7200 * 1000000000)
  peer:send ". 1:1(0) ack 1 win 65535"
  peer:expect_nothing { during = "7190s" }
end)

tap.test("keep-alive: one probe unanswered is not the end, TCP_KEEPCNT are", function(t)
  local _, peer, conn = tcp.passive()
  conn:option("TCP_KEEPIDLE", 10)
  conn:option("TCP_KEEPINTVL", 5)
  conn:option("TCP_KEEPCNT", 3)
  conn:option("SO_KEEPALIVE", 1)
  for i = 1, 3 do
    peer:expect(". 0:0(0) ack 1", { within = i == 1 and "11s" or "6s" })
    t:shows("RFC9293-MUST-29", t:is(conn:info().state, "ESTABLISHED"))
  end
  peer:expect("R. 1:1(0) ack 1", { within = "6s" })
  t:shows("RFC9293-MUST-27", t:is(select(2, conn:try "recv"), "ETIMEDOUT"))
end)

tap.test("a full accept queue takes no more: the last ACK is ignored", function(t)
  local host, peer, server = tcp.listen { backlog = 0 }
  local ports = { 4001, 4002 }
  for _, port in ipairs(ports) do
    peer:fresh { port = port }
    peer:send "S 0:0(0) win 65535 <mss 1460>"
    if port == 4002 then break end
    peer:expect "S. 0:0(0) ack 1"
    peer:send ". 1:1(0) ack 1 win 65535"
  end
  t:ok(peer:expect_nothing { during = "10ms" })
  t:is(host:counter "TcpExtListenOverflows", 1)
  t:ok(server:accept())
end)

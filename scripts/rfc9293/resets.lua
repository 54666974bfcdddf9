-- SPDX-License-Identifier: MIT
-- Resets, SYNs and acknowledgements out of place in a connection: sequence number checks (RFC 9293
-- 3.10.7.4), challenge ACKs (RFC 5961).
local tap = require "tap"
local net = require "net"
local tcp = require "suite.tcp"

tap.test("a reset at exactly RCV.NXT ends the connection: ECONNRESET", function(t)
  local _, peer, conn = tcp.passive()
  peer:send "R 1:1(0)"
  t:shows("RFC9293-3.10.7.4-6", t:is(select(2, conn:try "recv"), "ECONNRESET"))
  t:shows("RFC5961-3.2-2", t:is(conn:info().state, "CLOSE"))
  t:is((conn:recv()), "")
end)

tap.test("a reset in the window but not at RCV.NXT gets a challenge ACK", function(t)
  for _, at in ipairs { 2, 1000, 64240 } do
    local _, peer, conn = tcp.passive()
    peer:send(("R %d:%d(0)"):format(at, at))
    t:shows("RFC5961-3.2-3", peer:expect ". 1:1(0) ack 1")
    t:shows("RFC9293-3.10.7.4-7", t:is(conn:info().state, "ESTABLISHED"))
    conn:close()
    peer:expect "F. 1:1(0) ack 1"
  end
end)

tap.test("a reset outside of the window is dropped in silence", function(t)
  local _, peer, conn = tcp.passive { isn = 0x80000000 }
  for _, at in ipairs { 0, 64242, 100000, 0x7fffffff } do
    peer:send(("R %d:%d(0)"):format(at, at))
  end
  t:shows("RFC9293-3.10.7.4-5", peer:expect_nothing { during = "1s" })
  t:shows("RFC5961-3.2-1", t:is(conn:info().state, "ESTABLISHED"))
end)

tap.test("a reset with ACK: its acknowledgement does not matter", function(t)
  local _, peer, conn = tcp.passive()
  peer:send "R. 1:1(0) ack 1"
  t:is(select(2, conn:try "recv"), "ECONNRESET")
end)

tap.test("a reset may carry data", function(t)
  local _, peer, conn = tcp.passive()
  peer:send "R. 1:21(20) ack 1"
  t:shows("RFC9293-SHLD-2", t:is(select(2, conn:try "recv"), "ECONNRESET"))
end)

tap.test("a reset reaches the application also while the receive window is zero", function(t)
  local _, peer, conn = tcp.passive()
  local next, window = 1, nil
  for _ = 1, 200 do
    local len = math.min(1460, window or 1460)
    peer:send(("P. %d:%d(%d) ack 1"):format(next, next + len, len))
    local ack = peer:expect(net.tcp{ flags = "." }, { within = "1s" })
    next, window = ack.tcp.ack - 1000000, ack.tcp.window
    if window == 0 then break end
  end
  t:is(window, 0)
  peer:send(("R %d:%d(0)"):format(next, next))
  net.sleep "1ms"
  t:shows("RFC9293-MUST-66", t:is(conn:info().state, "CLOSE"))
end)

tap.test("a SYN in a connection gets a challenge ACK wherever it lies", function(t)
  for _, at in ipairs { 0, 1, 100, 70000, 0x80000000 } do
    local _, peer, conn = tcp.passive()
    peer:send(("S %d:%d(0) win 1000 <mss 1460>"):format(at, at))
    t:shows("RFC5961-4.2-1", peer:expect ". 1:1(0) ack 1")
    t:shows("RFC9293-3.10.7.4-11", t:is(conn:info().state, "ESTABLISHED"))
    conn:close()
    peer:expect "F. 1:1(0) ack 1"
  end
end)

tap.test("a SYN,ACK in a connection gets a challenge ACK", function(t)
  local _, peer, conn = tcp.active()
  peer:send "S. 0:0(0) ack 1 win 65535"
  peer:expect ". 1:1(0) ack 1"
  t:shows("RFC5961-4.2-2", t:is(conn:info().state, "ESTABLISHED"))
end)

tap.test("the reset that answers a challenge ACK ends the connection", function(t)
  local _, peer, conn = tcp.passive()
  peer:send "S 0:0(0) win 1000 <mss 1460>"
  peer:expect ". 1:1(0) ack 1"
  peer:send "R 1:1(0)"
  t:shows("RFC5961-4.2-3", t:is(select(2, conn:try "recv"), "ECONNRESET"))
end)

tap.test("an old segment gets an ACK and is dropped", function(t)
  local _, peer, conn = tcp.passive()
  peer:send "P. 1:101(100) ack 1 win 65535"
  peer:expect ". 1:1(0) ack 101"
  peer:send "P. 1:101(100) ack 1 win 65535"
  t:shows("RFC9293-3.10.7.4-3", peer:expect ". 1:1(0) ack 101")
  t:shows("RFC9293-3.4-4", t:is(tcp.got(conn), net.pattern(1, 100)))
end)

tap.test("a segment beyond the window gets an ACK and is dropped", function(t)
  local _, peer, conn = tcp.passive()
  peer:send "P. 70001:70101(100) ack 1 win 65535"
  t:shows("RFC9293-3.5.2-3", peer:expect ". 1:1(0) ack 1")
  t:is(tcp.got(conn), "")
end)

tap.test("of a segment that is old in part only the new part is taken", function(t)
  local _, peer, conn = tcp.passive()
  peer:send "P. 1:101(100) ack 1 win 65535"
  peer:expect ". 1:1(0) ack 101"
  peer:send "P. 51:151(100) ack 1 win 65535"
  peer:expect(". 1:1(0) ack 151", { within = "50ms" })
  t:shows("RFC9293-3.10.7.4-2", t:is(tcp.got(conn), net.pattern(1, 150)))
end)

tap.test("a segment without ACK is dropped", function(t)
  local _, peer, conn = tcp.passive()
  peer:send "P 1:101(100)"
  peer:send "F 1:1(0)"
  peer:send "- 1:11(10)"
  t:shows("RFC9293-3.10.7.4-12", peer:expect_nothing { during = "1s" })
  t:is(tcp.got(conn), "")
end)

tap.test("an ACK of what was never sent gets an ACK and is dropped", function(t)
  local _, peer, conn = tcp.passive()
  peer:send "P. 1:101(100) ack 2 win 65535"
  t:shows("RFC9293-3.10.7.4-16", peer:expect ". 1:1(0) ack 1")
  t:is(tcp.got(conn), "")
end)

tap.test("an ACK older than the largest window gets a challenge ACK, its data is dropped", function(t)
  local _, peer, conn = tcp.passive { win = 1000 }
  local old = peer:segment "P. 1:11(10) ack 1"
  old.tcp.ack = old.tcp.ack - 2000 & 0xffffffff
  peer:send(old)
  t:shows("RFC5961-5.2-3", peer:expect ". 1:1(0) ack 1")
  t:is(tcp.got(conn), "")
end)

tap.test("a duplicate ACK is ignored", function(t)
  local _, peer = tcp.passive()
  for _ = 1, 5 do peer:send ". 1:1(0) ack 1 win 65535" end
  t:shows("RFC9293-3.10.7.4-15", peer:expect_nothing { during = "1s" })
end)

tap.test("a segment with a wrong checksum is dropped and counted", function(t)
  local host, peer, conn = tcp.passive()
  local before = host:counters()
  local bad = peer:segment "P. 1:11(10) ack 1"
  bad.tcp.checksum = 0x1234
  peer:send(bad)
  t:shows("RFC9293-MUST-3", peer:expect_nothing { during = "1s" })
  t:is(host:changes(before, "^TcpIn"), { TcpInSegs = 1, TcpInErrs = 1, TcpInCsumErrors = 1 })
  t:is(tcp.got(conn), "")
end)

tap.test("reserved bits are ignored in what is received and zero in what is sent", function(t)
  local _, peer, conn = tcp.passive()
  local p = peer:segment "P. 1:11(10) ack 1"
  p.tcp.reserved = 7
  peer:send(p)
  local ack = peer:expect(". 1:1(0) ack 11", { within = "50ms" })
  t:shows("RFC9293-3.1-2", t:is(ack.tcp.reserved, 0))
  t:is(#tcp.got(conn), 10)
end)

tap.test("close with data unread sends a reset", function(t)
  local _, peer, conn = tcp.passive()
  peer:send "P. 1:101(100) ack 1 win 65535"
  peer:expect ". 1:1(0) ack 101"
  conn:close()
  t:shows("RFC9293-SHLD-3", peer:expect "R. 1:1(0) ack 101")
end)

tap.test("data after close gets a reset", function(t)
  local _, peer, conn = tcp.passive()
  conn:close()
  peer:expect "F. 1:1(0) ack 1"
  peer:send ". 1:1(0) ack 2 win 65535"
  peer:send "P. 1:11(10) ack 2 win 65535"
  t:shows("RFC9293-SHLD-3", peer:expect "R 2:2(0)")
end)

tap.test("SO_LINGER of no time: close throws away what waits and sends a reset", function(t)
  local _, peer, conn = tcp.active()
  conn:option("SO_LINGER", { 1, 0 })
  conn:send "hello"
  peer:expect "P. 1:6(5) ack 1"
  conn:close()
  t:shows("RFC9293-3.9.1.6-1", peer:expect "R. 6:6(0) ack 1")
end)

tap.test("a connection that was reset before it is accepted still tells whose it was", function(t)
  local _, peer, server = tcp.listen()
  peer:send "S 0:0(0) win 65535 <mss 1460>"
  peer:expect "S. 0:0(0) ack 1"
  peer:send ". 1:1(0) ack 1"
  peer:send "R. 1:1(0) ack 1"
  net.sleep "1ms"
  local conn, from = server:accept()
  t:is(from, { addr = peer.addr, port = 4000 })
  t:is(select(2, conn:try "recv"), "ECONNRESET")
  t:is(select(2, conn:try "peername"), "ENOTCONN")
end)

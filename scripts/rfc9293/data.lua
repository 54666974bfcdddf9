-- SPDX-License-Identifier: MIT
-- Data (RFC 9293 3.7, 3.8): segments and acknowledgements, order, windows, Nagle, options, urgent
-- data, time stamps and window scaling (RFC 7323), selective acknowledgements (RFC 2018).
local tap = require "tap"
local net = require "net"
local tcp = require "suite.tcp"

-- Receiving ---------------------------------------------------------------------------------------

tap.test("data in order is delivered, and acknowledged at once while the connection is young",
  function(t)
    local _, peer, conn = tcp.passive()
    peer:send "P. 1:1001(1000) ack 1 win 65535"
    t:ok(peer:expect ". 1:1(0) ack 1001")
    t:is(tcp.got(conn), net.pattern(1, 1000))
  end)

tap.test("data out of order is held, its ACK comes at once and asks for what is missing", function(t)
  local _, peer, conn = tcp.passive()
  peer:send "P. 1001:2001(1000) ack 1"
  t:shows("RFC5681-3.2-1", peer:expect ". 1:1(0) ack 1")
  t:is(tcp.got(conn), "")
  peer:send "P. 1:1001(1000) ack 1"
  t:shows("RFC5681-3.2-2", peer:expect ". 1:1(0) ack 2001")
  t:shows("RFC9293-SHLD-31", t:is(tcp.got(conn), net.pattern(1, 2000)))
end)

tap.test("segments in any order make the same stream", function(t)
  local _, peer, conn = tcp.passive()
  for _, n in ipairs { 4, 2, 5, 1, 3, 0 } do
    peer:send(("P. %d:%d(100) ack 1"):format(1 + n * 100, 101 + n * 100))
  end
  net.sleep "1ms"
  t:shows("RFC2525-2.5-1", t:is(tcp.got(conn), net.pattern(1, 600)))
  t:is(peer:collect { during = "1s" }[6].tcp.ack - 1000000, 601)
end)

tap.test("a delayed ACK comes after 40 ms", function(t)
  local _, peer, conn = tcp.active()
  conn:option("TCP_QUICKACK", 0)
  peer:send "P. 1:101(100) ack 1 win 65535"
  t:shows("RFC9293-SHLD-18", t:shows("RFC9293-MUST-40",
    peer:expect(". 1:1(0) ack 101", { at = "+40ms" })))
  t:is(#tcp.got(conn), 100)
end)

tap.test("data that goes the other way carries the ACK", function(t)
  local _, peer, conn = tcp.active()
  conn:option("TCP_QUICKACK", 0)
  peer:send "P. 1:101(100) ack 1 win 65535"
  net.sleep "5ms"
  conn:send "more"
  t:ok(peer:expect "P. 1:5(4) ack 101")
  peer:send ". 101:101(0) ack 5 win 65535"
  peer:expect_nothing { during = "1s" }
end)

tap.test("a keep-alive probe from the peer is answered", function(t)
  local _, peer = tcp.passive()
  peer:send "- 0:0(0)"
  peer:send ". 0:0(0) ack 1 win 65535"
  t:shows("RFC9293-3.8.4-1", peer:expect ". 1:1(0) ack 1")
end)

tap.test("received data never moves the right edge of the window to the left", function(t)
  local _, peer = tcp.passive()
  local edge, next = 64241, 1
  for _ = 1, 20 do
    peer:send(("P. %d:%d(1000) ack 1"):format(next, next + 1000))
    next = next + 1000
    local ack = peer:expect(net.tcp{ flags = "." }, { within = "100ms" })
    local new = ack.tcp.ack - 1000000 + ack.tcp.window
    t:ok(new >= edge, "the right edge went back")
    edge = new
  end
  t:shows("RFC9293-SHLD-14", t:ok(edge >= 64241))
end)

-- Sending -----------------------------------------------------------------------------------------

tap.test("data is sent at once, with PSH on its last segment", function(t)
  local _, peer, conn = tcp.passive()
  local data = net.pattern(1, 3000)
  conn:send(data)
  peer:expect(". 1:1461(1460) ack 1", { data = true })
  peer:expect(". 1461:2921(1460) ack 1", { data = true })
  t:shows("RFC9293-MUST-61", peer:expect("P. 2921:3001(80) ack 1", { data = true }))
  peer:send ". 1:1(0) ack 3001 win 65535"
  t:shows("RFC6298-5-3", peer:expect_nothing { during = "10s" })
end)

tap.test("without an MSS option segments carry 536 octets", function(t)
  local _, peer, conn = tcp.passive { syn = "" }
  conn:send(net.pattern(1, 1000))
  t:shows("RFC9293-MUST-15", peer:expect ". 1:537(536) ack 1")
  peer:expect "P. 537:1001(464) ack 1"
end)

tap.test("segments are no longer than the peer's MSS", function(t)
  local _, peer, conn = tcp.passive { syn = "mss 1000" }
  conn:send(net.pattern(1, 1500))
  t:shows("RFC9293-MUST-16", peer:expect ". 1:1001(1000) ack 1")
  peer:expect "P. 1001:1501(500) ack 1"
end)

tap.test("the MSS offered is the MTU less 40", function(t)
  local _, peer = tcp.listen { mtu = 1400 }
  peer:send "S 0:0(0) win 65535 <mss 1460>"
  t:shows("RFC9293-3.7.1-2", peer:expect "S. 0:0(0) ack 1 <mss 1360>")
end)

tap.test("options lessen what a segment carries", function(t)
  local _, peer, conn = tcp.passive { syn = "mss 1460,sackOK,TS val 1 ecr 0",
    third = "nop,nop,TS val 2 ecr 0" }
  conn:send(net.pattern(1, 1500))
  t:shows("RFC2525-2.18-1", t:shows("RFC9293-3.7.1-1", peer:expect ". 1:1449(1448) ack 1 <nop,nop,TS val * ecr 2>"))
  peer:expect "P. 1449:1501(52) ack 1"
end)

tap.test("Nagle: a small segment waits while another is unacknowledged", function(t)
  local _, peer, conn = tcp.passive()
  conn:send "one"
  peer:expect "P. 1:4(3) ack 1"
  conn:send "two"
  conn:send "three"
  t:shows("RFC9293-SHLD-7", peer:expect_nothing { during = "10ms" })
  peer:send ". 1:1(0) ack 4 win 65535"
  t:shows("RFC9293-SHLD-27", peer:expect("P. 4:12(8) ack 1", { data = "twothree" }))
end)

tap.test("TCP_NODELAY switches Nagle off", function(t)
  local _, peer, conn = tcp.passive()
  conn:option("TCP_NODELAY", 1)
  conn:send "one"
  peer:expect "P. 1:4(3) ack 1"
  conn:send "two"
  t:shows("RFC9293-MUST-17", peer:expect "P. 4:7(3) ack 1")
end)

tap.test("no more is sent than the peer's window allows", function(t)
  local _, peer, conn = tcp.passive { win = 2920 }
  conn:send(net.pattern(1, 4000))
  peer:expect ". 1:1461(1460) ack 1"
  peer:expect "P. 1461:2921(1460) ack 1"
  t:shows("RFC9293-3.8.6-1", peer:expect_nothing { during = "1ms" })
  peer:send ". 1:1(0) ack 2921 win 4000"
  peer:expect "P. 2921:4001(1080) ack 1"
end)

tap.test("an old segment does not set the window", function(t)
  local _, peer, conn = tcp.passive { win = 4000 }
  peer:send "P. 1:101(100) ack 1 win 4000"
  peer:expect ". 1:1(0) ack 101"
  peer:send "P. 1:101(100) ack 1 win 10"
  peer:expect ". 1:1(0) ack 101"
  t:shows("RFC9293-3.10.7.4-17", t:is(conn:info().snd_wnd, 4000))
end)

tap.test("three duplicate ACKs bring the first segment again", function(t)
  local _, peer, conn = tcp.passive()
  conn:send(net.pattern(1, 8 * 1460))
  for _ = 1, 8 do peer:expect(net.tcp{}) end
  for _ = 1, 2 do peer:send ". 1:1(0) ack 1 win 65535" end
  peer:expect_nothing { during = "1ms" }
  peer:send ". 1:1(0) ack 1 win 65535"
  t:shows("RFC5681-3.2-3", peer:expect ". 1:1461(1460) ack 1")
  t:is(conn:info().ca_state, "Recovery")
  peer:send ". 1:1(0) ack 11681 win 65535"
  peer:expect_nothing { during = "5s" }
end)

tap.test("the initial window is ten segments", function(t)
  local _, peer, conn = tcp.passive()
  conn:send(net.pattern(1, 20000))
  for _ = 1, 10 do peer:expect(net.tcp{}) end
  t:ok(peer:expect_nothing { during = "10ms" })
  t:is(conn:info().unacked, 10)
end)

tap.test("send after the peer's reset: EPIPE; after shutdown: EPIPE", function(t)
  local _, peer, conn = tcp.passive()
  peer:send "R 1:1(0)"
  net.sleep "1ms"
  t:is(select(2, conn:try("send", "x", { flags = "nosignal" })), "ECONNRESET")
  t:shows("RFC9293-3.9.1.2-1", t:is(select(2, conn:try("send", "x", { flags = "nosignal" })),
    "EPIPE"))
end)

-- Options -----------------------------------------------------------------------------------------

tap.test("what the SYN,ACK offers is what the SYN offered", function(t)
  for _, case in ipairs {
    { "", "mss 1460" },
    { "mss 1460,nop,wscale 7", "mss 1460,nop,wscale 10" },
    { "mss 1460,nop,nop,sackOK", "mss 1460,nop,nop,sackOK" },
    { "mss 1460,sackOK,TS val 5 ecr 0,nop,wscale 7",
      "mss 1460,sackOK,TS val 0 ecr 5,nop,wscale 10" },
    { "TS val 5 ecr 0", "mss 1460,nop,nop,TS val 0 ecr 5" },
  } do
    local _, peer = tcp.listen()
    peer:send(("S 0:0(0) win 65535 <%s>"):format(case[1]))
    t:shows("RFC7323-2.2-1", peer:expect(("S. 0:0(0) ack 1 <%s>"):format(case[2])))
    peer:send "R 1:1(0)"
    net.sleep "1ms"
  end
end)

tap.test("options that are not known, with a length, are ignored", function(t)
  local _, peer = tcp.listen()
  peer:send "S 0:0(0) win 65535 <kind 77 0102,mss 1000,kind 200 >"
  t:shows("RFC9293-MUST-6", peer:expect "S. 0:0(0) ack 1 <mss 1460>")
end)

tap.test("an option of an illegal length ends the parsing of options, not the segment", function(t)
  local _, peer = tcp.listen()
  local syn = peer:segment "S 0:0(0) win 65535"
  syn.tcp.options = { { 77, length = 0 }, { "mss", 1000 } }
  peer:send(syn)
  t:shows("RFC9293-MUST-7", peer:expect "S. 0:0(0) ack 1 <mss 1460>")
end)

tap.test("an MSS option outside of a SYN means nothing", function(t)
  local _, peer, conn = tcp.passive()
  peer:send ". 1:1(0) ack 1 win 65535 <mss 100>"
  net.sleep "1ms"
  conn:send(net.pattern(1, 1000))
  t:shows("RFC9293-3.2-1", peer:expect "P. 1:1001(1000) ack 1 <>")
end)

tap.test("the window of the peer is scaled by its shift, in all but the SYN", function(t)
  local _, peer, conn = tcp.passive { syn = "mss 1460,nop,wscale 7", win = 100 }
  t:shows("RFC7323-2.3-3", t:is(conn:info().snd_wnd, 12800))
  t:is(conn:info().snd_wscale, 7)
  peer:send ". 1:1(0) ack 1 win 65535"
  net.sleep "1ms"
  t:is(conn:info().snd_wnd, 65535 << 7)
end)

tap.test("a shift above 14 counts as 14", function(t)
  local _, peer, conn = tcp.passive { syn = "mss 1460,nop,wscale 15", win = 100 }
  t:shows("RFC7323-2.3-5", t:is(conn:info().snd_wscale, 14))
end)

tap.test("time stamps: an ACK echoes the peer's", function(t)
  local _, peer = tcp.passive { syn = "mss 1460,sackOK,TS val 100 ecr 0",
    third = "nop,nop,TS val 101 ecr 0" }
  peer:send "P. 1:101(100) ack 1 win 65535 <nop,nop,TS val 150 ecr 0>"
  t:shows("RFC7323-3.2-2", peer:expect ". 1:1(0) ack 101 <nop,nop,TS val 0 ecr 150>")
  net.sleep "100ms"
  peer:send "P. 101:201(100) ack 1 win 65535 <nop,nop,TS val 250 ecr 0>"
  t:shows("RFC7323-4.1-1", peer:expect ". 1:1(0) ack 201 <nop,nop,TS val 100 ecr 250>")
end)

tap.test("PAWS: a segment with an older time stamp gets an ACK and is dropped", function(t)
  local _, peer, conn = tcp.passive { syn = "mss 1460,sackOK,TS val 100 ecr 0",
    third = "nop,nop,TS val 101 ecr 0" }
  peer:send "P. 1:101(100) ack 1 win 65535 <nop,nop,TS val 99 ecr 0>"
  t:shows("RFC7323-5.3-1", peer:expect ". 1:1(0) ack 1 <nop,nop,TS val 0 ecr 101>")
  t:is(tcp.got(conn), "")
end)

tap.test("PAWS does not hold for a reset", function(t)
  local _, peer, conn = tcp.passive { syn = "mss 1460,sackOK,TS val 100 ecr 0",
    third = "nop,nop,TS val 101 ecr 0" }
  peer:send "R. 1:1(0) ack 1 <nop,nop,TS val 5 ecr 0>"
  net.sleep "1ms"
  t:shows("RFC7323-5.2-4", t:is(conn:info().state, "CLOSE"))
end)

tap.test("SACK: the ACK of data out of order names it, the newest block first", function(t)
  local _, peer = tcp.passive { syn = "mss 1460,nop,nop,sackOK" }
  peer:send "P. 1001:2001(1000) ack 1"
  peer:expect ". 1:1(0) ack 1 <nop,nop,sack 1001:2001>"
  peer:send "P. 3001:4001(1000) ack 1"
  t:shows("RFC2018-4-5", peer:expect ". 1:1(0) ack 1 <nop,nop,sack 3001:4001 1001:2001>")
  peer:send "P. 2001:3001(1000) ack 1"
  t:shows("RFC2018-4-3", peer:expect ". 1:1(0) ack 1 <nop,nop,sack 1001:4001>")
  peer:send "P. 1:1001(1000) ack 1"
  peer:expect ". 1:1(0) ack 4001 <>"
end)

tap.test("without SACK in the SYN no SACK option is sent", function(t)
  local _, peer = tcp.passive()
  peer:send "P. 1001:2001(1000) ack 1"
  t:shows("RFC2018-4-1", peer:expect ". 1:1(0) ack 1 <>")
end)

-- Urgent data -------------------------------------------------------------------------------------

tap.test("urgent data: the pointer is that of the octet after it", function(t)
  local _, peer, conn = tcp.passive()
  conn:send("abc", { flags = "oob" })
  t:shows("RFC9293-MUST-62", peer:expect("PU. 1:4(3) ack 1 urg 3", { data = "abc" }))
end)

tap.test("urgent data that comes is read out of band", function(t)
  local _, peer, conn = tcp.passive()
  peer:send("PU. 1:6(5) ack 1 urg 5", { data = "hello" })
  peer:expect(". 1:1(0) ack 6", { within = "50ms" })
  t:shows("RFC9293-MUST-32", t:is(conn:poll("pri", 0), { pri = true }))
  t:shows("RFC9293-MUST-30", t:is((conn:recv { flags = "oob", size = 1 }), "o"))
  t:is((conn:recv()), "hell")
end)

tap.test("the urgent pointer without URG means nothing", function(t)
  local _, peer, conn = tcp.passive()
  peer:send("P. 1:6(5) ack 1 urg 3", { data = "hello" })
  peer:expect ". 1:1(0) ack 6"
  t:shows("RFC9293-3.1-5", t:is((conn:recv()), "hello"))
end)

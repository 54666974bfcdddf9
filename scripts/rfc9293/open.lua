-- SPDX-License-Identifier: MIT
-- Opening connections (RFC 9293 3.5, 3.10.1, 3.10.7.1 to 3.10.7.3): passive, active, simultaneous,
-- what is not acceptable, retransmission of SYN and SYN,ACK.
local tap = require "tap"
local net = require "net"
local tcp = require "suite.tcp"

-- Passive -----------------------------------------------------------------------------------------

tap.test("three-way handshake, passive", function(t)
  local _, peer, server = tcp.listen()
  peer:send "S 0:0(0) win 65535 <mss 1460>"
  t:shows("RFC9293-3.5-1", t:shows("RFC9293-3.10.7.2-2",
    peer:expect "S. 0:0(0) ack 1 win 64240 <mss 1460>"))
  peer:send ". 1:1(0) ack 1 win 65535"
  local conn, from = server:accept()
  t:is(from, { addr = "192.0.2.9", port = 4000 })
  t:shows("RFC9293-3.10.7.4-14", t:is(conn:info().state, "ESTABLISHED"))
  peer:expect_nothing { during = "10s" }
end)

tap.test("numbers wrap: the peer's initial sequence number is the last there is", function(t)
  local _, peer, conn = tcp.passive { isn = 0xffffffff }
  peer:send "P. 1:101(100) ack 1 win 65535"
  t:shows("RFC9293-3.4-1", peer:expect ". 1:1(0) ack 101")
  t:is(tcp.got(conn), net.pattern(1, 100))
end)

tap.test("an unanswered SYN,ACK is sent again after 1, 2, 4, 8, 16 s, then the request is forgotten",
  function(t)
    local _, peer = tcp.listen()
    peer:send "S 0:0(0) win 65535 <mss 1460>"
    peer:expect "S. 0:0(0) ack 1"
    for i = 0, 4 do peer:expect("S. 0:0(0) ack 1 <mss 1460>", { at = "+" .. (1 << i) .. "s" }) end
    peer:expect_nothing { during = "40s" }
    peer:send ". 1:1(0) ack 1 win 65535"
    peer:expect "R 1:1(0)"
  end)

tap.test("a SYN that comes again gets the same SYN,ACK again", function(t)
  local _, peer, server = tcp.listen()
  for _ = 1, 2 do
    peer:send "S 0:0(0) win 65535 <mss 1460>"
    peer:expect "S. 0:0(0) ack 1 <mss 1460>"
    net.sleep "10ms"
  end
  peer:send ". 1:1(0) ack 1 win 65535"
  t:ok(server:accept())
end)

tap.test("data on the third segment of the handshake is received", function(t)
  local _, peer, server = tcp.listen()
  peer:send "S 0:0(0) win 65535 <mss 1460>"
  peer:expect "S. 0:0(0) ack 1"
  peer:send("P. 1:6(5) ack 1 win 65535", { data = "hello" })
  local conn = server:accept()
  t:is((conn:recv()), "hello")
  peer:expect(". 1:1(0) ack 6", { within = "1s" })
end)

tap.test("data in a SYN is not delivered before the connection is established", function(t)
  local _, peer, server = tcp.listen()
  peer:send "S 0:100(100) win 65535 <mss 1460>"
  t:shows("RFC9293-3.5-2", peer:expect "S. 0:0(0) ack 1")
  t:is(select(2, server:try("poll", "in", "1ms")), nil)
  peer:send ". 1:1(0) ack 1 win 65535"
  local conn = server:accept()
  t:is(tcp.got(conn), "")
end)

tap.test("LISTEN: an ACK gets a reset with its number", function(t)
  local _, peer = tcp.listen()
  peer:send ". 5:5(0) ack 1234 win 65535"
  t:shows("RFC9293-3.10.7.2-1", peer:expect "R 1234:1234(0) win 0")
end)

tap.test("LISTEN: a reset is ignored, and so is a segment without SYN, ACK or RST", function(t)
  local _, peer = tcp.listen()
  peer:send "R 5:5(0)"
  peer:send "R. 5:5(0) ack 7"
  peer:send "P 5:15(10)"
  peer:send "- 5:5(0)"
  peer:send "F 5:5(0)"
  t:shows("RFC9293-3.10.7.2-3", peer:expect_nothing { during = "1s" })
end)

tap.test("SYN-RECEIVED: an unacceptable ACK gets a reset, the request stays", function(t)
  local _, peer, server = tcp.state "SYN_RECV"
  peer:send ". 1:1(0) ack 77 win 65535"
  t:shows("RFC9293-3.10.7.4-13", peer:expect "R 77:77(0)")
  peer:send ". 1:1(0) ack 1 win 65535"
  t:ok(server:accept())
end)

tap.test("SYN-RECEIVED: a reset returns to LISTEN, and the user is not told", function(t)
  local _, peer, server = tcp.state "SYN_RECV"
  peer:send "R 1:1(0)"
  t:shows("RFC9293-3.10.7.4-8", t:is(server:poll("in", "10s"), {}))
  peer:send ". 1:1(0) ack 1 win 65535"
  peer:expect "R 1:1(0)"
end)

tap.test("SYN-RECEIVED: a FIN with the ACK establishes and ends", function(t)
  local _, peer, server = tcp.state "SYN_RECV"
  peer:send "F. 1:1(0) ack 1 win 65535"
  peer:expect(". 1:1(0) ack 2", { within = "2ms" })
  local conn = server:accept()
  t:shows("RFC9293-3.10.7.4-27", t:is(conn:info().state, "CLOSE_WAIT"))
  t:is((conn:recv()), "")
end)

-- Nobody there ------------------------------------------------------------------------------------

tap.test("CLOSED: a SYN gets a reset with sequence number 0 that acknowledges it", function(t)
  local _, peer = tcp.state "CLOSED"
  peer:send "S 0:0(0) win 65535"
  t:shows("RFC9293-3.5.2-1", peer:expect "R. 0:0(0) ack 1 win 0 <>")
end)

tap.test("CLOSED: data and FIN count in the number that the reset acknowledges", function(t)
  local _, peer = tcp.state "CLOSED"
  peer:send "F 1:101(100)"
  t:shows("RFC9293-3.10.7.1-1", peer:expect "R. 0:0(0) ack 102")
  peer:send "SF 0:10(10)"
  peer:expect "R. 0:0(0) ack 12"
end)

tap.test("CLOSED: a segment with ACK gets a reset with that number and no ACK", function(t)
  local _, peer = tcp.state "CLOSED"
  peer:send "P. 1:101(100) ack 4242"
  peer:expect "R 4242:4242(0) win 0 <>"
  peer:send "F. 1:1(0) ack 99"
  t:shows("RFC9293-3.5.2-1", peer:expect "R 99:99(0)")
end)

tap.test("a reset is never answered by a reset", function(t)
  local _, peer = tcp.state "CLOSED"
  peer:send "R 1:1(0)"
  peer:send "R. 1:1(0) ack 5"
  t:shows("RFC9293-3.5.2-4", peer:expect_nothing { during = "1s" })
end)

-- Active ------------------------------------------------------------------------------------------

tap.test("three-way handshake, active", function(t)
  local _, peer, client = tcp.connecting()
  t:is(client:info().state, "SYN_SENT")
  peer:send "S. 0:0(0) ack 1 win 65535 <mss 1460>"
  t:shows("RFC9293-3.10.7.3-4", peer:expect ". 1:1(0) ack 1 win 64240 <>")
  t:is(client:poll("out", "1s"), { out = true })
  t:is(client:info().state, "ESTABLISHED")
end)

tap.test("the SYN: options, no ACK", function(t)
  local host = net.host { addr = "192.0.2.1/24" }
  local peer = host.wire:peer { addr = "192.0.2.9", port = 80 }
  local client = host:socket("tcp", { nonblock = true })
  client:try("connect", "192.0.2.9", 80)
  local syn = peer:expect "S 0:0(0) win 64240 <mss 1460,sackOK,TS val 0 ecr 0,nop,wscale 10>"
  t:shows("RFC9293-3.10.1-2", t:is(syn.tcp.ack, 0))
  t:is(syn.tcp.urg, 0)
end)

tap.test("an unanswered SYN is sent again, and connect fails with ETIMEDOUT", function(t)
  local _, peer, client = tcp.connecting { sysctl = { ["net.ipv4.tcp_syn_retries"] = 3,
    ["net.ipv4.tcp_syn_linear_timeouts"] = 0 } }
  for i = 0, 2 do peer:expect("S 0:0(0)", { at = "+" .. (1 << i) .. "s" }) end
  t:shows("RFC1122-4.2.3.1-3", peer:expect_nothing { during = "7s" })
  t:is(client:poll("out", "2s"), { out = true, err = true, hup = true })
  t:shows("RFC9293-MUST-22", t:is(client:option "SO_ERROR", 110))
end)

tap.test("SYN-SENT: a reset that acknowledges the SYN refuses the connection", function(t)
  local _, peer, client = tcp.connecting()
  peer:send "R. 0:0(0) ack 1"
  net.sleep "1ms"
  t:shows("RFC9293-3.10.7.3-2", t:is(select(2, client:try("connect", "192.0.2.9", 4000)),
    "ECONNREFUSED"))
end)

tap.test("SYN-SENT: a reset without ACK is dropped", function(t)
  local _, peer, client = tcp.connecting()
  peer:send "R 0:0(0)"
  peer:expect_nothing { during = "1ms" }
  t:shows("RFC9293-3.10.7.3-3", t:is(client:info().state, "SYN_SENT"))
end)

tap.test("SYN-SENT: a reset with another acknowledgement is dropped", function(t)
  local _, peer, client = tcp.connecting()
  peer:send "R. 0:0(0) ack 2"
  peer:send "R. 0:0(0) ack 0"
  peer:expect_nothing { during = "1ms" }
  t:shows("RFC9293-3.5.3-2", t:is(client:info().state, "SYN_SENT"))
end)

tap.test("SYN-SENT: a SYN,ACK of something else gets a reset, the SYN stays", function(t)
  local _, peer, client = tcp.connecting()
  peer:send "S. 0:0(0) ack 2 win 65535"
  t:shows("RFC9293-3.10.7.3-1", peer:expect "R 2:2(0)")
  peer:send ". 0:0(0) ack 500 win 65535"
  peer:expect "R 500:500(0)"
  t:is(client:info().state, "SYN_SENT")
end)

tap.test("SYN-SENT: an acceptable ACK without SYN is dropped", function(t)
  local _, peer, client = tcp.connecting()
  peer:send ". 1:1(0) ack 1 win 65535"
  peer:send "F 1:1(0)"
  t:shows("RFC9293-3.10.7.3-6", peer:expect_nothing { during = "1ms" })
  t:is(client:info().state, "SYN_SENT")
end)

tap.test("simultaneous open: a SYN in SYN-SENT is answered by SYN,ACK; then established", function(t)
  local _, peer, client = tcp.connecting()
  peer:send "S 0:0(0) win 65535 <mss 1460>"
  t:shows("RFC9293-3.5-3", peer:expect "S. 0:0(0) ack 1")
  t:shows("RFC9293-3.10.7.3-5", t:is(client:info().state, "SYN_RECV"))
  peer:send "S. 0:0(0) ack 1 win 65535 <mss 1460>"
  peer:expect(". 1:1(0) ack 1")
  t:shows("RFC9293-MUST-10", t:is(client:info().state, "ESTABLISHED"))
end)

tap.test("profile linux: simultaneous open, a reset in SYN-RECEIVED is told as ECONNRESET", { profile = "linux" }, function(t)
  local _, peer, client = tcp.connecting()
  peer:send "S 0:0(0) win 65535 <mss 1460>"
  peer:expect "S. 0:0(0) ack 1"
  peer:send "R 1:1(0)"
  net.sleep "1ms"
  t:is(client:option "SO_ERROR", 104)
end)

tap.test("close in SYN-SENT sends nothing", function(t)
  local _, peer, client = tcp.connecting()
  client:close()
  t:shows("RFC9293-3.10.4-1", peer:expect_nothing { during = "10s" })
end)

tap.test("close in LISTEN sends nothing, and the port is closed", function(t)
  local _, peer, server = tcp.listen()
  server:close()
  peer:expect_nothing { during = "1s" }
  peer:send "S 0:0(0) win 65535"
  peer:expect "R. 0:0(0) ack 1"
end)

tap.test("a second connect on a connected socket: EISCONN", function(t)
  local _, _, client = tcp.active()
  t:is(client:try("connect", "192.0.2.9", 4000), true)
  t:shows("RFC9293-3.9.1.1-1", t:is(select(2, client:try("connect", "192.0.2.9", 4000)), "EISCONN"))
end)

tap.test("connect to a multicast or broadcast address is refused", function(t)
  local host = net.host { addr = "192.0.2.1/24", gateway = "192.0.2.254" }
  t:is(select(2, host:socket "tcp":try("connect", "224.0.0.1", 80)), "ENETUNREACH")
  t:shows("RFC9293-MUST-46",
    t:is(select(2, host:socket "tcp":try("connect", "192.0.2.255", 80)), "ENETUNREACH"))
end)

tap.test("a SYN to a broadcast address is silently discarded", function(t)
  local _, peer = tcp.listen()
  for _, dst in ipairs { "192.0.2.255", "255.255.255.255", "224.0.0.1" } do
    local syn = peer:segment "S 0:0(0) win 65535"
    syn.ip.dst = dst
    peer:send(syn)
  end
  t:shows("RFC9293-MUST-57", peer:expect_nothing { during = "2s" })
end)

tap.test("simultaneous open: a SYN,ACK that is not answered is sent again", function(t)
  local _, peer, client = tcp.connecting()
  peer:send "S 0:0(0) win 65535 <mss 1460>"
  peer:expect "S. 0:0(0) ack 1"
  t:ok(peer:expect("S. 0:0(0) ack 1", { within = "1100ms" }))
  t:is(client:info().state, "SYN_RECV")
end)

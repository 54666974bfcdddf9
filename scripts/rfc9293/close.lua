-- SPDX-License-Identifier: MIT
-- Closing connections (RFC 9293 3.6, 3.10.4): FINs in every order, half close, TIME-WAIT.
local tap = require "tap"
local net = require "net"
local tcp = require "suite.tcp"

tap.test("the host closes first: FIN-WAIT-1, FIN-WAIT-2, TIME-WAIT", function(t)
  local _, peer, conn = tcp.passive()
  conn:shutdown "wr"
  t:shows("RFC9293-3.10.4-3", peer:expect "F. 1:1(0) ack 1")
  t:is(conn:info().state, "FIN_WAIT1")
  peer:send ". 1:1(0) ack 2"
  net.sleep "1ms"
  t:shows("RFC9293-3.10.7.4-18", t:is(conn:info().state, "FIN_WAIT2"))
  peer:send "F. 1:1(0) ack 2"
  t:shows("RFC9293-3.10.7.4-29", peer:expect ". 2:2(0) ack 2")
  t:is((conn:recv()), "")
end)

tap.test("the peer closes first: CLOSE-WAIT, LAST-ACK, closed", function(t)
  local _, peer, conn = tcp.passive()
  peer:send "F. 1:1(0) ack 1"
  t:shows("RFC9293-3.10.7.4-26", peer:expect(". 1:1(0) ack 2", { within = "2ms" }))
  t:is(conn:info().state, "CLOSE_WAIT")
  conn:close()
  peer:expect "F. 1:1(0) ack 2"
  peer:send ". 2:2(0) ack 2"
  t:shows("RFC9293-3.10.7.4-20", peer:expect_nothing { during = "10s" })
  peer:send ". 2:2(0) ack 2"
  peer:expect "R 2:2(0)"
end)

tap.test("simultaneous close: FIN-WAIT-1, CLOSING, TIME-WAIT", function(t)
  local _, peer, conn = tcp.passive()
  conn:shutdown "wr"
  peer:expect "F. 1:1(0) ack 1"
  peer:send "F. 1:1(0) ack 1"
  peer:expect ". 2:2(0) ack 2"
  t:shows("RFC9293-3.10.7.4-28", t:is(conn:info().state, "CLOSING"))
  peer:send ". 2:2(0) ack 2"
  t:shows("RFC9293-3.6-5", peer:expect_nothing { during = "1s" })
  peer:send "F. 1:1(0) ack 2"
  t:shows("RFC9293-3.10.7.4-19", peer:expect ". 2:2(0) ack 2")
end)

tap.test("FIN and the acknowledgement of ours in one segment: straight to TIME-WAIT", function(t)
  local _, peer, conn = tcp.passive()
  conn:close()
  peer:expect "F. 1:1(0) ack 1"
  peer:send "F. 1:1(0) ack 2"
  t:shows("RFC9293-3.10.7.4-28", peer:expect ". 2:2(0) ack 2")
  peer:send "F. 1:1(0) ack 2"
  t:shows("RFC9293-3.10.7.4-21", peer:expect ". 2:2(0) ack 2")
end)

tap.test("the FIN comes after all data, with the number of the octet after it", function(t)
  local _, peer, conn = tcp.passive()
  conn:send(("x"):rep(1000))
  conn:close()
  peer:expect "P. 1:1001(1000) ack 1"
  t:shows("RFC9293-3.6-3", peer:expect "F. 1001:1001(0) ack 1")
end)

tap.test("data and FIN in one segment: the data, then the end of the stream", function(t)
  local _, peer, conn = tcp.passive()
  peer:send("FP. 1:6(5) ack 1", { data = "hello" })
  peer:expect(". 1:1(0) ack 7", { at = "+40ms" })
  t:is((conn:recv()), "hello")
  t:shows("RFC9293-3.6-2", t:is((conn:recv()), ""))
  t:is((conn:recv()), "")
end)

tap.test("after its FIN the host goes on receiving", function(t)
  local _, peer, conn = tcp.state "FIN_WAIT2"
  peer:send "P. 1:101(100) ack 2"
  peer:expect(". 2:2(0) ack 101", { within = "50ms" })
  t:shows("RFC9293-3.6-1", t:is((conn:recv()), net.pattern(1, 100)))
  t:is(select(2, conn:try("send", "x", { flags = "nosignal" })), "EPIPE")
end)

tap.test("after the peer's FIN the host goes on sending", function(t)
  local _, peer, conn = tcp.state "CLOSE_WAIT"
  t:is((conn:recv()), "")
  conn:send "still here"
  t:shows("RFC9293-3.10.2-2", peer:expect("P. 1:11(10) ack 2", { data = "still here" }))
  peer:send ". 2:2(0) ack 11"
end)

tap.test("a FIN that is not acknowledged is sent again, later and later", function(t)
  local _, peer, conn = tcp.passive()
  conn:close()
  peer:expect "F. 1:1(0) ack 1"
  t:shows("RFC9293-3.6-4", peer:expect("F. 1:1(0) ack 1", { at = "+201ms" }))
  peer:expect("F. 1:1(0) ack 1", { at = "+402ms" })
  peer:expect("F. 1:1(0) ack 1", { at = "+804ms" })
end)

tap.test("a FIN out of order waits for the data before it", function(t)
  local _, peer, conn = tcp.passive()
  peer:send "F. 101:101(0) ack 1"
  peer:expect ". 1:1(0) ack 1"
  t:is(conn:info().state, "ESTABLISHED")
  peer:send "P. 1:101(100) ack 1"
  peer:expect ". 1:1(0) ack 102"
  t:is(conn:info().state, "CLOSE_WAIT")
  t:is(tcp.got(conn), net.pattern(1, 100))
end)

tap.test("a FIN again in CLOSE-WAIT changes nothing", function(t)
  local _, peer, conn = tcp.state "CLOSE_WAIT"
  peer:send "F. 1:1(0) ack 1"
  t:shows("RFC9293-3.10.7.4-30", peer:expect ". 1:1(0) ack 2")
  t:is(conn:info().state, "CLOSE_WAIT")
end)

tap.test("TIME-WAIT lasts 60 s: a segment before its end is acknowledged, one after is reset",
  function(t)
    local _, peer, conn = tcp.passive()
    conn:close()
    peer:expect "F. 1:1(0) ack 1"
    peer:send "F. 1:1(0) ack 2"
    peer:expect ". 2:2(0) ack 2"
    net.sleep "59s"
    peer:send "F. 1:1(0) ack 2"
    t:shows("RFC9293-MUST-13", peer:expect ". 2:2(0) ack 2")
    net.sleep "59s"
    peer:send "F. 1:1(0) ack 2"
    t:shows("RFC9293-3.10.7.4-21", peer:expect ". 2:2(0) ack 2")
    net.sleep "61s"
    peer:send ". 2:2(0) ack 2"
    t:shows("RFC9293-3.10.8-3", peer:expect "R 2:2(0)")
  end)

tap.test("TIME-WAIT: a SYN above the old sequence space opens the connection again", function(t)
  local _, peer, conn, server = tcp.passive()
  conn:close()
  peer:expect "F. 1:1(0) ack 1"
  peer:send "F. 1:1(0) ack 2"
  peer:expect ". 2:2(0) ack 2"
  peer:fresh { isn = 2000000 }
  peer:send "S 0:0(0) win 65535 <mss 1460>"
  t:shows("RFC9293-MAY-2", peer:expect "S. 0:0(0) ack 1 <mss 1460>")
  peer:send ". 1:1(0) ack 1 win 65535"
  t:ok(server:accept())
end)

tap.test("TIME-WAIT: a SYN that is not above it gets an ACK", function(t)
  local _, peer, conn = tcp.passive()
  conn:close()
  peer:expect "F. 1:1(0) ack 1"
  peer:send "F. 1:1(0) ack 2"
  peer:expect ". 2:2(0) ack 2"
  peer:send "S 0:0(0) win 65535 <mss 1460>"
  t:shows("RFC9293-3.6.1-1", peer:expect ". 2:2(0) ack 2")
end)

tap.test("an orphan in FIN-WAIT-2 is given up after tcp_fin_timeout", function(t)
  local _, peer, conn = tcp.passive { sysctl = { ["net.ipv4.tcp_fin_timeout"] = 10 } }
  conn:close()
  peer:expect "F. 1:1(0) ack 1"
  peer:send ". 1:1(0) ack 2"
  peer:expect_nothing { during = "11s" }
  peer:send "F. 1:1(0) ack 2"
  t:ok(peer:expect "R 2:2(0)")
end)

tap.test("shutdown for reading alone sends nothing", function(t)
  local _, peer, conn = tcp.passive()
  conn:shutdown "rd"
  peer:expect_nothing { during = "1s" }
  t:is((conn:recv()), "")
end)

-- A window of more than 65,535 octets is held for a peer that does not scale (tcp_select_window);
-- the field says at most 65535, and goes on to say so in TIME-WAIT.
-- Profile linux: linux-tcp/segments.lua.
tap.test("TIME-WAIT announces no less than before, without window scaling", { profile = "rfc" }, function(t)
  local _, peer, conn = tcp.passive { sysctl = { ["net.ipv4.tcp_window_scaling"] = 0 } }
  for i = 0, 3 do
    peer:send(("P. %d:%d(1460) ack 1"):format(1 + i * 1460, 1 + (i + 1) * 1460))
    peer:expect((". 1:1(0) ack %d"):format(1 + (i + 1) * 1460))
    t:is(#conn:recv(65536), 1460)
  end
  conn:close()
  peer:expect "F. 1:1(0) ack 5841 win 65535"
  peer:send "F. 5841:5841(0) ack 2"
  peer:expect ". 2:2(0) ack 5842 win 65535"
  peer:send "F. 5841:5841(0) ack 2"
  t:ok(peer:expect ". 2:2(0) ack 5842 win 65535")
end)

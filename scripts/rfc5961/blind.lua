-- SPDX-License-Identifier: MIT
-- Against blind attackers: resets, SYNs and data whose numbers are guessed (RFC 5961).
local tap = require "tap"
local net = require "net"
local tcp = require "suite.tcp"

local CHALLENGE = ". 1:1(0) ack 1"

tap.test("a reset at the next number ends the connection", function(t)
  local _, peer, conn = tcp.passive()
  peer:send "R 1:1(0)"
  net.sleep "1ms"
  t:shows("RFC5961-3.2-2", t:is(select(2, conn:try "recv"), "ECONNRESET"))
end)

tap.test("a reset anywhere else in the window is challenged and dropped", function(t)
  local host, peer, conn = tcp.passive()
  for _, number in ipairs { 2, 1000, 64240 } do
    peer:send(("R %d:%d(0)"):format(number, number))
    t:shows("RFC5961-3.2-3", peer:expect(CHALLENGE))
    net.sleep "1s"
  end
  t:shows("RFC5961-3.2-4", t:is(conn:info().state, "ESTABLISHED"))
  t:is(host:counter "TcpExtTCPChallengeACK", 3)
end)

tap.test("SYN-RECEIVED: a reset elsewhere in the window is challenged, whatever it acknowledges",
  function(t)
    local _, peer, server = tcp.state "SYN_RECV"
    peer:send "R 64240:64240(0)"
    t:shows("RFC9293-3.10.7.4-7", peer:expect(CHALLENGE))
    net.sleep "600ms"
    peer:send "R. 1000:1000(0) ack 0"
    t:ok(peer:expect(CHALLENGE))
    peer:send ". 1:1(0) ack 1"
    t:ok(server:accept())
  end)

tap.test("SYN-RECEIVED: a reset at the next number ends it, whatever it acknowledges", function(t)
  local host, peer = tcp.state "SYN_RECV"
  peer:send "R. 1:1(0) ack 4294967295"
  t:shows("RFC9293-3.10.7.4-8", peer:expect_nothing { during = "5s" })
  t:is(host:counter "TcpExtEmbryonicRsts", 1)
end)

tap.test("a reset outside of the window is dropped in silence", function(t)
  local _, peer, conn = tcp.passive()
  for _, number in ipairs { 0, 64242, 1 << 31 } do
    peer:send(("R %d:%d(0)"):format(number, number))
  end
  t:shows("RFC5961-3.2-1", peer:expect_nothing { during = "1s" })
  t:is(conn:info().state, "ESTABLISHED")
end)

tap.test("who really lost the connection resets it with the challenge's number", function(t)
  local _, peer, conn = tcp.passive()
  peer:send "S 5000:5000(0)"
  local challenge = peer:expect(CHALLENGE)
  t:shows("RFC5961-4.2-2", t:is(conn:info().state, "ESTABLISHED"))
  peer:send(net.tcp{ flags = "R", seq = challenge.tcp.ack, window = 0, sport = 4000, dport = 80 })
  net.sleep "1ms"
  t:shows("RFC5961-4.2-3", t:is(select(2, conn:try "recv"), "ECONNRESET"))
end)

tap.test("a SYN is challenged wherever it is: in the window, before it, beyond it", function(t)
  local _, peer, conn = tcp.passive()
  for _, number in ipairs { 1, 100, 0, 100000 } do
    peer:send(("S %d:%d(0)"):format(number, number))
    t:shows("RFC5961-4.2-1", peer:expect(CHALLENGE))
    net.sleep "1s"
  end
  t:is(conn:info().state, "ESTABLISHED")
end)

tap.test("data whose ACK is older than the largest window was ever wide is challenged", function(t)
  local _, peer, server = tcp.listen()
  peer:send "S 0:0(0) win 1000 <mss 1460>"
  peer:expect "S. 0:0(0) ack 1"
  peer:send ". 1:1(0) ack 1 win 1000"
  local conn = server:accept()
  conn:option("TCP_NODELAY", 1)
  for i = 0, 4 do
    conn:send(("x"):rep(500))
    peer:expect(("P. %d:%d(500) ack 1"):format(i * 500 + 1, i * 500 + 501))
    peer:send((". 1:1(0) ack %d win 1000"):format(i * 500 + 501))
    net.sleep "1ms"
  end
  peer:send "P. 1:6(5) ack 1501 win 1000" -- SND.UNA - MAX.SND.WND
  t:shows("RFC5961-5.2-2", peer:expect ". 2501:2501(0) ack 6")
  peer:send "P. 6:11(5) ack 1500 win 999" -- (another window: not the fast path, which takes the data)
  t:shows("RFC5961-5.2-3", peer:expect ". 2501:2501(0) ack 6")
  t:shows("RFC5961-5.2-1", t:is(tcp.got(conn), net.pattern(1, 5)))
end)

tap.test("a challenge for a connection comes twice a second at the most", function(t)
  local host, peer = tcp.passive()
  peer:send "S 1:1(0)"
  peer:expect(CHALLENGE)
  for _ = 1, 4 do
    net.sleep "100ms"
    peer:send "S 1:1(0)"
  end
  peer:expect_nothing { during = "50ms" }
  t:is(host:counter "TcpExtTCPACKSkippedChallenge", 4)
  net.sleep "60ms"
  peer:send "S 1:1(0)"
  t:ok(peer:expect(CHALLENGE))
end)

tap.test("net.ipv4.tcp_challenge_ack_limit: no more a second from the whole host, give or take half",
  function(t)
    local _, peer, server = tcp.listen { sysctl = { ["net.ipv4.tcp_challenge_ack_limit"] = 10,
      ["net.ipv4.tcp_invalid_ratelimit"] = 0 } }
    peer:send "S 0:0(0) win 65535 <mss 1460>"
    peer:expect "S. 0:0(0) ack 1"
    peer:send ". 1:1(0) ack 1 win 65535"
    local conn = server:accept()
    for _ = 1, 50 do peer:send "S 1:1(0)" end
    local count = #peer:collect { during = "500ms" }
    t:shows("RFC5961-7-2", t:ok(count >= 5 and count <= 15, "challenges: " .. count))
    net.sleep "1s"
    for _ = 1, 50 do peer:send "S 1:1(0)" end
    t:shows("RFC5961-7-1", t:ok(#peer:collect { during = "500ms" } <= 15))
    t:is(conn:info().state, "ESTABLISHED")
  end)

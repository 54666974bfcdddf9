-- SPDX-License-Identifier: MIT
-- TCP fast open, the client (RFC 7413 4.1.3, 4.2.1, 4.2.2).
local tap = require "tap"
local net = require "net"
local fastopen = require "_fastopen"

local COOKIE = "abcd123400112233"
local SYN = "<mss 1460,nop,nop,sackOK,nop,wscale 10"

local function learned(mss, sysctl)
  local host, peer = fastopen.client(sysctl)
  fastopen.learn(host, peer, COOKIE, mss)
  return host, peer
end

tap.test("without a cookie the SYN asks for one and carries no data", function(t)
  local host, peer = fastopen.client()
  local s, n, err = fastopen.sendto(host, peer, "hello")
  t:is(n, nil)
  t:is(err, "EINPROGRESS")
  t:shows("RFC7413-4.2.1-1", peer:expect("S 0:0(0) " .. SYN .. ",FO,nop,nop>"))
  peer:send("S. 0:0(0) ack 1 win 65535 <mss 1460,FO " .. COOKIE .. ",nop,nop>")
  peer:expect ". 1:1(0) ack 1"
  t:is(s:info().state, "ESTABLISHED")
end)

tap.test("with a cookie the data goes in the SYN", function(t)
  local host, peer = learned()
  local s, n = fastopen.sendto(host, peer, ("x"):rep(1000))
  t:is(n, 1000)
  t:shows("RFC7413-4.2.2-1",
    peer:expect("S 0:1000(1000) " .. SYN .. ",FO " .. COOKIE .. ",nop,nop>"))
  peer:send "S. 0:0(0) ack 1001 win 65535 <mss 1460,nop,nop,sackOK>"
  peer:expect ". 1001:1001(0) ack 1"
  t:is(s:info().options & 32, 32)
  t:is(s:info().delivered, 1)
  t:is(host:counter "TcpExtTCPFastOpenActive", 1)
end)

tap.test("cookie and MSS of the server are remembered: no more data than 40 below the MSS", function(t)
  local host, peer = learned(940)
  local _, n = fastopen.sendto(host, peer, ("x"):rep(2000))
  t:is(n, 900)
  t:shows("RFC7413-4.1.3-1",
    peer:expect("S 0:900(900) " .. SYN .. ",FO " .. COOKIE .. ",nop,nop>"))
end)

tap.test("a new cookie in the SYN,ACK replaces the old one", function(t)
  local host, peer = learned()
  fastopen.sendto(host, peer, "hello")
  peer:expect("S 0:5(5) " .. SYN .. ",FO " .. COOKIE .. ",nop,nop>")
  peer:send "S. 0:0(0) ack 6 win 65535 <mss 1460,FO 0a0b0c0d,nop,nop>"
  peer:expect ". 6:6(0) ack 1"
  fastopen.sendto(host, peer, "hello")
  t:ok(peer:expect("S 0:5(5) " .. SYN .. ",FO 0a0b0c0d,nop,nop>"))
end)

tap.test("a blocking send waits for the SYN,ACK, and the rest carries the ACK", function(t)
  local host, peer = learned(940)
  local sent
  fastopen.again(peer)
  net.spawn(function() sent = host:socket "tcp":sendto(("x"):rep(1900), "192.0.2.9", 4000,
    { flags = "fastopen" }) end)
  peer:expect("S 0:900(900) " .. SYN .. ",FO " .. COOKIE .. ",nop,nop>")
  t:is(sent, nil)
  peer:send "S. 0:0(0) ack 901 win 65535 <mss 1460,nop,nop,sackOK>"
  t:ok(peer:expect "P. 901:1901(1000) ack 1")
  t:is(sent, 1900)
end)

tap.test("SYN,ACK without the data: it goes again at once, with the ACK", function(t)
  local host, peer = learned()
  fastopen.sendto(host, peer, ("x"):rep(1000))
  peer:expect "S 0:1000(1000)"
  peer:send "S. 0:0(0) ack 1 win 65535 <mss 1460,nop,nop,sackOK>"
  t:shows("RFC7413-4.2.2-8", peer:expect "P. 1:1001(1000) ack 1")
  t:is(host:counter "TcpExtTCPFastOpenActiveFail", 1)
  peer:send ". 1:1(0) ack 1001 win 65535"
  peer:expect_nothing { during = "5s" }
end)

tap.test("SYN,ACK of a part of the data: the rest goes at once", function(t)
  local host, peer = learned()
  fastopen.sendto(host, peer, ("x"):rep(18))
  peer:expect "S 0:18(18)"
  peer:send "S. 0:0(0) ack 10 win 65535 <mss 1460,nop,nop,sackOK>"
  t:ok(peer:expect "P. 10:19(9) ack 1")
end)

tap.test("SYN,ACK of more than was sent: RST, the cookie stays", function(t)
  local host, peer = learned()
  fastopen.sendto(host, peer, ("x"):rep(18))
  peer:expect "S 0:18(18)"
  peer:send "S. 0:0(0) ack 1000 win 65535 <mss 1460,FO 01020304,nop,nop>"
  peer:expect "R 1000:1000(0)"
  fastopen.sendto(host, peer, "hello")
  t:ok(peer:expect("S 0:5(5) " .. SYN .. ",FO " .. COOKIE .. ",nop,nop>"))
end)

tap.test("the SYN again: without data, without the option", function(t)
  local host, peer = learned()
  fastopen.sendto(host, peer, ("x"):rep(1000))
  peer:expect "S 0:1000(1000)"
  t:shows("RFC7413-4.2.2-2", peer:expect("S 0:0(0) " .. SYN .. ">", { at = "+1s" }))
  peer:send "S. 0:0(0) ack 1 win 65535 <mss 1460,nop,nop,sackOK>"
  t:ok(peer:expect "P. 1:1001(1000) ack 1")
end)

tap.test("no answer to the option: next time the experimental one, then the plain one", function(t)
  local host, peer = fastopen.client()
  for _, form in ipairs { ",FO,nop,nop>", ",FOEXP>", ",FO,nop,nop>", ",FO,nop,nop>" } do
    fastopen.sendto(host, peer, "hello")
    t:ok(peer:expect("S 0:0(0) " .. SYN .. form))
    peer:send "S. 0:0(0) ack 1 win 65535 <mss 1460,nop,nop,sackOK>"
    peer:expect ". 1:1(0) ack 1"
  end
end)

tap.test("a cookie in the experimental option comes back in it", function(t)
  local host, peer = fastopen.client()
  fastopen.sendto(host, peer, "hello")
  peer:expect("S 0:0(0) " .. SYN .. ",FO,nop,nop>")
  peer:send "S. 0:0(0) ack 1 win 65535 <mss 1460,nop,nop,sackOK,FOEXP 01020304>"
  peer:expect ". 1:1(0) ack 1"
  fastopen.sendto(host, peer, "hello")
  t:ok(peer:expect("S 0:5(5) " .. SYN .. ",FOEXP 01020304>"))
end)

tap.test("ip tcp_metrics flush forgets cookies", function(t)
  local host, peer = learned()
  host:tcp_metrics_flush "192.0.2.8"
  fastopen.sendto(host, peer, "a")
  peer:expect("S 0:1(1) " .. SYN .. ",FO " .. COOKIE .. ",nop,nop>")
  host:tcp_metrics_flush "192.0.2.9"
  fastopen.sendto(host, peer, "a")
  t:ok(peer:expect("S 0:0(0) " .. SYN .. ",FO,nop,nop>"))
end)

tap.test("data in the SYN without a cookie: sysctl 5, TCP_FASTOPEN_NO_COOKIE", function(t)
  local host, peer = fastopen.client { ["net.ipv4.tcp_fastopen"] = 5 }
  fastopen.sendto(host, peer, "hello")
  t:ok(peer:expect("S 0:5(5) " .. SYN .. ">"))
  peer:send "S. 0:0(0) ack 6 win 65535 <mss 1460,FO 01020304,nop,nop>"
  peer:expect ". 6:6(0) ack 1"
  fastopen.again(peer)
  host:sysctl("net.ipv4.tcp_fastopen", 1)
  local s = host:socket("tcp", { nonblock = true })
  s:option("TCP_FASTOPEN_NO_COOKIE", 1)
  s:sendto("hello", "192.0.2.9", 4000, { flags = "fastopen" })
  t:ok(peer:expect("S 0:5(5) " .. SYN .. ">"))
end)

tap.test("a cookie that nobody asked for is not kept", function(t)
  local host, peer = fastopen.client { ["net.ipv4.tcp_fastopen"] = 5 }
  fastopen.sendto(host, peer, "hello")
  peer:expect "S 0:5(5)"
  peer:send "S. 0:0(0) ack 6 win 65535 <mss 1460,FO 01020304,nop,nop>"
  peer:expect ". 6:6(0) ack 1"
  host:sysctl("net.ipv4.tcp_fastopen", 1)
  fastopen.sendto(host, peer, "hello")
  t:ok(peer:expect("S 0:0(0) " .. SYN .. ",FO,nop,nop>"))
end)

tap.test("TCP_FASTOPEN_CONNECT: connect returns at once, the first write makes the SYN", function(t)
  local host, peer = learned()
  fastopen.again(peer)
  local s = host:socket("tcp", { nonblock = true })
  s:option("TCP_FASTOPEN_CONNECT", 1)
  t:is(s:option "TCP_FASTOPEN_CONNECT", 1)
  s:connect("192.0.2.9", 4000)
  peer:expect_nothing { during = "10s" }
  t:is(s:poll("out", "1ms").out, true)
  t:is(select(2, s:try("connect", "192.0.2.9", 4000)), "EISCONN")
  t:is(s:send "hello", 5)
  t:ok(peer:expect("S 0:5(5) " .. SYN .. ",FO " .. COOKIE .. ",nop,nop>"))
  peer:send "S. 0:0(0) ack 6 win 65535 <mss 1460,nop,nop,sackOK>"
  peer:expect ". 6:6(0) ack 1"
  t:is(s:info().state, "ESTABLISHED")
end)

tap.test("TCP_FASTOPEN_CONNECT without a cookie: connect sends the SYN that asks for one", function(t)
  local host, peer = fastopen.client()
  local s = host:socket("tcp", { nonblock = true })
  s:option("TCP_FASTOPEN_CONNECT", 1)
  t:is(select(2, s:try("connect", "192.0.2.9", 4000)), "EINPROGRESS")
  t:ok(peer:expect("S 0:0(0) " .. SYN .. ",FO,nop,nop>"))
end)

tap.test("TCP_FASTOPEN_CONNECT: closed before the first write, nothing is sent", function(t)
  local host, peer = learned()
  local s = host:socket("tcp", { nonblock = true })
  s:option("TCP_FASTOPEN_CONNECT", 1)
  s:connect("192.0.2.9", 4000)
  s:option("SO_KEEPALIVE", 1)
  s:option("TCP_KEEPIDLE", 5)
  s:close()
  t:ok(peer:expect_nothing { during = "20s" } or true)
end)

tap.test("errors: off by sysctl, no address, connecting; connected, which the first call finds out", function(t)
  local host, peer = learned()
  local s = host:socket("tcp", { nonblock = true })
  t:is(select(2, s:try("send", "a", { flags = "fastopen" })), "EINVAL")
  fastopen.again(peer)
  s:sendto("a", "192.0.2.9", 4000, { flags = "fastopen" })
  t:is(select(2, s:try("sendto", "a", "192.0.2.9", 4000, { flags = "fastopen" })), "EALREADY")
  peer:expect "S 0:1(1)"
  peer:send "S. 0:0(0) ack 2 win 65535 <mss 1460,nop,nop,sackOK>"
  peer:expect ". 2:2(0) ack 1"
  t:is(s:sendto("a", "192.0.2.9", 4000, { flags = "fastopen" }), 1)
  peer:expect "P. 2:3(1) ack 1"
  peer:send ". 1:1(0) ack 3 win 65535"
  t:is(select(2, s:try("sendto", "a", "192.0.2.9", 4000, { flags = "fastopen" })), "EISCONN")
  host:sysctl("net.ipv4.tcp_fastopen", 2)
  local _, n, err = fastopen.sendto(host, peer, "a")
  t:is(n, nil)
  t:is(err, "EOPNOTSUPP")
  t:is(select(2, host:socket "tcp":try("option", "TCP_FASTOPEN_CONNECT", 1)), "EOPNOTSUPP")
end)

tap.test("data in the SYN,ACK is read", function(t)
  local host, peer = learned()
  local s = fastopen.sendto(host, peer, "hello")
  peer:expect "S 0:5(5)"
  peer:send "S. 0:100(100) ack 6 win 65535 <mss 1460,nop,nop,sackOK>"
  peer:expect ". 6:6(0) ack 101"
  t:is((s:recv()), net.pattern(0, 100))
end)

tap.test("black hole: after the second time-out fast open is off, for twice as long each time",
  function(t)
    local host, peer = learned(1460, { ["net.ipv4.tcp_fastopen_blackhole_timeout_sec"] = 60 })
    fastopen.sendto(host, peer, "hello")
    peer:expect "S 0:5(5)"
    for _ = 1, 3 do peer:expect("S 0:0(0) " .. SYN .. ">", { within = "2s" }) end
    peer:send "S. 0:0(0) ack 1 win 65535 <mss 1460,nop,nop,sackOK>"
    t:is(host:counter "TcpExtTCPFastOpenBlackhole", 1)
    peer:expect "P. 1:6(5) ack 1"
    peer:send ". 1:1(0) ack 6 win 65535"
    local _, n, err = fastopen.sendto(host, peer, "hello")
    t:is(n, nil)
    t:is(err, "EINPROGRESS")
    t:shows("RFC7413-4.1.3.1-1", t:shows("RFC7413-4.1.3.1-2",
      peer:expect("S 0:0(0) " .. SYN .. ">", { within = "1ms" })))
    peer:send "R. 0:0(0) ack 1"
    net.sleep "60s"
    fastopen.sendto(host, peer, "hello")
    t:ok(peer:expect("S 0:5(5) " .. SYN .. ",FO " .. COOKIE .. ",nop,nop>"))
  end)

tap.test("ICMP fragmentation needed for the SYN: it goes again at once without data", function(t)
  local host, peer = learned()
  fastopen.sendto(host, peer, ("x"):rep(1400))
  local syn = peer:expect "S 0:1400(1400)"
  peer:send(net.icmp { type = "dest-unreach", code = "frag-needed", mtu = 1200 } /
    fastopen.quote(syn))
  t:ok(peer:expect "S 0:0(0)")
end)

tap.test("the SYN waits for data, whatever the initial sequence number", function(t)
  for _, isn in ipairs { 1, 0x7fffffff, -2147483647, -1 } do
    local host, peer = learned(1460, { ["tapline.tcp.isn_pinned"] = 1, ["tapline.tcp.isn"] = isn })
    fastopen.again(peer)
    local s = host:socket("tcp", { nonblock = true })
    s:option("TCP_FASTOPEN_CONNECT", 1)
    s:connect("192.0.2.9", 4000)
    net.sleep "1s"
    s:send "hello"
    t:ok(peer:expect("S 0:5(5) " .. SYN .. ",FO " .. COOKIE .. ",nop,nop>"))
    s:close()
  end
end)

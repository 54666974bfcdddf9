-- SPDX-License-Identifier: MIT
-- TCP fast open, the server (RFC 7413 4.1, 4.2, 5.1).
local tap = require "tap"
local net = require "net"
local fastopen = require "_fastopen"

local listener = fastopen.listener

-- Cookies -----------------------------------------------------------------------------------------

tap.test("a request for a cookie gets one of 8 bytes, and the SYN is treated as any", function(t)
  local host, peer = listener(5)
  local cookie = fastopen.cookie(peer)
  t:shows("RFC7413-4.1.1-1", t:is(#cookie, 16))
  t:is(host:counter "TcpExtTCPFastOpenCookieReqd", 1)
end)

tap.test("the experimental option is answered in its own form, with the same cookie", function(t)
  local host, peer = listener(5)
  t:is(fastopen.cookie(peer, true), fastopen.cookie(peer))
end)

tap.test("the cookie hangs on the addresses and on the key", function(t)
  local host, peer = listener(5)
  local mine = fastopen.cookie(peer)
  host:sysctl("net.ipv4.tcp_fastopen_key", "00112233-44556677-8899aabb-ccddeefe")
  t:ok(fastopen.cookie(peer) ~= mine)
  host:sysctl("net.ipv4.tcp_fastopen_key", fastopen.KEY)
  t:is(fastopen.cookie(peer), mine)
end)

tap.test("key: as it was written; two with a comma; bad ones are refused", function(t)
  local host, peer = listener(5)
  t:is(host:sysctl "net.ipv4.tcp_fastopen_key", fastopen.KEY)
  local two = fastopen.KEY .. ",1-2-3-4"
  host:sysctl("net.ipv4.tcp_fastopen_key", two)
  t:is(host:sysctl "net.ipv4.tcp_fastopen_key",
    fastopen.KEY .. ",00000001-00000002-00000003-00000004")
  for _, bad in ipairs { "1-2-3", "1-2-3-4-5", "1-2-3-4,", "x-1-2-3", "1-2-3-4,1-2-3-4,1-2-3-4" } do
    t:is(pcall(host.sysctl, host, "net.ipv4.tcp_fastopen_key", bad), false)
  end
end)

tap.test("key rotation: a cookie of the backup key is taken, and the new one comes along", function(t)
  local host, peer, server = listener(5)
  local old = fastopen.cookie(peer)
  host:sysctl("net.ipv4.tcp_fastopen_key", "1-2-3-4," .. fastopen.KEY)
  local new = fastopen.cookie(peer)
  t:ok(new ~= old)
  peer:send(("S 0:10(10) win 65535 <mss 1460,FO %s,nop,nop>"):format(old))
  peer:expect(("S. 0:0(0) ack 11 <mss 1460,FO %s,nop,nop>"):format(new))
  t:is(server:accept():recv(), net.pattern(0, 10))
  t:is(host:counter "TcpExtTCPFastOpenPassiveAltKey", 1)
end)

tap.test("TCP_FASTOPEN_KEY: keys of a listener's own, 16 or 32 bytes", function(t)
  local _, peer, server = listener(5)
  local global = fastopen.cookie(peer)
  server:option("TCP_FASTOPEN_KEY", ("k"):rep(16))
  t:is(server:option "TCP_FASTOPEN_KEY", ("k"):rep(16))
  t:ok(fastopen.cookie(peer) ~= global)
  server:option("TCP_FASTOPEN_KEY", ("k"):rep(16) .. ("l"):rep(16))
  t:is(server:option "TCP_FASTOPEN_KEY", ("k"):rep(16) .. ("l"):rep(16))
  for _, len in ipairs { 0, 3, 15, 17, 31, 33 } do
    t:is(select(2, server:try("option", "TCP_FASTOPEN_KEY", ("x"):rep(len))), "EINVAL")
  end
end)

-- Data in the SYN -----------------------------------------------------------------------------------

tap.test("a right cookie: SYN and data are acknowledged, and data is there before the handshake ends",
  function(t)
    local host, peer, server = listener(5)
    local cookie = fastopen.cookie(peer)
    peer:send(("S 0:10(10) win 65535 <mss 1460,FO %s,nop,nop>"):format(cookie))
    t:shows("RFC7413-4.2.2-3", peer:expect "S. 0:0(0) ack 11 <mss 1460>")
    local conn = server:accept()
    t:is(conn:info().state, "SYN_RECV")
    t:is(conn:info().options & 32, 32)
    t:is((conn:recv()), net.pattern(0, 10))
    peer:send ". 11:11(0) ack 1 win 65535"
    net.sleep "1ms"
    t:is(conn:info().state, "ESTABLISHED")
    t:is(host:counter "TcpExtTCPFastOpenPassive", 1)
  end)

-- RFC 5681 3.1: four segments of 1000 octets; Linux keeps to RFC 6928 (profile rfc has this folder's
-- tapline.args against it, but for the switch).
for congestion = 0, 1 do
  local window = congestion == 1 and 4 or 10
  tap.test(("data of the server goes out before the handshake ends: %d segments of it"):format(window), function(t)
    local host, peer, server = listener(5)
    host:sysctl("tapline.rfc.congestion", congestion)
    peer:send(("S 0:10(10) win 65535 <mss 1000,FO %s,nop,nop>"):format(fastopen.cookie(peer)))
    peer:expect "S. 0:0(0) ack 11"
    local conn = server:accept()
    conn:send(("x"):rep(20000))
    local frames = peer:collect { during = "500ms" }
    local shown = t:shows("RFC7413-4.2.2-5", t:is(#frames, window))
    if congestion == 1 then t:shows("RFC7413-4.2.2-6", shown) end
  end)
end

tap.test("a wrong cookie: data is dropped, a new cookie comes", function(t)
  local host, peer, server = listener(5)
  local cookie = fastopen.cookie(peer)
  peer:send "S 0:10(10) win 65535 <mss 1460,FO 0102030405060708,nop,nop>"
  t:shows("RFC7413-4.2.2-4",
    peer:expect(("S. 0:0(0) ack 1 <mss 1460,FO %s,nop,nop>"):format(cookie)))
  t:is(select(2, server:try("poll", "in", "1ms")), nil)
  t:is(host:counter "TcpExtTCPFastOpenPassiveFail", 1)
  peer:send "P. 1:11(10) ack 1 win 65535"
  t:is((server:accept():recv()), net.pattern(1, 10))
  peer:expect(". 1:1(0) ack 11", { within = "1s" })
end)

for _, hex in ipairs { "01", "010203", "0102", "0102030405", ("00"):rep(18) } do
  tap.test(("a cookie of %d bytes is no option"):format(#hex / 2), function(t)
    local _, peer = listener(5)
    peer:send(("S 0:10(10) win 65535 <mss 1460,FO %s>"):format(hex))
    t:shows("RFC7413-4.1.1-2", peer:expect "S. 0:0(0) ack 1 <mss 1460>")
  end)
end

for name, o in pairs { ["without TCP_FASTOPEN"] = { nil, {} }, ["by sysctl"] = { 5, { mode = 1 } },
  ["with TCP_FASTOPEN 0"] = { 0, {} } } do
  tap.test("fast open is off " .. name .. ": neither cookie nor data", function(t)
    local host, peer = listener(o[1], o[2])
    t:is(fastopen.cookie(peer), nil)
    peer:send "S 0:10(10) win 65535 <mss 1460,FO 0102030405060708,nop,nop>"
    t:shows("RFC7413-4.2-1", t:shows("RFC7413-2-1",
      peer:expect "S. 0:0(0) ack 1 <mss 1460>"))
  end)
end

tap.test("sysctl 0x402: every listener has it, with its backlog as the limit", function(t)
  local host, peer, server = listener(nil, { mode = "0x402", backlog = 7 })
  t:is(server:option "TCP_FASTOPEN", 7)
  peer:send(("S 0:10(10) win 65535 <mss 1460,FO %s,nop,nop>"):format(fastopen.cookie(peer)))
  t:ok(peer:expect "S. 0:0(0) ack 11 <mss 1460>")
end)

tap.test("no cookie needed: by sysctl 0x202, by TCP_FASTOPEN_NO_COOKIE", function(t)
  local _, peer = listener(5, { mode = "0x202" })
  peer:send "S 0:10(10) win 65535 <mss 1460>"
  t:ok(peer:expect "S. 0:0(0) ack 11 <mss 1460>")
  local _, other, server = listener(5)
  server:option("TCP_FASTOPEN_NO_COOKIE", 1)
  t:is(server:option "TCP_FASTOPEN_NO_COOKIE", 1)
  other:send "S 0:10(10) win 65535 <mss 1460>"
  t:ok(other:expect "S. 0:0(0) ack 11 <mss 1460>")
end)

tap.test("SYN and FIN are ignored, also with a cookie", function(t)
  local _, peer = listener(5)
  local cookie = fastopen.cookie(peer)
  peer:send(("SF 0:10(10) win 65535 <mss 1460,FO %s,nop,nop>"):format(cookie))
  peer:expect_nothing { during = "5s" }
  peer:send(("S 0:10(10) win 65535 <mss 1460,FO %s,nop,nop>"):format(cookie))
  t:ok(peer:expect "S. 0:0(0) ack 11")
end)

-- The SYN,ACK ---------------------------------------------------------------------------------------

tap.test("the SYN,ACK again after 1, 2, 4 s, without a cookie, until it is acknowledged", function(t)
  local host, peer, server = listener(5)
  local cookie = fastopen.cookie(peer)
  peer:send(("S 0:10(10) win 65535 <mss 1460,FO %s,nop,nop>"):format(cookie))
  peer:expect "S. 0:0(0) ack 11"
  for _, wait in ipairs { "+1s", "+2s", "+4s" } do
    t:shows("RFC7413-4.2.2-7", peer:expect("S. 0:0(0) ack 11 <mss 1460>", { at = wait }))
  end
  local conn = server:accept()
  conn:send "hello"
  peer:expect "P. 1:6(5) ack 11"
  peer:send ". 11:11(0) ack 6 win 65535"
  peer:expect_nothing { during = "200s" }
end)

tap.test("the SYN,ACK timed out: TCP_INFO tells for how long", function(t)
  local _, peer, server = listener(5)
  peer:send(("S 0:10(10) win 65535 <mss 1460,FO %s,nop,nop>"):format(fastopen.cookie(peer)))
  peer:expect "S. 0:0(0) ack 11"
  local conn = server:accept()
  peer:expect("S. 0:0(0) ack 11", { within = "2s" })
  net.sleep "200ms"
  peer:send ". 11:11(0) ack 1 win 65535"
  net.sleep "500ms"
  t:is({ conn:info().total_rto, conn:info().total_rto_time }, { 1, 200 })
end)

tap.test("a SYN that comes again gets its SYN,ACK again, and its data counts once", function(t)
  local host, peer, server = listener(5)
  local syn = ("S 0:10(10) win 65535 <mss 1460,FO %s,nop,nop>"):format(fastopen.cookie(peer))
  peer:send(syn)
  peer:expect "S. 0:0(0) ack 11"
  net.sleep "100ms"
  peer:send(syn)
  peer:expect "S. 0:0(0) ack 11"
  peer:send ". 11:11(0) ack 1 win 65535"
  t:is((server:accept():recv()), net.pattern(0, 10))
  t:is(select(2, server:try("poll", "in", "1ms")), nil)
end)

tap.test("the SYN,ACK is never acknowledged: after six more the connection times out", function(t)
  local host, peer, server = listener(5)
  peer:send(("S 0:10(10) win 65535 <mss 1460,FO %s,nop,nop>"):format(fastopen.cookie(peer)))
  peer:expect "S. 0:0(0) ack 11"
  for i = 0, 5 do peer:expect("S. 0:0(0) ack 11", { at = "+" .. (1 << i) .. "s" }) end
  local conn = server:accept()
  net.sleep "65s"
  t:is(conn:info().state, "CLOSE")
  t:is(conn:option "SO_ERROR", 110)
end)

-- RST, close ------------------------------------------------------------------------------------------

tap.test("RST before accept: the socket can be accepted, its data read, then ECONNRESET", function(t)
  local host, peer, server = listener(5)
  peer:send(("S 0:10(10) win 65535 <mss 1460,FO %s,nop,nop>"):format(fastopen.cookie(peer)))
  peer:expect "S. 0:0(0) ack 11"
  peer:send "R. 11:11(0) ack 1 win 65535"
  net.sleep "1ms"
  local conn = server:accept()
  t:is((conn:recv()), net.pattern(0, 10))
  t:is(select(2, conn:try "recv"), "ECONNRESET")
end)

tap.test("RST after accept counts against the limit for 60 s", function(t)
  local host, peer, server = listener(1)
  local cookie = fastopen.cookie(peer)
  peer:send(("S 0:10(10) win 65535 <mss 1460,FO %s,nop,nop>"):format(cookie))
  peer:expect "S. 0:0(0) ack 11"
  server:accept()
  peer:send "R. 11:11(0) ack 1 win 65535"
  local second = peer:fresh { port = 4001, to = 80 }
  second:send(("S 0:10(10) win 65535 <mss 1460,FO %s,nop,nop>"):format(cookie))
  t:shows("RFC7413-5.1-1", second:expect "S. 0:0(0) ack 1 <mss 1460>")
  t:is(host:counter "TcpExtTCPFastOpenListenOverflow", 1)
  second:send "R 1:1(0)"
  net.sleep "60s"
  local third = peer:fresh { port = 4002, to = 80 }
  third:send(("S 0:10(10) win 65535 <mss 1460,FO %s,nop,nop>"):format(cookie))
  t:ok(third:expect "S. 0:0(0) ack 11 <mss 1460>")
end)

tap.test("more pending than the limit: the next one is opened the usual way", function(t)
  local host, peer = listener(1)
  local cookie = fastopen.cookie(peer)
  local syn = ("S 0:10(10) win 65535 <mss 1460,FO %s,nop,nop>"):format(cookie)
  peer:send(syn)
  peer:expect "S. 0:0(0) ack 11"
  local second = peer:fresh { port = 4001, to = 80 }
  second:send(syn)
  t:shows("RFC7413-4.2-2", second:expect "S. 0:0(0) ack 1 <mss 1460>")
end)

tap.test("closed with data unread: RST", function(t)
  local host, peer, server = listener(5)
  peer:send(("S 0:10(10) win 65535 <mss 1460,FO %s,nop,nop>"):format(fastopen.cookie(peer)))
  peer:expect "S. 0:0(0) ack 11"
  server:accept():close()
  t:ok(peer:expect "R. 1:1(0) ack 11")
end)

tap.test("closed before the handshake ends: FIN follows the SYN,ACK, both are acknowledged", function(t)
  local host, peer, server = listener(5)
  peer:send(("S 0:10(10) win 65535 <mss 1460,FO %s,nop,nop>"):format(fastopen.cookie(peer)))
  peer:expect "S. 0:0(0) ack 11"
  local conn = server:accept()
  conn:recv()
  conn:close()
  peer:expect "F. 1:1(0) ack 11"
  peer:send ". 11:11(0) ack 2 win 65535"
  peer:send "F. 11:11(0) ack 2 win 65535"
  t:ok(peer:expect ". 2:2(0) ack 12")
end)

tap.test("the listener closes: its children are reset", function(t)
  local host, peer, server = listener(5)
  peer:send(("S 0:10(10) win 65535 <mss 1460,FO %s,nop,nop>"):format(fastopen.cookie(peer)))
  peer:expect "S. 0:0(0) ack 11"
  server:close()
  t:ok(peer:expect "R. 1:1(0) ack 11")
end)

tap.test("ICMP host unreachable: an accepted child is a connection as others", function(t)
  local host, peer, server = listener(5)
  peer:send(("S 0:10(10) win 65535 <mss 1460,FO %s,nop,nop>"):format(fastopen.cookie(peer)))
  local synack = peer:expect "S. 0:0(0) ack 11"
  local conn = server:accept()
  peer:send(net.icmp { type = "dest-unreach", code = "host" } / fastopen.quote(synack))
  net.sleep "1ms"
  t:is(conn:info().state, "SYN_RECV")
  peer:send ". 11:11(0) ack 1 win 65535"
  net.sleep "1ms"
  t:is(conn:info().state, "ESTABLISHED")
end)

-- Options ---------------------------------------------------------------------------------------------

tap.test("TCP_FASTOPEN: at most somaxconn, not negative, not on a connection", function(t)
  local host, peer, server = listener(5)
  server:option("TCP_FASTOPEN", 1 << 20)
  t:is(server:option "TCP_FASTOPEN", 4096)
  t:is(select(2, server:try("option", "TCP_FASTOPEN", -1)), "EINVAL")
  peer:send(("S 0:10(10) win 65535 <mss 1460,FO %s,nop,nop>"):format(fastopen.cookie(peer)))
  peer:expect "S. 0:0(0) ack 11"
  local conn = server:accept()
  t:is(select(2, conn:try("option", "TCP_FASTOPEN", 5)), "EINVAL")
  t:is(select(2, conn:try("option", "TCP_FASTOPEN_CONNECT", 1)), "EINVAL")
  t:is(select(2, conn:try("option", "TCP_FASTOPEN_NO_COOKIE", 1)), "EINVAL")
end)

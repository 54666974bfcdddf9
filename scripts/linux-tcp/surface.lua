-- SPDX-License-Identifier: MIT
-- What a program sees of Linux's TCP: options with their limits, TCP_INFO, poll and epoll, errno, flags
-- of calls, counters.
local tap = require "tap"
local net = require "net"
local tcp = require "suite.tcp"

-- Options: what is taken, what is given back, what is refused.
local OPTIONS = {
  { "TCP_NODELAY", { { 0, 0 }, { 1, 1 }, { 7, 1 } } },
  { "TCP_CORK", { { 0, 0 }, { 1, 1 } } },
  { "TCP_MAXSEG", { { 88, 88 }, { 1000, 1000 } }, { { 1, "EINVAL" }, { 87, "EINVAL" }, { 32768, "EINVAL" } } },
  { "TCP_SYNCNT", { { 1, 1 }, { 127, 127 } }, { { 0, "EINVAL" }, { 128, "EINVAL" } } },
  { "TCP_LINGER2", { { 5, 5 }, { -1, -1 } } },
  { "TCP_DEFER_ACCEPT", { { 0, 0 }, { 1, 1 }, { 3, 3 } } },
  { "TCP_WINDOW_CLAMP", { { 20000, 20000 } } },
  { "TCP_QUICKACK", { { 1, 1 } } },
  { "TCP_USER_TIMEOUT", { { 0, 0 }, { 5000, 5000 } }, { { -1, "EINVAL" } } },
  { "TCP_NOTSENT_LOWAT", { { 1000, 1000 }, { 0, 0 } } },
  { "TCP_INQ", { { 0, 0 }, { 1, 1 } }, { { 2, "EINVAL" }, { -1, "EINVAL" } } },
  { "TCP_SAVE_SYN", { { 0, 0 }, { 1, 1 }, { 2, 2 } }, { { 3, "EINVAL" } } },
  { "TCP_FASTOPEN_NO_COOKIE", { { 0, 0 }, { 1, 1 } }, { { 2, "EINVAL" } } },
  { "TCP_RTO_MAX_MS", { { 1000, 1000 }, { 120000, 120000 } }, { { 999, "EINVAL" }, { 120001, "EINVAL" } } },
}

for _, case in ipairs(OPTIONS) do
  tap.test(case[1] .. ": what it takes and refuses", function(t)
    local host = net.host { addr = "192.0.2.1/24" }
    local s = host:socket "tcp"
    for _, pair in ipairs(case[2]) do
      s:option(case[1], pair[1])
      t:is(s:option(case[1]), pair[2])
    end
    for _, pair in ipairs(case[3] or {}) do
      t:is(select(2, s:try("option", case[1], pair[1])), pair[2])
    end
  end)
end

tap.test("TCP_MAXSEG before the SYN: offered, and kept to", function(t)
  local _, peer, client = tcp.connecting { options = { TCP_MAXSEG = 700 } }
  t:is(peer:expect("S 0:0(0)", { at = "+1s" }).tcp.options[1], { "mss", 700 })
  peer:send "S. 0:0(0) ack 1 win 65535 <mss 1460>"
  peer:expect ". 1:1(0) ack 1"
  client:option("TCP_NODELAY", 1)
  client:send(("x"):rep(1400))
  t:is(tcp.sent(peer), "1:701 701:1401")
end)

tap.test("TCP_CORK: nothing that is not full goes, until it is pulled out or 200 ms are over", function(t)
  local _, peer, conn = tcp.passive()
  conn:option("TCP_CORK", 1)
  conn:send(("x"):rep(2000))
  t:is(tcp.sent(peer, "100ms"), "1:1461")
  conn:option("TCP_CORK", 0)
  t:is(tcp.sent(peer), "1461:2001")
  peer:send ". 1:1(0) ack 2001"
  conn:option("TCP_CORK", 1)
  conn:send "late"
  t:is(tcp.sent(peer, "150ms"), "")
  t:is(tcp.sent(peer, "100ms"), "2001:2005")
end)

tap.test("MSG_MORE: as a cork for one call", function(t)
  local _, peer, conn = tcp.passive()
  conn:option("TCP_NODELAY", 1)
  conn:send("one ", { flags = "more" })
  t:is(tcp.sent(peer, "100ms"), "")
  conn:send "two"
  t:ok(peer:expect("P. 1:8(7) ack 1", { data = "one two", within = "1ms" }))
end)

tap.test("MSG_PEEK: data is looked at and stays", function(t)
  local _, peer, conn = tcp.passive()
  peer:send("P. 1:6(5) ack 1", { data = "hello" })
  peer:expect ". 1:1(0) ack 6"
  t:is((conn:recv { flags = "peek", size = 3 }), "hel")
  t:is((conn:recv { flags = "peek", size = 10 }), "hello")
  t:is(conn:pending(), 5)
  t:is((conn:recv()), "hello")
end)

tap.test("MSG_WAITALL: waits for all of it, and gives what there is at the end", function(t)
  local _, peer, conn = tcp.passive()
  local reading = net.spawn(function() return (conn:recv { flags = "waitall", size = 10 }) end)
  peer:send("P. 1:6(5) ack 1", { data = "hello" })
  net.sleep "10ms"
  peer:send("P. 6:11(5) ack 1", { data = "world" })
  t:is(reading:join(), "helloworld")
  local last = net.spawn(function() return (conn:recv { flags = "waitall", size = 10 }) end)
  peer:send("FP. 11:14(3) ack 1", { data = "end" })
  t:is(last:join(), "end")
  peer:collect { during = "60ms" }
end)

tap.test("MSG_TRUNC: data is thrown away, its length given", function(t)
  local _, peer, conn = tcp.passive()
  peer:send "P. 1:101(100) ack 1"
  peer:expect ". 1:1(0) ack 101"
  local data, from = conn:recv { flags = "trunc", size = 60 }
  t:is({ from.length or #data, conn:pending() }, { 60, 40 })
end)

tap.test("SO_RCVLOWAT: readable only when so much is there", function(t)
  local _, peer, conn = tcp.passive()
  conn:option("SO_RCVLOWAT", 50)
  peer:send "P. 1:31(30) ack 1"
  peer:expect ". 1:1(0) ack 31"
  t:is(conn:poll("in", "10ms"), {})
  peer:send "P. 31:61(30) ack 1"
  peer:collect { during = "60ms" }
  t:is(conn:poll("in", 0), { ["in"] = true })
end)

tap.test("TCP_NOTSENT_LOWAT: writable only while little waits unsent", function(t)
  local _, peer, conn = tcp.passive { win = 1000 }
  conn:option("TCP_NOTSENT_LOWAT", 5000)
  conn:nonblock(true)
  conn:send(("x"):rep(20000))
  peer:collect { during = "1ms" }
  t:is(conn:poll("out", 0), {})
  t:ok(conn:info().notsent_bytes >= 5000)
  local acked = 1
  for _ = 1, 18 do
    acked = acked + 1000
    peer:send((". 1:1(0) ack %d win 1000"):format(acked))
    peer:collect { during = "400ms" }
  end
  t:is(conn:poll("out", 0), { out = true })
end)

tap.test("SIOCINQ, SIOCOUTQ and TCP_INFO count the same octets", function(t)
  local _, peer, conn = tcp.passive { win = 1000 }
  conn:option("TCP_NODELAY", 1)
  peer:send "P. 1:101(100) ack 1 win 1000"
  peer:expect ". 1:1(0) ack 101"
  conn:send(("x"):rep(3000))
  peer:collect { during = "1ms" }
  t:is(conn:pending(), 100)
  local info = conn:info()
  t:is({ info.bytes_received, info.notsent_bytes }, { 100, 2000 })
  t:is({ info.bytes_sent, info.bytes_acked, info.data_segs_in }, { 1000, 0, 1 })
end)

tap.test("TCP_INFO of a listener: its queue and limit", function(t)
  local host, peer, server = tcp.listen { backlog = 5 }
  for i = 0, 2 do
    peer:fresh { port = 4000 + i, to = 80 }
    peer:send "S 0:0(0) win 65535 <mss 1460>"
    peer:expect "S. 0:0(0) ack 1"
    peer:send ". 1:1(0) ack 1"
    net.sleep "1ms"
  end
  t:is({ server:info().state, server:info().unacked, server:info().sacked }, { "LISTEN", 3, 5 })
  t:is(host:counter "TcpPassiveOpens", 3)
end)

tap.test("accept queue: more than the backlog and one are not taken; TcpExtListenOverflows", function(t)
  local host, peer, server = tcp.listen { backlog = 1 }
  for i = 0, 3 do
    peer:fresh { port = 4000 + i, to = 80 }
    peer:send "S 0:0(0) win 65535 <mss 1460>"
    local answer = peer:collect { during = "10us" }
    if #answer == 1 then
      peer.tcp.host_isn = answer[1].tcp.seq
      peer:send ". 1:1(0) ack 1"
      net.sleep "1ms"
    end
  end
  t:is(server:info().unacked, 2)
  t:ok(host:counter "TcpExtListenOverflows" >= 1)
  t:is(host:counter "TcpExtListenOverflows", host:counter "TcpExtListenDrops")
  peer:collect { during = "1ms" }
end)

tap.test("TCP_DEFER_ACCEPT: accept only when there is data", function(t)
  local _, peer, server = tcp.listen { options = { TCP_DEFER_ACCEPT = 3 } }
  peer:send "S 0:0(0) win 65535 <mss 1460>"
  peer:expect "S. 0:0(0) ack 1"
  peer:send ". 1:1(0) ack 1"
  t:is(server:poll("in", "500ms"), {})
  peer:send("P. 1:6(5) ack 1", { data = "hello" })
  peer:collect { during = "60ms" }
  t:is(server:poll("in", 0), { ["in"] = true })
  t:is((server:accept():recv()), "hello")
end)

tap.test("tcp_abort_on_overflow: a full queue answers the last ACK with a reset", function(t)
  local host, peer, server = tcp.listen { backlog = 2, sysctl = { ["net.ipv4.tcp_abort_on_overflow"] = 1 } }
  local isn = {}
  local function syn(i)
    peer:fresh { port = 4000 + i, to = 80 }
    peer:send "S 0:0(0) win 65535 <mss 1460>"
    isn[i] = peer:expect("S. 0:0(0) ack 1").tcp.seq
  end
  local function ack(i)
    peer:fresh { port = 4000 + i, to = 80 }
    peer.tcp.host_isn = isn[i]
    peer:send ". 1:1(0) ack 1"
  end
  -- Never more than two requests, so that no cookie is needed; three may wait to be accepted.
  syn(1) syn(2) ack(1) syn(3) ack(2) syn(4) ack(3)
  net.sleep "1ms"
  t:is(server:info().unacked, 3)
  ack(4)
  t:ok(peer:expect "R 1:1(0)")
  t:is({ server:info().unacked, host:counter "TcpExtListenOverflows" }, { 3, 1 })
end)

tap.test("epoll, edge triggered: told once for each arrival", function(t)
  local host, peer, conn = tcp.passive()
  local e = host:epoll()
  e:add(conn, "in et")
  peer:send "P. 1:6(5) ack 1"
  peer:expect ". 1:1(0) ack 6"
  t:is(#e:wait("1ms"), 1)
  t:is(#e:wait("1ms"), 0)
  peer:send "P. 6:11(5) ack 1"
  peer:collect { during = "60ms" }
  t:is(#e:wait("1ms"), 1)
  e:close()
end)

tap.test("poll: what is told in each state", function(t)
  for state, expect in pairs {
    SYN_SENT = {}, ESTABLISHED = { out = true }, FIN_WAIT1 = { out = true }, FIN_WAIT2 = { out = true },
    CLOSE_WAIT = { ["in"] = true, out = true, rdhup = true },
    CLOSING = { ["in"] = true, out = true, rdhup = true, hup = true },
    LAST_ACK = { ["in"] = true, out = true, rdhup = true, hup = true } } do
    local _, peer, socket = tcp.state(state)
    local got = socket:poll("in out rdhup", 0)
    t:is(got, expect, state)
    peer:collect { during = "1us" }
    if state ~= "SYN_SENT" then peer:send(("R. %d:%d(0) ack 1"):format(got.rdhup and 2 or 1, got.rdhup and 2 or 1)) end
    net.sleep "1ms"
    peer:collect { during = "1us" }
    socket:close()
    peer:collect { during = "1us" }
  end
end)

tap.test("errno of calls that do not fit the state", function(t)
  local host = net.host { addr = "192.0.2.1/24" }
  local s = host:socket("tcp", { nonblock = true })
  t:is(select(2, s:try "recv"), "ENOTCONN")
  t:is(select(2, s:try("send", "x", { flags = "nosignal" })), "EPIPE")
  t:is(select(2, s:try "accept"), "EINVAL")
  t:is(select(2, s:try "peername"), "ENOTCONN")
  t:is(select(2, s:try("shutdown", "wr")), "ENOTCONN")
  s:listen(80)
  t:is(select(2, s:try("connect", "192.0.2.9", 80)), "EISCONN")
  t:is(select(2, s:try "recv"), "ENOTCONN")
  local other = host:socket "tcp"
  t:is(select(2, other:try("bind", 80)), "EADDRINUSE")
  t:is(select(2, other:try("bind", "192.0.2.77", 81)), "EADDRNOTAVAIL")
end)

tap.test("SO_ERROR is given once", function(t)
  local _, peer, client = tcp.connecting()
  peer:send "R. 0:0(0) ack 1"
  net.sleep "1ms"
  t:is(client:option "SO_ERROR", net.C.ECONNREFUSED)
  t:is(client:option "SO_ERROR", 0)
end)

tap.test("SO_RCVTIMEO and SO_SNDTIMEO", function(t)
  local _, peer, conn = tcp.passive { win = 100 }
  conn:option("SO_RCVTIMEO", "250ms")
  local start = net.now()
  t:is(select(2, conn:try "recv"), "EAGAIN")
  t:ok(math.abs(net.now() - start - 250000000) <= 1000000)
  conn:option("SO_SNDBUF", 4608)
  conn:option("SO_SNDTIMEO", "100ms")
  local sent = conn:send(("x"):rep(100000))
  t:ok(sent < 100000, sent)
  t:is(select(2, conn:try("send", "x")), "EAGAIN")
  peer:collect { during = "20ms" }
end)

tap.test("counters: opens, resets, segments", function(t)
  local host, peer, conn = tcp.passive()
  local before = host:counters()
  peer:send "P. 1:6(5) ack 1"
  peer:expect ". 1:1(0) ack 6"
  peer:send "R 6:6(0)"
  net.sleep "1ms"
  local changed = host:changes(before, "^Tcp[A-Z][a-z]+[A-Z]?[a-z]*$")
  t:is({ changed.TcpInSegs, changed.TcpOutSegs, changed.TcpEstabResets, changed.TcpCurrEstab }, { 2, 1, 1, -1 })
  t:is(conn:info().state, "CLOSE")
end)

tap.test("TCP_CONGESTION: names that there are; others are ENOENT", function(t)
  local host = net.host { addr = "192.0.2.1/24" }
  local s = host:socket "tcp"
  for _, name in ipairs { "reno", "cubic", "dctcp" } do
    s:option("TCP_CONGESTION", name)
    t:is((s:option "TCP_CONGESTION"):match "^%a+", name)
  end
  t:is(select(2, s:try("option", "TCP_CONGESTION", "vegas")), "ENOENT")
end)

tap.test("shutdown for reading: recv gives the end, data that comes is taken and lost", function(t)
  local _, peer, conn = tcp.passive()
  conn:shutdown "rd"
  t:is((conn:recv()), "")
  peer:send "P. 1:6(5) ack 1"
  t:ok(peer:expect(". 1:1(0) ack 6", { within = "60ms" }))
  t:is(conn:info().state, "ESTABLISHED")
end)

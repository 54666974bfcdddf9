-- SPDX-License-Identifier: MIT
-- What RFC 1122 4.2 asks of TCP beyond RFC 9293's tables: windows, silly windows, keep-alives, urgent
-- data, closing with and without lingering, user time-outs, initial sequence numbers (RFC 6528).
local tap = require "tap"
local net = require "net"
local tcp = require "suite.tcp"

-- Windows -----------------------------------------------------------------------------------------

tap.test("silly windows: a reader of single octets does not open the window octet by octet", function(t)
  local _, peer, conn = tcp.passive { options = { SO_RCVBUF = 8192 } }
  local next = 1
  while true do -- fill the window
    peer:send((". %d:%d(500) ack 1"):format(next, next + 500))
    local frame = peer:expect(net.tcp{ flags = "." }, { within = "100ms" })
    next = frame.tcp.ack - 1000000
    if frame.tcp.window < 500 then break end
  end
  for _ = 1, 400 do conn:recv { size = 1 } end
  t:shows("RFC9293-MUST-39", t:shows("RFC1122-4.2.3.3-1", peer:expect_nothing { during = "100ms" }))
  while conn:try("recv", { size = 100, flags = "dontwait" }) do end
  local last = 0
  for _, update in ipairs(peer:collect { during = "100ms" }) do
    t:ok(update.tcp.window >= last + 500, "a segment as the peer sends them, at least")
    last = update.tcp.window
  end
  t:ok(last >= 1000)
  peer:send((". %d:%d(1) ack 1"):format(next, next + 1))
  t:ok(peer:expect(net.tcp{ flags = "." }, { within = "100ms" }).tcp.window >= 2000, "all of it is free again")
end)

tap.test("silly windows: no small segment into a small window while others are on the way", function(t)
  local _, peer, conn = tcp.passive { syn = "mss 1000" }
  conn:send(("x"):rep(1000))
  peer:expect "P. 1:1001(1000) ack 1"
  peer:send "P. 1:2(1) ack 1"
  peer:expect ". 1001:1001(0) ack 2"
  peer:send "P. 2:3(1) ack 1 win 1100"
  peer:expect(". 1001:1001(0) ack 3", { within = "50ms" })
  conn:send(("x"):rep(1000))
  t:shows("RFC9293-MUST-38", t:shows("RFC1122-4.2.3.4-1", t:is(tcp.sent(peer, "100ms"), "")))
end)

tap.test("a window that shrinks: what is beyond it waits, nothing breaks", function(t)
  local _, peer, conn = tcp.passive { syn = "mss 1000", rtt = 100 }
  conn:send(net.pattern(1, 5000))
  t:is(tcp.sent(peer), tcp.segments(0, 5))
  peer:send "P. 1:2(1) ack 1"
  peer:expect(". 5001:5001(0) ack 2", { within = "50ms" })
  peer:send "P. 2:3(1) ack 1 win 500" -- now it ends within the first segment
  peer:expect(". 501:501(0) ack 3", { within = "50ms" })
  conn:send "more"
  t:shows("RFC9293-SHLD-15", t:shows("RFC1122-4.2.2.16-2", t:is(tcp.sent(peer, "150ms"), "")))
  t:is(conn:info().state, "ESTABLISHED")
  peer:send ". 3:3(0) ack 5001 win 10000"
  t:shows("RFC9293-MUST-34", t:is(tcp.sent(peer), "5001:5005"))
end)

tap.test("every second full segment is acknowledged", function(t)
  local _, peer, conn = tcp.active { syn = "mss 1460" }
  conn:option("TCP_QUICKACK", 0)
  local next, acks = 1, {}
  for _ = 1, 10 do
    peer:send((". %d:%d(1460) ack 1"):format(next, next + 1460))
    next = next + 1460
    for _, frame in ipairs(peer:collect { during = "1ms" }) do
      acks[#acks + 1] = frame.tcp.ack - 1000000
    end
    conn:try("recv", { flags = "dontwait" })
  end
  t:shows("RFC9293-SHLD-19", t:shows("RFC1122-4.2.3.2-3", t:shows("RFC2525-2.13-1",
    t:ok(#acks >= 5, "ACKs: " .. #acks))))
end)

-- Keep-alives -------------------------------------------------------------------------------------

local function alive(o)
  local host, peer, conn = tcp.passive(o)
  conn:option("TCP_KEEPIDLE", 10)
  conn:option("TCP_KEEPINTVL", 5)
  conn:option("SO_KEEPALIVE", 1)
  return host, peer, conn
end

tap.test("keep-alive: traffic puts the probe off", function(t)
  local _, peer = alive()
  for i = 0, 5 do
    net.sleep "8s"
    peer:send(("P. %d:%d(1) ack 1"):format(1 + i, 2 + i))
    peer:expect(("%s 1:1(0) ack %d"):format(".", 2 + i), { within = "50ms" })
  end
  t:shows("RFC9293-MUST-26", peer:expect_nothing { during = "9s" })
  peer:expect(". 0:0(0) ack 7", { within = "2s" })
end)

tap.test("keep-alive: none while data is on the way", function(t)
  local _, peer, conn = alive()
  conn:send "hello"
  peer:expect "P. 1:6(5) ack 1"
  local probes = 0
  for _, frame in ipairs(peer:collect { during = "30s" }) do
    if #(frame.payload or "") == 0 then probes = probes + 1 end
  end
  t:shows("RFC9293-MUST-26", t:is(probes, 0))
end)

tap.test("keep-alive: an answered probe begins the idle time again, not the intervals", function(t)
  local _, peer = alive()
  for _ = 1, 3 do
    peer:expect(". 0:0(0) ack 1", { within = "11s" })
    peer:send ". 1:1(0) ack 1"
    t:shows("RFC2525-2.11-1", peer:expect_nothing { during = "9s" })
  end
end)

tap.test("keep-alive: switched off again it is off", function(t)
  local _, peer, conn = alive()
  net.sleep "5s"
  conn:option("SO_KEEPALIVE", 0)
  t:shows("RFC9293-MUST-24", peer:expect_nothing { during = "1h" })
end)

tap.test("keep-alive: no probe before two hours by default", function(t)
  local _, peer, conn = tcp.passive()
  conn:option("SO_KEEPALIVE", 1)
  t:shows("RFC2525-2.9-1", peer:expect_nothing { during = "7199s" })
  peer:expect(". 0:0(0) ack 1", { within = "2s" })
end)

-- Urgent data -------------------------------------------------------------------------------------

tap.test("urgent: the reader learns of it before it gets there", function(t)
  local _, peer, conn = tcp.passive()
  peer:send "PU. 1:11(10) ack 1 urg 10"
  peer:expect ". 1:1(0) ack 11"
  t:shows("RFC9293-MUST-32", t:is(conn:poll("pri", "1ms"), { pri = true }))
  t:shows("RFC9293-MUST-33", t:is(#conn:recv { size = 100 }, 9))
end)

tap.test("urgent: in line where the application wants it so", function(t)
  local _, peer, conn = tcp.passive()
  conn:option("SO_OOBINLINE", 1)
  peer:send "PU. 1:11(10) ack 1 urg 10"
  peer:expect ". 1:1(0) ack 11"
  local first = conn:recv { size = 100 } -- up to the mark
  t:shows("RFC6093-6-1", t:is(first .. (conn:recv { size = 100 }), net.pattern(1, 10)))
end)

tap.test("urgent: a later pointer replaces the earlier one", function(t)
  local _, peer, conn = tcp.passive()
  peer:send "PU. 1:4(3) ack 1 urg 3"
  peer:expect ". 1:1(0) ack 4"
  peer:send "PU. 4:7(3) ack 1 urg 3"
  peer:expect ". 1:1(0) ack 7"
  t:shows("RFC9293-MUST-31", t:is((conn:recv { flags = "oob", size = 1 }), net.pattern(6, 1)))
end)

tap.test("urgent: the pointer is known although the window is closed", function(t)
  local _, peer, conn = tcp.passive { options = { SO_RCVBUF = 4096 } }
  local next = 1
  while true do
    peer:send((". %d:%d(500) ack 1"):format(next, next + 500))
    local frame = peer:expect(net.tcp{ flags = "." }, { within = "100ms" })
    next = frame.tcp.ack - 1000000
    if frame.tcp.window < 500 then break end
  end
  local window = peer:segment((". %d:%d(0) ack 1"):format(next, next))
  window.tcp.flags = "U."
  window.tcp.urg = 100
  t:is(select(2, conn:try("recv", { flags = "oob", size = 1 })), "EINVAL")
  peer:send(window)
  net.sleep "1ms"
  -- Not EINVAL: it is known, and yet to come.
  t:shows("RFC9293-MUST-66", t:is(select(2, conn:try("recv", { flags = "oob", size = 1 })), "EAGAIN"))
end)

-- Closing -----------------------------------------------------------------------------------------

tap.test("a FIN goes out at once, behind what is on the way", function(t)
  local _, peer, conn = tcp.passive { rtt = 100 }
  conn:send "hello"
  peer:expect "P. 1:6(5) ack 1"
  conn:close()
  t:shows("RFC2525-2.15-1", peer:expect "F. 6:6(0) ack 1")
end)

tap.test("data for a closed socket: a reset", function(t)
  local _, peer, conn = tcp.passive()
  conn:close()
  peer:expect "F. 1:1(0) ack 1"
  peer:send "P. 1:6(5) ack 2"
  t:shows("RFC2525-2.16-1", t:shows("RFC1122-4.2.2.13-3", peer:expect "R 2:2(0)"))
end)

tap.test("closed with data unread: a reset", function(t)
  local _, peer, conn = tcp.passive()
  peer:send "P. 1:6(5) ack 1"
  peer:expect ". 1:1(0) ack 6"
  conn:close()
  t:shows("RFC2525-2.17-1", peer:expect "R. 1:1(0) ack 6")
end)

tap.test("the application hears an abort as an abort, an end as an end", function(t)
  local _, peer, conn = tcp.passive()
  peer:send "F. 1:1(0) ack 1"
  peer:expect(". 1:1(0) ack 2", { within = "50ms" })
  t:is((conn:recv()), "")
  local _, other, second = tcp.passive()
  other:send "R. 1:1(0) ack 1"
  net.sleep "1ms"
  t:shows("RFC9293-MUST-12", t:shows("RFC1122-4.2.2.13-1",
    t:is(select(2, second:try "recv"), "ECONNRESET")))
end)

tap.test("TCP_LINGER2: how long an orphan waits for the other's FIN", function(t)
  local _, peer, conn = tcp.passive()
  conn:option("TCP_LINGER2", 5)
  conn:close()
  peer:expect "F. 1:1(0) ack 1"
  peer:send ". 1:1(0) ack 2"
  net.sleep "6s"
  peer:send "F. 1:1(0) ack 2"
  t:ok(peer:expect "R 2:2(0)")
end)

-- Giving up ---------------------------------------------------------------------------------------

tap.test("R2 is 100 s at least by default", function(t)
  local _, peer, conn = tcp.passive()
  conn:send "x"
  peer:collect { during = "100s" }
  t:shows("RFC9293-SHLD-11", t:shows("RFC1122-4.2.3.5-5", t:is(conn:info().state, "ESTABLISHED")))
  peer:collect { during = "1000s" }
  t:shows("RFC9293-MUST-20", t:is(select(2, conn:try "recv"), "ETIMEDOUT"))
end)

tap.test("R2 of a SYN is 3 minutes at least where the host is told so", function(t)
  local _, peer, client = tcp.connecting { sysctl = { ["net.ipv4.tcp_syn_retries"] = 7 } }
  peer:collect { during = "3min" }
  t:shows("RFC9293-MUST-23", t:is(client:info().state, "SYN_SENT"))
  peer:collect { during = "5min" }
  t:shows("RFC9293-MUST-22", t:is(client:option "SO_ERROR", net.C.ETIMEDOUT or 110))
end)

tap.test("TCP_USER_TIMEOUT: the user chooses R2; it counts from the first retransmission", function(t)
  local _, peer, conn = tcp.passive { rtt = 10 }
  conn:option("TCP_USER_TIMEOUT", 3000)
  conn:send "x"
  peer:collect { during = "3205ms" } -- RTO is 210 ms
  t:is(conn:info().state, "ESTABLISHED")
  peer:collect { during = "10ms" }
  t:shows("RFC1122-4.2.3.5-3", t:is(conn:info().state, "CLOSE"))
  t:is(select(2, conn:try "recv"), "ETIMEDOUT")
end)

tap.test("a user timeout option of the peer changes nothing", function(t)
  local _, peer, conn = tcp.passive()
  conn:option("TCP_USER_TIMEOUT", 3000)
  peer:send ". 1:1(0) ack 1 win 65535 <kind 28 8005>"
  net.sleep "1ms"
  t:shows("RFC5482-3.1-1", t:shows("RFC5482-3-3", t:is(conn:option "TCP_USER_TIMEOUT", 3000)))
end)

-- Initial sequence numbers ------------------------------------------------------------------------

local function isn_of(host, peer, port)
  peer:fresh { port = port, to = 80 }
  peer:send "S 0:0(0) win 65535 <mss 1460>"
  local isn = peer:expect("S. 0:0(0) ack 1").tcp.seq
  peer:send "R 1:1(0) win 0"
  net.sleep "1ms"
  return isn
end

tap.test("initial numbers of one pair of sockets follow a clock, of others they jump", function(t)
  local host, peer = tcp.listen()
  local first, at = isn_of(host, peer, 4000), t:now()
  net.sleep "1s"
  local second = isn_of(host, peer, 4000)
  local ticks = (t:now() - at) // 64 -- one each 64 ns
  t:shows("RFC9293-MUST-8", t:shows("RFC1122-4.2.2.9-1",
    t:ok(math.abs((second - first - ticks) & 0xffffffff) < 1000)))
  local other = isn_of(host, peer, 4001)
  t:ok(math.abs(other - second) > 1000000, "another port: another place")
end)

-- SO_LINGER ---------------------------------------------------------------------------------------

-- conn:close() in a task: tells when it came back, and what it is that waits.
local function closing(conn)
  local done = {}
  net.spawn(function()
    conn:close()
    done.at = net.now()
  end)
  return done
end

tap.test("SO_LINGER: close waits until the FIN is acknowledged", function(t)
  local host, peer, conn = tcp.passive()
  conn:option("SO_LINGER", { 1, 10 })
  conn:send "hello"
  peer:expect "P. 1:6(5) ack 1"
  local done = closing(conn)
  peer:expect "F. 6:6(0) ack 1"
  net.sleep "100ms"
  t:is(done.at, nil)
  peer:send ". 1:1(0) ack 6"
  net.sleep "10ms"
  t:is(done.at, nil)
  peer:send ". 1:1(0) ack 7"
  net.sleep "1ms"
  t:ok(done.at, "close came back")
  t:is(host:sockets()[2].state, "FIN-WAIT-2")
end)

tap.test("SO_LINGER: close waits no longer than it was told; the rest goes on", function(t)
  local host, peer, conn = tcp.passive()
  conn:option("SO_LINGER", { 1, 2 })
  conn:send "hello"
  peer:expect "P. 1:6(5) ack 1"
  local start = t:now()
  local done = closing(conn)
  peer:expect "F. 6:6(0) ack 1"
  peer:collect { during = "3s" }
  t:is(done.at, start + 2000000000)
  t:is(host:sockets()[2].state, "FIN-WAIT-1")
  peer:send ". 1:1(0) ack 7"
  peer:expect_nothing { during = "1s" }
end)

tap.test("SO_LINGER: a socket that does not block lingers all the same", function(t)
  local _, peer, conn = tcp.passive()
  conn:nonblock(true)
  conn:option("SO_LINGER", { 1, 2 })
  local done = closing(conn)
  peer:expect "F. 1:1(0) ack 1"
  net.sleep "100ms"
  t:is(done.at, nil)
  peer:send "F. 1:1(0) ack 2"
  peer:expect ". 2:2(0) ack 2"
  t:ok(done.at)
end)

tap.test("SO_LINGER: a reset ends the wait; with data unread there is none", function(t)
  local _, peer, conn = tcp.passive()
  conn:option("SO_LINGER", { 1, 10 })
  local done = closing(conn)
  peer:expect "F. 1:1(0) ack 1"
  peer:send "R. 1:1(0) ack 2"
  net.sleep "1ms"
  t:ok(done.at)

  local _, other, second = tcp.passive()
  second:option("SO_LINGER", { 1, 10 })
  other:send "P. 1:6(5) ack 1"
  other:expect ". 1:1(0) ack 6"
  done = closing(second)
  other:expect "R. 1:1(0) ack 6"
  t:ok(done.at)
end)

tap.test("SO_LINGER: after the peer's FIN", function(t)
  local _, peer, conn = tcp.passive()
  conn:option("SO_LINGER", { 1, 10 })
  peer:send "F. 1:1(0) ack 1"
  peer:expect(". 1:1(0) ack 2", { within = "50ms" })
  local done = closing(conn)
  peer:expect "F. 1:1(0) ack 2"
  net.sleep "100ms"
  t:is(done.at, nil)
  peer:send ". 2:2(0) ack 2"
  net.sleep "1ms"
  t:ok(done.at)
end)

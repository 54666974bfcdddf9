-- SPDX-License-Identifier: MIT
-- What holds across states (RFC 9293 3.4 to 3.6, 3.10): acceptable numbers, resets that are validated,
-- half-open connections and old duplicates, the windows shut, calls in every state.
local tap = require "tap"
local net = require "net"
local tcp = require "suite.tcp"

-- Sequence and acknowledgement numbers ------------------------------------------------------------

tap.test("an acknowledgement is acceptable above SND.UNA and up to SND.NXT", function(t)
  local _, peer, conn = tcp.passive()
  conn:option("TCP_NODELAY", 1)
  conn:send(net.pattern(1, 100))
  peer:expect "P. 1:101(100) ack 1"
  peer:send ". 1:1(0) ack 102" -- nothing of that was sent
  t:shows("RFC9293-3.10.7.4-16", peer:expect ". 101:101(0) ack 1")
  t:is(conn:info().unacked, 1)
  peer:send ". 1:1(0) ack 101"
  net.sleep "1ms"
  t:shows("RFC9293-3.4-2", t:is({ conn:info().unacked, conn:info().bytes_acked }, { 0, 100 }))
  peer:send ". 1:1(0) ack 1" -- an old one: ignored
  t:ok(peer:expect_nothing { during = "1s" })
end)

for _, case in ipairs { { 0, "S" }, { 10, "S" }, { 0, "SF" } } do
  tap.test(("CLOSED: the reset of %s with %d octets acknowledges each of its numbers"):format(case[2], case[1]),
    function(t)
      local _, peer = tcp.state "CLOSED"
      local len = case[1]
      peer:send(("%s 0:%d(%d)"):format(case[2], len, len))
      local numbers = len + #case[2]
      t:shows("RFC9293-3.4-3", peer:expect(("R. 0:0(0) ack %d"):format(numbers)))
    end)
end

tap.test("SYN and FIN have a number each: ours are acknowledged as octets 0 and 4, so are the peer's", function(t)
  local _, peer, conn = tcp.passive()
  conn:send "abc"
  conn:shutdown "wr"
  peer:expect "P. 1:4(3) ack 1"
  peer:expect "F. 4:4(0) ack 1"
  peer:send ". 1:1(0) ack 4" -- the data without the FIN
  net.sleep "1ms"
  t:is(conn:info().state, "FIN_WAIT1")
  peer:send ". 1:1(0) ack 5"
  net.sleep "1ms"
  t:is(conn:info().state, "FIN_WAIT2")
  peer:send "FP. 1:4(3) ack 5"
  t:shows("RFC9293-3.4-3", peer:expect ". 5:5(0) ack 5")
end)

-- The host's receive window is shut: what is beyond is not taken.
local function shut()
  local host, peer, conn = tcp.passive { options = { SO_RCVBUF = 4096 } }
  local next, frame = 1, nil
  repeat
    peer:send((". %d:%d(500) ack 1"):format(next, next + 500))
    frame = peer:expect(net.tcp{ flags = "." }, { within = "100ms" })
    next = frame.tcp.ack - 1000000
  until frame.tcp.window < 500
  while frame.tcp.window > 0 do
    peer:send((". %d:%d(%d) ack 1"):format(next, next + frame.tcp.window, frame.tcp.window))
    frame = peer:expect(net.tcp{ flags = "." }, { within = "100ms" })
    next = frame.tcp.ack - 1000000
  end
  return host, peer, conn, next
end

tap.test("window shut: data is answered and not taken, an acknowledgement counts", function(t)
  local _, peer, conn, next = shut()
  conn:send "x"
  peer:expect(("P. 1:2(1) ack %d"):format(next))
  peer:send((". %d:%d(1) ack 1"):format(next, next + 1))
  t:shows("RFC9293-3.8.6.1-1", peer:expect((". 2:2(0) ack %d win 0"):format(next), { within = "1s" }))
  peer:send((". %d:%d(0) ack 2"):format(next, next))
  net.sleep "1ms"
  t:shows("RFC9293-3.4-5", t:is(conn:info().unacked, 0))
  t:is(conn:pending(), next - 1)
end)

tap.test("window shut: a reset at RCV.NXT ends the connection, one behind it does not", function(t)
  local _, peer, conn, next = shut()
  peer:send(("R %d:%d(0)"):format(next + 1, next + 1))
  net.sleep "1ms"
  t:is(conn:info().state, "ESTABLISHED")
  peer:send(("R %d:%d(0)"):format(next, next))
  net.sleep "1ms"
  t:shows("RFC9293-3.4-5", t:is(conn:info().state, "CLOSE"))
end)

tap.test("window shut, read empty: it is told at once", function(t)
  local _, peer, conn, next = shut()
  local data = conn:recv { size = 100000 }
  t:is(#data, next - 1)
  t:shows("RFC9293-3.8.6-1", t:ok(peer:expect(net.tcp{ flags = "." }).tcp.window > 1000))
end)

tap.test("window shut for an hour: nothing ends it", function(t)
  local _, peer, conn, next = shut()
  for _ = 1, 60 do
    peer:send((". %d:%d(0) ack 1"):format(next - 1, next - 1)) -- a probe, as Linux makes them
    peer:expect((". 1:1(0) ack %d win 0"):format(next), { within = "100ms" })
    net.sleep "1min"
  end
  t:shows("RFC9293-MAY-8", t:is(conn:info().state, "ESTABLISHED"))
end)

-- Resets ------------------------------------------------------------------------------------------

for _, state in ipairs { "ESTABLISHED", "FIN_WAIT1", "FIN_WAIT2", "CLOSE_WAIT", "CLOSING", "LAST_ACK" } do
  tap.test(state .. ": only a reset at RCV.NXT ends it, and at once", function(t)
    local _, peer, socket = tcp.state(state)
    local nxt = (state == "CLOSE_WAIT" or state == "CLOSING" or state == "LAST_ACK") and 2 or 1
    for _, seq in ipairs { 0x7fffffff, 100000, 0x80000000 } do
      local segment = peer:segment "R 1:1(0)"
      segment.tcp.seq = peer.tcp.isn + seq & 0xffffffff
      peer:send(segment)
    end
    t:is(peer:collect { during = "1ms" }, {})
    t:shows("RFC9293-3.5.3-1", t:is(socket:info().state, state))
    peer:send(("R %d:%d(0)"):format(nxt, nxt))
    net.sleep "1ms"
    t:shows("RFC9293-3.5.3-3", t:is(socket:info().state, "CLOSE"))
    peer:expect_nothing { during = "10s" }
  end)
end

tap.test("LISTEN: a reset is ignored; SYN-RECEIVED from LISTEN: back to LISTEN, for the next SYN", function(t)
  local host, peer, server = tcp.listen()
  peer:send "R 0:0(0)"
  peer:send "R. 0:0(0) ack 1"
  peer:expect_nothing { during = "1ms" }
  peer:send "S 0:0(0) win 65535 <mss 1460>"
  peer:expect "S. 0:0(0) ack 1"
  peer:send "R 1:1(0)"
  peer:expect_nothing { during = "10s" } -- the SYN,ACK does not come again
  t:shows("RFC9293-3.5.3-3", t:is(host:counter "TcpExtEmbryonicRsts", 1))
  peer:fresh { port = 4000, to = 80, isn = 77 }
  peer:send "S 0:0(0) win 65535 <mss 1460>"
  peer:expect "S. 0:0(0) ack 1"
  peer:send ". 1:1(0) ack 1"
  t:shows("RFC9293-MUST-11", t:is(server:accept():info().state, "ESTABLISHED"))
end)

tap.test("SYN-RECEIVED from SYN-SENT: the reset is told to who opened", function(t)
  local _, peer, client = tcp.connecting()
  peer:send "S 0:0(0) win 65535 <mss 1460>"
  peer:expect "S. 0:0(0) ack 1"
  t:is(client:info().state, "SYN_RECV")
  peer:send "R. 1:1(0) ack 1"
  net.sleep "1ms"
  t:is(client:info().state, "CLOSE")
  local expect = t.profile == "rfc" and net.C.ECONNREFUSED or net.C.ECONNRESET
  t:shows("RFC9293-MUST-11", t:is(client:option "SO_ERROR", expect))
end)

tap.test("profile rfc: simultaneous open, a reset in SYN-RECEIVED is told as refused", { profile = "rfc" },
  function(t)
    local _, peer, client = tcp.connecting()
    peer:send "S 0:0(0) win 65535 <mss 1460>"
    peer:expect "S. 0:0(0) ack 1"
    peer:send "R. 1:1(0) ack 1"
    net.sleep "1ms"
    t:shows("RFC9293-3.10.7.4-8", t:is(client:option "SO_ERROR", net.C.ECONNREFUSED))
  end)

-- Old duplicates and half-open connections --------------------------------------------------------

tap.test("an old duplicate SYN (RFC 9293 figure 9): reset, and the next SYN opens", function(t)
  local _, peer, server = tcp.listen()
  peer:fresh { port = 4000, to = 80, isn = 90 }
  peer:send "S 0:0(0) win 65535 <mss 1460>" -- <SEQ=90>, from long ago
  peer:expect "S. 0:0(0) ack 1"
  peer:send "R 1:1(0)" -- who sent no such thing resets it
  peer:expect_nothing { during = "1ms" }
  t:is(server:info().state, "LISTEN")
  peer:fresh { port = 4000, to = 80, isn = 100 }
  peer:send "S 0:0(0) win 65535 <mss 1460>"
  t:shows("RFC9293-3.5-4", peer:expect "S. 0:0(0) ack 1")
  peer:send ". 1:1(0) ack 1"
  t:is(server:accept():info().state, "ESTABLISHED")
end)

tap.test("an old duplicate SYN,ACK: the host's reset has its number, and its own SYN stands", function(t)
  local _, peer, client = tcp.connecting()
  peer:send "S. 0:0(0) ack 4711 win 65535 <mss 1460>"
  t:shows("RFC9293-3.5-4", peer:expect "R 4711:4711(0)")
  t:is(client:info().state, "SYN_SENT")
end)

tap.test("half-open (figure 10): the host has lost it, its SYN is answered by an ACK, which it resets", function(t)
  local _, peer, client = tcp.connecting()
  -- The peer thinks that the old connection stands: it acknowledges what it knows.
  peer:send ". 300:300(0) ack 100 win 65535"
  t:shows("RFC9293-3.5.1-1", peer:expect "R 100:100(0)")
  t:shows("RFC9293-3.5.2-2", t:is(client:info().state, "SYN_SENT"))
  peer:expect("S 0:0(0)", { within = "1s" })
  peer:send "S. 0:0(0) ack 1 win 65535 <mss 1460>"
  peer:expect ". 1:1(0) ack 1"
  t:is(client:info().state, "ESTABLISHED")
end)

tap.test("half-open (figure 11): data for a connection that the host has not is reset, it is discovered", function(t)
  local _, peer = tcp.state "CLOSED"
  peer:send "P. 100:110(10) ack 300 win 65535"
  t:shows("RFC9293-3.5.1-1", peer:expect "R 300:300(0)")
end)

tap.test("half-open, the host is the one that stands: a SYN is challenged, the reset that follows ends it", function(t)
  local _, peer, conn = tcp.passive()
  local old = peer.tcp.isn
  peer.tcp.isn = 5000000
  peer:send "S 0:0(0) win 65535 <mss 1460>"
  peer.tcp.isn = old
  local challenge = peer:expect ". 1:1(0) ack 1"
  local reset = peer:segment "R 1:1(0)"
  reset.tcp.seq = challenge.tcp.ack
  peer:send(reset)
  net.sleep "1ms"
  t:shows("RFC9293-3.10.7.4-11", t:is(conn:info().state, "CLOSE"))
  t:is(select(2, conn:try "recv"), "ECONNRESET")
end)

tap.test("states that are not synchronized keep their state at an unacceptable ACK", function(t)
  local _, listening, server = tcp.listen()
  listening:send ". 1:1(0) ack 9"
  listening:expect "R 9:9(0)"
  t:is(server:info().state, "LISTEN")
  local _, peer, again = tcp.state "SYN_RECV"
  peer:send ". 1:1(0) ack 9"
  t:shows("RFC9293-3.5.2-2", peer:expect "R 9:9(0)")
  peer:send ". 1:1(0) ack 1"
  t:is(again:accept():info().state, "ESTABLISHED")
end)

tap.test("FIN in LISTEN and SYN-SENT is not looked at: the number after it is still to come", function(t)
  local _, listening, server = tcp.listen()
  listening:send "F 0:0(0)"
  listening:expect_nothing { during = "1ms" }
  t:is(server:info().state, "LISTEN")
  local _, peer, client = tcp.connecting()
  peer:send "F 0:0(0)"
  peer:expect_nothing { during = "1ms" }
  t:shows("RFC9293-3.10.7.4-25", t:is(client:info().state, "SYN_SENT"))
  peer:send "S. 0:0(0) ack 1 win 65535 <mss 1460>"
  peer:expect ". 1:1(0) ack 1"
end)

tap.test("the next incarnation of a connection has its numbers beyond those of the last", function(t)
  local _, peer, conn, server = tcp.passive()
  conn:send(net.pattern(1, 30000))
  local last = 1
  for _ = 1, 6 do
    for _, frame in ipairs(peer:collect { during = "1ms" }) do
      last = math.max(last, (frame.tcp.seq - peer.tcp.host_isn & 0xffffffff) + #(frame.payload or ""))
    end
    peer:send((". 1:1(0) ack %d"):format(last))
  end
  t:is(last, 30001)
  net.sleep "1ms"
  conn:close()
  peer:expect "F. 30001:30001(0) ack 1"
  peer:send "F. 1:1(0) ack 30002"
  peer:expect ". 30002:30002(0) ack 2"
  local end_of_old = peer.tcp.host_isn + 30002
  peer:fresh { port = 4000, to = 80, isn = 3000000 }
  peer:send "S 0:0(0) win 65535 <mss 1460>"
  local isn = peer:expect("S. 0:0(0) ack 1").tcp.seq
  local gap = (isn - end_of_old) & 0xffffffff
  t:shows("RFC9293-3.4.1-1", t:ok(gap > 0 and gap < 1 << 31))
  peer:send ". 1:1(0) ack 1"
  t:is(server:accept():info().state, "ESTABLISHED")
end)

-- Calls -------------------------------------------------------------------------------------------

tap.test("RECEIVE in CLOSING, LAST-ACK, TIME-WAIT: there is nothing more to come", function(t)
  for _, state in ipairs { "CLOSING", "LAST_ACK", "TIME_WAIT" } do
    local _, _, conn = tcp.state(state)
    t:shows("RFC9293-3.10.3-2", t:is(conn:recv(), ""))
  end
end)

tap.test("CLOSE in SYN-RECEIVED with nothing queued: FIN, and FIN-WAIT-1", function(t)
  local host, peer, client = tcp.connecting()
  peer:send "S 0:0(0) win 65535 <mss 1460>"
  peer:expect "S. 0:0(0) ack 1"
  client:close()
  t:shows("RFC9293-3.10.4-2", peer:expect "F. 1:1(0) ack 1")
  t:is(host:sockets()[1].state, "FIN-WAIT-1")
  peer:send "R. 1:1(0) ack 1"
end)

tap.test("a passive OPEN is in LISTEN; accept waits", function(t)
  local host = net.host { addr = "192.0.2.1/24" }
  local server = host:socket "tcp"
  t:is(server:info().state, "CLOSE")
  server:listen(80)
  t:ok(t:is(server:info().state, "LISTEN"))
  server:nonblock(true)
  t:is(select(2, server:try "accept"), "EAGAIN")
end)

tap.test("user time-out: the queues are emptied, the calls told, the state is CLOSED", function(t)
  local _, peer, conn = tcp.passive { rtt = 10 }
  conn:option("TCP_USER_TIMEOUT", 3000)
  conn:send "x"
  local waiting = net.spawn(function() return select(2, conn:try "recv") end)
  peer:collect { during = "10s" }
  t:is(waiting:join(), "ETIMEDOUT")
  t:shows("RFC9293-3.10.8-1", t:is({ conn:info().state, conn:info().unacked }, { "CLOSE", 0 }))
  peer:expect_nothing { during = "1min" }
end)

tap.test("after a time-out the head of the queue goes again, and the timer runs again", function(t)
  local _, peer, conn = tcp.passive { rtt = 400, syn = "mss 1000" }
  conn:send(("x"):rep(3000))
  t:is(tcp.sent(peer), tcp.segments(0, 3))
  local again = tcp.sent(peer, "1300ms")
  t:shows("RFC9293-3.8.1-2", t:is(again, tcp.segments(0, 1)))
  t:shows("RFC9293-3.10.8-2", t:is(tcp.sent(peer, "2500ms"), tcp.segments(0, 1)))
  t:is(conn:info().backoff, 2)
end)

tap.test("urgent: a later pointer moves it on, an earlier one does not move it back", function(t)
  local _, peer, conn = tcp.passive()
  peer:send "PU. 1:11(10) ack 1 urg 20"
  peer:expect ". 1:1(0) ack 11"
  t:is(conn:poll("pri", 0), {})
  peer:send "PU. 11:16(5) ack 1 urg 2" -- 13, below 21
  peer:expect(". 1:1(0) ack 16", { within = "50ms" })
  t:is(conn:poll("pri", 0), {})
  peer:send "P. 16:26(10) ack 1"
  peer:expect(". 1:1(0) ack 26", { within = "50ms" })
  t:is(conn:poll("pri", 0), { pri = true })
  t:shows("RFC6093-5-1", t:shows("RFC9293-3.10.7.4-22", t:is((conn:recv { flags = "oob", size = 1 }), net.pattern(20, 1))))
  t:is(conn:poll("pri", 0), {}) -- once
end)

tap.test("the right edge stays where it was offered while nobody reads", function(t)
  local _, peer = tcp.passive()
  local first
  for i = 0, 39 do
    peer:send((". %d:%d(1000) ack 1"):format(1 + i * 1000, 1001 + i * 1000))
    for _, ack in ipairs(peer:collect { during = "50ms" }) do
      local edge = ack.tcp.ack - 1000000 + ack.tcp.window
      first = first or edge
      t:shows("RFC9293-3.10.7.4-24", t:ok(edge >= first, "the right edge was " .. first .. ", is " .. edge))
      first = edge
    end
  end
end)

tap.test("profile rfc: what goes beyond the window is cut off, data and then the FIN", { profile = "rfc" },
  function(t)
    local _, peer, conn = tcp.passive()
    peer:send ". 1:2(1) ack 1"
    local edge = 1
    for _, ack in ipairs(peer:collect { during = "50ms" }) do
      edge = ack.tcp.ack - 1000000 + ack.tcp.window
    end
    local next, window = 2, edge - 2
    repeat -- what waits is copied together when the buffer is full: it takes more than once
      for first = next, edge - 101, 1000 do
        local stop = math.min(first + 1000, edge - 100)
        peer:send((". %d:%d(%d) ack 1"):format(first, stop, stop - first))
      end
      for _, ack in ipairs(peer:collect { during = "50ms" }) do
        next, window = ack.tcp.ack - 1000000, ack.tcp.window
      end
      edge = next + window
    until window < 1000
    peer:send(("FP. %d:%d(1000) ack 1"):format(next, next + 1000))
    local frames = peer:collect { during = "50ms" }
    t:shows("RFC9293-3.10.7.4-4", t:is(frames[#frames].tcp.ack - 1000000, next + window))
    t:is(conn:info().state, "ESTABLISHED")
  end)

-- SPDX-License-Identifier: MIT
-- Congestion control without SACK: slow start, congestion avoidance, fast retransmit and recovery
-- (RFC 5681), limited transmit (RFC 3042), NewReno (RFC 6582). Segments carry 1000 octets; n octets
-- are written as segments 0, 1, 2, ...
local tap = require "tap"
local net = require "net"
local tcp = require "suite.tcp"

local segments, sent = tcp.segments, tcp.sent

-- A connection with `reno`, a round trip of 100 ms, and so much data written; the first flight of 10
-- segments is on the wire and was looked at.
local function flying(t, count, o)
  o = o or {}
  o.syn, o.rtt = o.syn or "mss 1000", o.rtt or 100
  -- F-RTO (RFC 5682) has a suite of its own.
  o.sysctl = { ["net.ipv4.tcp_congestion_control"] = "reno", ["net.ipv4.tcp_frto"] = 0 }
  local host, peer, conn = tcp.passive(o)
  conn:option("TCP_NODELAY", 1)
  conn:option("SO_SNDBUF", 500000)
  conn:send(net.pattern(1, count * 1000))
  t:is(sent(peer), segments(0, math.min(count, 10)))
  return host, peer, conn
end

-- The peer has got all below segment n, after 98 ms more of the way.
local function ack(peer, n, win)
  peer:send((". 1:1(0) ack %d win %d"):format(n * 1000 + 1, win or 65535))
end

tap.test("slow start: an ACK of one segment makes room for two", function(t)
  local _, peer, conn = flying(t, 40)
  t:is(conn:info().snd_cwnd, 10)
  net.sleep "98ms"
  local next = 10
  for n = 1, 5 do
    ack(peer, n)
    t:shows("RFC5681-3.1-9", t:is(sent(peer), segments(next, 2)))
    t:shows("RFC2525-2.1-1", t:is(conn:info().snd_cwnd, 10 + n))
    next = next + 2
  end
end)

tap.test("the handshake does not count: ten segments, however long it took", function(t)
  local _, _, conn = flying(t, 20)
  t:shows("RFC5681-3.1-3", t:is(conn:info().snd_cwnd, 10))
  t:shows("RFC5681-3.1-6", t:ok(conn:info().snd_ssthresh > 1000000))
end)

tap.test("SYN,ACK was sent again, and again: the first window is one segment", function(t)
  local _, peer, server = tcp.listen()
  peer:send "S 0:0(0) win 65535 <mss 1000>"
  peer:expect "S. 0:0(0) ack 1"
  peer:expect("S. 0:0(0) ack 1", { at = "+1s" })
  peer:expect("S. 0:0(0) ack 1", { at = "+2s" })
  peer:send ". 1:1(0) ack 1 win 65535"
  local conn = server:accept()
  conn:option("TCP_NODELAY", 1)
  conn:send(net.pattern(1, 5000))
  t:shows("RFC5681-3.1-4", t:is(sent(peer), segments(0, 1)))
end)

tap.test("never more than the smaller of the windows", function(t)
  local _, peer, conn = tcp.passive { syn = "mss 1000", rtt = 100, win = 3000 }
  conn:option("TCP_NODELAY", 1)
  conn:send(net.pattern(1, 20000))
  t:is(sent(peer), segments(0, 3))
  ack(peer, 1, 3000)
  t:shows("RFC5681-2-1", t:is(sent(peer), segments(3, 1)))
end)

tap.test("time-out: one segment, half the flight as ssthresh, then slow start up to it", function(t)
  local _, peer, conn = flying(t, 40)
  t:is(sent(peer, "400ms"), segments(0, 1))
  local info = conn:info()
  t:shows("RFC5681-3.1-17", t:is(info.snd_cwnd, 1))
  t:shows("RFC5681-3.1-15", t:is(info.snd_ssthresh, 5))
  ack(peer, 1)
  t:shows("RFC5681-3.1-18", t:is(sent(peer), segments(1, 2)))
  ack(peer, 3)
  t:is(sent(peer), segments(3, 4))
end)

tap.test("time-out again: ssthresh stays", function(t)
  local _, peer, conn = flying(t, 40)
  t:is(sent(peer, "400ms"), segments(0, 1))
  t:is(sent(peer, "700ms"), segments(0, 1))
  t:shows("RFC5681-3.1-16", t:is(conn:info().snd_ssthresh, 5))
end)

tap.test("above ssthresh one segment more for a window of ACKs", function(t)
  local _, peer, conn = flying(t, 80)
  t:is(sent(peer, "400ms"), segments(0, 1))
  ack(peer, 10)
  net.sleep "1ms"
  peer:collect { during = "100ms" }
  local acked = 10
  while conn:info().snd_cwnd < 7 do
    acked = acked + 1
    ack(peer, acked)
    peer:collect { during = "1ms" }
  end
  local before, count = conn:info().snd_cwnd, 0
  while conn:info().snd_cwnd == before do
    acked, count = acked + 1, count + 1
    ack(peer, acked)
    peer:collect { during = "1ms" }
  end
  t:shows("RFC5681-3.1-12", t:is(count, before))
  t:shows("RFC5681-3.1-8", t:shows("RFC2525-2.6-1", t:is(conn:info().snd_cwnd, before + 1)))
end)

tap.test("limited transmit: a new segment for each of the first two duplicate ACKs", function(t)
  local _, peer, conn = flying(t, 40)
  net.sleep "98ms"
  ack(peer, 0)
  t:shows("RFC3042-2-1", t:is(sent(peer, "2ms"), segments(10, 1)))
  ack(peer, 0)
  t:is(sent(peer), segments(11, 1))
  t:shows("RFC3042-2-2", t:shows("RFC5681-3.2-5", t:is(conn:info().snd_cwnd, 10)))
end)

tap.test("the third duplicate ACK: the first segment again, half the flight as ssthresh", function(t)
  local _, peer, conn = flying(t, 10)
  net.sleep "98ms"
  for _ = 1, 2 do
    ack(peer, 0)
    t:is(sent(peer), "")
  end
  ack(peer, 0)
  t:is(sent(peer), segments(0, 1))
  t:shows("RFC5681-3.1-7", t:shows("RFC5681-3.2-7", t:shows("RFC6582-3.2-2",
    t:is(conn:info().snd_ssthresh, 5))))
  t:is(conn:info().ca_state, "Recovery")
end)

tap.test("segments of limited transmit do not count in ssthresh", function(t)
  local _, peer, conn = flying(t, 40)
  net.sleep "98ms"
  for n = 10, 11 do
    ack(peer, 0)
    t:shows("RFC5681-3.2-4", t:is(sent(peer, "2ms"), segments(n, 1))) -- no TSO deferral
  end
  ack(peer, 0)
  sent(peer)
  t:shows("RFC5681-3.2-8", t:is(conn:info().snd_ssthresh, 5))
end)

tap.test("the ACK of all ends the recovery, with ssthresh as window", function(t)
  local _, peer, conn = flying(t, 10)
  net.sleep "98ms"
  for _ = 1, 3 do ack(peer, 0) end
  t:is(sent(peer), segments(0, 1))
  net.sleep "97ms"
  ack(peer, 10)
  net.sleep "1ms"
  t:ok(conn:info().snd_cwnd <= 5)
  -- Without SACK the state is held until something newer is acknowledged: no false retransmits.
  conn:send(net.pattern(10001, 1000))
  t:is(sent(peer), segments(10, 1))
  ack(peer, 11)
  net.sleep "1ms"
  t:shows("RFC6582-3.2-3", t:is(conn:info().ca_state, "Open"))
  t:shows("RFC5681-3.2-13", t:shows("RFC2525-2.8-1", t:ok(conn:info().snd_cwnd <= 6)))
end)

tap.test("a partial ACK: the next missing segment at once, and the recovery goes on", function(t)
  local _, peer, conn = flying(t, 10)
  net.sleep "98ms"
  for _ = 1, 8 do ack(peer, 0) end -- all but 0 and 3
  t:is(sent(peer), segments(0, 1))
  net.sleep "97ms"
  ack(peer, 3)
  t:shows("RFC6582-3.2-4", t:is(sent(peer), segments(3, 1)))
  t:shows("RFC6582-3.2-6", t:is(conn:info().ca_state, "Recovery"))
end)

tap.test("the first partial ACK sets the retransmission timer anew", function(t)
  local _, peer = flying(t, 10)
  net.sleep "98ms"
  for _ = 1, 8 do ack(peer, 0) end -- all but 0 and 3
  t:is(sent(peer), segments(0, 1))
  net.sleep "197ms"
  ack(peer, 3) -- RTO is 300 ms: the timer of the retransmission had 100 ms to go
  t:is(sent(peer), segments(3, 1))
  t:is(sent(peer, "290ms"), "")
  t:shows("RFC6582-3.2-5", t:ok(sent(peer, "200ms") ~= "", "the time-out, from the partial ACK on"))
end)

tap.test("duplicates of what was sent before a time-out are no fast retransmit", function(t)
  local _, peer, conn = flying(t, 10)
  t:is(sent(peer, "400ms"), segments(0, 1))
  for _ = 1, 3 do ack(peer, 0) end
  t:shows("RFC6582-3.2-1", t:shows("RFC6582-4-1", t:is(sent(peer), "")))
  t:is(conn:info().ca_state, "Loss")
end)

tap.test("an ACK with data, or another window, is no duplicate", function(t)
  local _, peer = flying(t, 10)
  net.sleep "98ms"
  for i = 0, 2 do
    peer:send(("P. %d:%d(10) ack 1 win 65535"):format(1 + i * 10, 11 + i * 10))
  end
  for i = 1, 3 do ack(peer, 0, 65535 - i) end
  t:shows("RFC5681-2-2", t:is(sent(peer), ""))
end)

tap.test("idle for longer than RTO: the window is that of the beginning again", function(t)
  local _, peer, conn = flying(t, 20)
  net.sleep "98ms"
  for n = 1, 20 do ack(peer, n) end
  peer:collect { during = "10ms" }
  t:ok(conn:info().snd_cwnd >= 20)
  net.sleep "20s"
  conn:send(net.pattern(1, 40000))
  t:shows("RFC5681-4.1-1", t:is(sent(peer), segments(20, 10)))
end)

tap.test("what is sent again is what was sent", function(t)
  local _, peer = flying(t, 10)
  net.sleep "98ms"
  for _ = 1, 3 do ack(peer, 0) end
  t:shows("RFC2525-2.4-1", peer:expect(". 1:1001(1000) ack 1", { data = true, within = "1ms" }))
end)

-- SPDX-License-Identifier: MIT
-- Loss recovery with selective acknowledgements (RFC 2018 sender, RFC 6675, RFC 6937) and with time:
-- RACK and tail loss probes (RFC 8985). Segments carry 1000 octets and are counted from 0.
local tap = require "tap"
local net = require "net"
local tcp = require "suite.tcp"

local segments, sent, ack = tcp.segments, tcp.sent, tcp.ack

-- A connection with SACK and a round trip of 400 ms, so much data written, the first flight gone.
local function flying(t, count, o)
  o = o or {}
  o.syn, o.rtt = "mss 1000,nop,nop,sackOK", 400
  local host, peer, conn = tcp.passive(o)
  conn:option("TCP_NODELAY", 1)
  conn:option("SO_SNDBUF", 500000)
  conn:send(net.pattern(1, count * 1000))
  t:is(sent(peer), segments(0, math.min(count, 10)))
  return host, peer, conn
end

local function back(ms) net.sleep((ms or 398) * 1000000) end

tap.test("only what is missing is sent again", function(t)
  local _, peer, conn = flying(t, 10)
  back()
  ack(peer, 0, { 1, 3 })
  ack(peer, 0, { 4, 6 }, { 1, 3 })
  t:shows("RFC6675-4-5", t:is(sent(peer), "1:1001 3001:4001"))
  t:is(conn:info().ca_state, "Recovery")
  t:shows("RFC6675-4-4", t:is({ conn:info().sacked, conn:info().retrans }, { 4, 2 }))
end)

tap.test("what was selectively acknowledged is kept until it is acknowledged", function(t)
  local _, peer = flying(t, 5)
  back()
  ack(peer, 0, { 1, 5 })
  t:is(sent(peer), segments(0, 1))
  -- The peer has thrown it all away: after the time-out everything comes again.
  t:is(sent(peer, "1300ms"), segments(0, 1))
  ack(peer, 1)
  local again = sent(peer, "10s")
  t:shows("RFC6675-4-2", t:shows("RFC2018-5-3", t:like(again, "^1001:2001")))
end)

tap.test("the window of recovery: half the flight, new data as room is", function(t)
  local _, peer, conn = flying(t, 40, { sysctl = { ["net.ipv4.tcp_congestion_control"] = "reno" } })
  back()
  ack(peer, 0, { 1, 4 })
  t:is(sent(peer):match("^1:1001") ~= nil, true)
  t:shows("RFC6675-5-5", t:is(conn:info().snd_ssthresh, 5))
  ack(peer, 0, { 1, 5 })
  ack(peer, 0, { 1, 6 })
  ack(peer, 0, { 1, 7 })
  sent(peer)
  local flight = conn:info()
  t:shows("RFC6675-5-9", t:ok(flight.unacked - flight.sacked - flight.lost + flight.retrans <= 7))
  t:is(flight.ca_state, "Recovery")
end)

tap.test("limited transmit: new data for the first two blocks, no more than the window has room for", function(t)
  local _, peer, conn = flying(t, 40)
  back()
  for n = 1, 2 do
    ack(peer, 0, { 8, 8 + n })
    t:shows("RFC6675-5-4", t:is(sent(peer, "2ms"), segments(9 + n, 1)))
    t:is(conn:info().ca_state, "Disorder")
    t:ok(conn:info().unacked - conn:info().sacked <= conn:info().snd_cwnd)
  end
end)

tap.test("new data goes out when nothing is left to be sent again", function(t)
  local _, peer = flying(t, 40)
  back()
  for n = 4, 10 do ack(peer, 0, { 1, n }) end
  local all = sent(peer)
  t:shows("RFC6675-4-6", t:like(all, "^1:1001 10001:11001"))
end)

tap.test("recovery ends when all that was out at its beginning is acknowledged", function(t)
  local _, peer, conn = flying(t, 10)
  back()
  ack(peer, 0, { 1, 4 })
  t:is(sent(peer), segments(0, 1))
  back(300)
  ack(peer, 5)
  net.sleep "1ms"
  t:shows("RFC6675-5-8", t:is(conn:info().ca_state, "Recovery"))
  ack(peer, 10)
  net.sleep "1ms"
  t:shows("RFC6675-5-6", t:is(conn:info().ca_state, "Open"))
end)

tap.test("a duplicate ACK that tells nothing new brings no new data", function(t)
  local _, peer, conn = flying(t, 40)
  back()
  for _ = 1, 3 do ack(peer, 0) end
  t:shows("RFC3042-2-3", t:shows("RFC5681-3.2-6", t:is(sent(peer), "")))
  t:is(conn:info().ca_state, "Open")
end)

tap.test("a block of nothing that was sent is ignored", function(t)
  local host, peer, conn = flying(t, 10)
  back()
  ack(peer, 0, { 20, 25 })
  ack(peer, 0, { 3, 2 })
  t:is(sent(peer), "")
  t:is(conn:info().sacked, 0)
  t:is(host:counter "TcpExtTCPSACKDiscard", 2)
end)

-- RACK --------------------------------------------------------------------------------------------

tap.test("RACK: a later segment came: the earlier one is lost a quarter of a round trip later", function(t)
  local _, peer, conn = flying(t, 2, { sysctl = { ["net.ipv4.tcp_early_retrans"] = 0 } })
  back()
  ack(peer, 0, { 1, 2 })
  t:shows("RFC8985-3.3.2-2", t:is(sent(peer, "99ms"), ""))
  t:shows("RFC8985-6.2-4", t:is(sent(peer, "5ms"), segments(0, 1)))
  t:is(conn:info().ca_state, "Recovery")
end)

tap.test("RACK: the missing one comes in that time: it was reordered, nothing is sent again", function(t)
  local _, peer, conn = flying(t, 2, { sysctl = { ["net.ipv4.tcp_early_retrans"] = 0 } })
  back()
  ack(peer, 0, { 1, 2 })
  t:is(sent(peer, "50ms"), "")
  ack(peer, 2)
  t:shows("RFC8985-6.2-3", t:is(sent(peer, "5s"), ""))
  t:is(conn:info().ca_state, "Open")
end)

tap.test("RACK: three that came later leave no time for reordering", function(t)
  local _, peer = flying(t, 5)
  back()
  ack(peer, 0, { 1, 4 })
  t:shows("RFC8985-3.3.2-1", t:is(sent(peer), segments(0, 1)))
end)

tap.test("RACK: a retransmission is lost too: what was sent after it tells", function(t)
  local _, peer, conn = flying(t, 14)
  back()
  ack(peer, 0, { 1, 5 })
  t:like(sent(peer), "^1:1001")
  ack(peer, 0, { 1, 10 })
  t:is(sent(peer, "2ms"), segments(11, 3)) -- after the retransmission of 0
  back(380)
  ack(peer, 0, { 1, 14 })
  t:shows("RFC8985-6.2-2", t:is(sent(peer, "150ms"), segments(0, 1)))
  t:is(conn:info().ca_state, "Recovery")
end)

-- Tail loss probes --------------------------------------------------------------------------------

tap.test("TLP: the last segment again after two round trips", function(t)
  local _, peer = flying(t, 3)
  -- From the last send: 2 * SRTT, a jiffy of rounding.
  t:shows("RFC8985-7.2-1", t:is(sent(peer, "797ms"), ""))
  t:shows("RFC8985-7.3-4", t:is(sent(peer, "10ms"), segments(2, 1)))
end)

tap.test("TLP: of one segment in flight 200 ms more, for its delayed ACK", function(t)
  local _, peer = flying(t, 1)
  t:shows("RFC8985-7.2-3", t:is(sent(peer, "997ms"), ""))
  t:is(sent(peer, "10ms"), segments(0, 1))
end)

tap.test("TLP: new data, where there is some and the window has room", function(t)
  local _, peer = flying(t, 12) -- ten of them fill the congestion window
  t:is(sent(peer, "790ms"), "")
  t:shows("RFC8985-7.3-3", t:is(sent(peer, "20ms"), segments(10, 1)))
end)

tap.test("TLP: one probe; then the time-out", function(t)
  local _, peer, conn = flying(t, 3)
  t:is(sent(peer, "810ms"), segments(2, 1))
  -- RTO, from the probe on
  t:shows("RFC8985-7.3-1", t:is(sent(peer, "1180ms"), ""))
  t:shows("RFC8985-7.3-5", t:is(sent(peer, "40ms"), segments(0, 1)))
  t:is(conn:info().ca_state, "Loss")
end)

tap.test("TLP: the peer had the segment already (D-SACK): no loss, the window stays", function(t)
  local _, peer, conn = flying(t, 3)
  t:is(sent(peer, "810ms"), segments(2, 1))
  back(100)
  ack(peer, 3)
  ack(peer, 3, { 2, 3 })
  net.sleep "1ms"
  t:shows("RFC8985-7.4.2-1", t:is({ conn:info().ca_state, conn:info().snd_cwnd >= 10 }, { "Open", true }))
end)

tap.test("TLP: the probe repaired a loss: the window is cut", function(t)
  local host, peer, conn = flying(t, 3)
  t:is(sent(peer, "810ms"), segments(2, 1))
  ack(peer, 2)
  back(398)
  ack(peer, 3)
  net.sleep "1ms"
  conn:send(net.pattern(3001, 1000)) -- an ACK of what came after the probe decides
  t:is(sent(peer), segments(3, 1))
  ack(peer, 4)
  net.sleep "1ms"
  t:shows("RFC8985-7.4.2-2", t:is(host:counter "TcpExtTCPLossProbeRecovery", 1))
  t:shows("RFC8985-7.4.2-3", t:ok(conn:info().snd_ssthresh < 10))
end)

tap.test("the probe is never later than the time-out", function(t)
  local _, peer, conn = tcp.passive { syn = "mss 1000,nop,nop,sackOK", rtt = 10 }
  conn:send(net.pattern(1, 1000))
  t:is(sent(peer), segments(0, 1)) -- 2 * 10 ms + 200 ms is 220 ms, RTO is 210 ms
  t:shows("RFC8985-7.2-4", t:is(sent(peer, "211ms"), segments(0, 1)))
end)

-- SPDX-License-Identifier: MIT
-- SRTT, RTTVAR and RTO (RFC 6298 2) over sequences of round trips, against the RFC's formulas computed
-- here. The lower bound of RTTVAR that Linux has (tcp_rto_min_us) is set to 1 ms so as not to show;
-- sequences are such that Linux's two refinements (RTTVAR falls once a round trip, a round trip that
-- falls steeply counts less) do not act either, except in the cases that are about them.
local tap = require "tap"
local net = require "net"
local tcp = require "suite.tcp"

local function start(first)
  local host, peer, conn = tcp.passive { rtt = first, sysctl = { ["net.ipv4.tcp_rto_min_us"] = 1000 } }
  conn:option("TCP_NODELAY", 1)
  return host, peer, conn
end

-- One octet, acknowledged after so many ms.
local function sample(peer, conn, n, ms)
  conn:send "x"
  peer:expect(("P. %d:%d(1) ack 1"):format(n, n + 1))
  tcp.rest(ms)
  peer:send((". 1:1(0) ack %d win 65535"):format(n + 1))
  net.sleep "1ms"
end

local SEQUENCES = { { 100, 100 }, { 100, 150 }, { 100, 200, 300 }, { 50, 60, 80, 110 }, { 20, 30, 50 },
  { 400, 500, 700 }, { 10, 25 }, { 5, 10 }, { 1000, 1500 }, { 200, 300, 400, 500 } }

for _, sequence in ipairs(SEQUENCES) do
  tap.test("round trips of " .. table.concat(sequence, ", ") .. " ms", function(t)
    local _, peer, conn = start(sequence[1])
    local srtt, rttvar = sequence[1] * 1000, sequence[1] * 500
    t:ok(math.abs(conn:info().rtt - srtt) <= 10)
    for i = 2, #sequence do
      local r = sequence[i] * 1000
      sample(peer, conn, i - 1, sequence[i])
      rttvar = rttvar * 3 // 4 + math.abs(srtt - r) // 4
      srtt = srtt * 7 // 8 + r // 8
      t:shows("RFC6298-2-3", t:ok(math.abs(conn:info().rtt - srtt) <= srtt // 100 + 100,
        ("SRTT is %d, the formula gives %d"):format(conn:info().rtt, srtt)))
    end
    -- RTTVAR as the RTO shows it: SRTT + 4 * RTTVAR, on the clock of 1 ms
    local rto = srtt + 4 * rttvar
    t:shows("RFC1122-4.2.3.1-2", t:ok(math.abs(conn:info().rto - rto) <= rto // 4 + 1000,
      ("RTO is %d, the formula gives %d"):format(conn:info().rto, rto)))
    t:ok(conn:info().rto >= rto - rto // 50 - 1000, "never less than the formula's")
  end)
end

tap.test("the same round trip for long: the RTO comes down to it, and stays above", function(t)
  local _, peer, conn = start(100)
  for i = 1, 40 do sample(peer, conn, i, 100) end
  t:shows("RFC6298-4-1", t:ok(conn:info().rto > 100000, "RTO " .. conn:info().rto))
  t:ok(conn:info().rto < 130000, "RTO " .. conn:info().rto)
end)

tap.test("RTTVAR of nothing: the RTO is a tick of the clock above SRTT at least", function(t)
  local _, peer, conn = start(20)
  for i = 1, 60 do sample(peer, conn, i, 20) end
  conn:send "y"
  peer:expect "P. 61:62(1) ack 1"
  local again = peer:expect("P. 61:62(1) ack 1", { within = "60ms" })
  t:shows("RFC6298-4-1", t:ok(conn:info().rto - conn:info().rtt >= 1000))
  t:shows("RFC6298-4-2", t:ok(again.sent % 1000000 < 1000000))
end)

tap.test("a round trip falls steeply: SRTT follows, the RTO does not jump up", function(t)
  local _, peer, conn = start(400)
  sample(peer, conn, 1, 400)
  local before = conn:info().rto
  for i = 2, 10 do
    sample(peer, conn, i, 10)
    t:ok(conn:info().rto <= before, ("%d after %d"):format(conn:info().rto, before))
    before = conn:info().rto
  end
  t:ok(conn:info().rtt < 150000)
end)

tap.test("several samples in one round trip: RTTVAR does not shrink with each of them", function(t)
  local _, peer, conn = start(200)
  conn:send "x"
  peer:expect "P. 1:2(1) ack 1"
  tcp.rest(200)
  peer:send ". 1:1(0) ack 2 win 65535"
  net.sleep "1ms"
  local before = conn:info().rto
  for i = 2, 9 do
    conn:send "x"
    peer:expect(("P. %d:%d(1) ack 1"):format(i, i + 1))
    net.sleep "1ms"
  end
  net.sleep "190ms"
  for i = 2, 9 do
    peer:send((". 1:1(0) ack %d win 65535"):format(i + 1))
    net.sleep "1ms"
  end
  t:shows("RFC7323-4.2-1", t:ok(conn:info().rto > before * 2 // 3, ("%d, was %d"):format(conn:info().rto, before)))
end)

tap.test("what was sent twice gives no sample, whichever of the two is acknowledged (Karn)", function(t)
  local _, peer, conn = start(100)
  local rtt = conn:info().rtt
  conn:send "x"
  peer:expect "P. 1:2(1) ack 1"
  peer:expect("P. 1:2(1) ack 1", { within = "400ms" })
  tcp.rest(3)
  peer:send ". 1:1(0) ack 2 win 65535"
  net.sleep "1ms"
  t:shows("RFC8961-4-3", t:shows("RFC9293-MUST-18", t:is(conn:info().rtt, rtt)))
  sample(peer, conn, 2, 108)
  t:is(conn:info().rtt, rtt * 7 // 8 + 108000 // 8)
end)

tap.test("the RTO before any measurement is 1 s: SYN, and SYN,ACK", function(t)
  local _, peer = tcp.connecting()
  t:shows("RFC8961-4-1", peer:expect("S 0:0(0)", { at = "+1s" }))
  local _, other = tcp.listen()
  other:send "S 0:0(0) win 65535 <mss 1460>"
  other:expect "S. 0:0(0) ack 1"
  t:shows("RFC6298-2-1", t:shows("RFC2525-2.7-1", other:expect("S. 0:0(0) ack 1", { at = "+1s" })))
  peer:collect { during = "1ms" }
end)

tap.test("the least round trip is remembered, for tcp_min_rtt_wlen seconds", function(t)
  local _, peer, conn = tcp.passive { rtt = 100, sysctl = { ["net.ipv4.tcp_min_rtt_wlen"] = 5 } }
  conn:option("TCP_NODELAY", 1)
  t:is(conn:info().min_rtt, 100000)
  sample(peer, conn, 1, 40)
  t:is(conn:info().min_rtt, 40000)
  sample(peer, conn, 2, 90)
  t:is(conn:info().min_rtt, 40000)
  net.sleep "6s"
  sample(peer, conn, 3, 80)
  t:shows("RFC8985-6.2-1", t:is(conn:info().min_rtt, 80000))
end)

tap.test("each time-out is a sign of congestion, and doubles the RTO", function(t)
  local _, peer, conn = tcp.passive { rtt = 400, syn = "mss 1000",
    sysctl = { ["net.ipv4.tcp_congestion_control"] = "reno" } }
  conn:option("TCP_NODELAY", 1)
  conn:send(("x"):rep(10000))
  t:is(tcp.sent(peer), tcp.segments(0, 10))
  t:is(tcp.sent(peer, "1205ms"), tcp.segments(0, 1))
  t:shows("RFC8961-4-4", t:is({ conn:info().snd_cwnd, conn:info().snd_ssthresh }, { 1, 5 }))
  t:is(tcp.sent(peer, "2390ms"), "")
  t:shows("RFC8961-4-5", t:is(tcp.sent(peer, "20ms"), tcp.segments(0, 1)))
end)

tap.test("RTO, slow start, congestion avoidance, back-off, in one conversation", function(t)
  local _, peer, conn = tcp.passive { rtt = 400, syn = "mss 1000",
    sysctl = { ["net.ipv4.tcp_congestion_control"] = "reno", ["net.ipv4.tcp_frto"] = 0 } }
  conn:option("TCP_NODELAY", 1)
  conn:option("SO_SNDBUF", 300000)
  conn:send(net.pattern(1, 60000))
  t:is(tcp.sent(peer), tcp.segments(0, 10))
  t:is(tcp.sent(peer, "1205ms"), tcp.segments(0, 1))
  t:is(tcp.sent(peer, "2405ms"), tcp.segments(0, 1)) -- back-off
  local acked, cwnd = 0, {}
  for round = 1, 6 do
    local upto = acked
    if round == 1 then upto = 10 end
    peer:send((". 1:1(0) ack %d win 65535"):format(upto * 1000 + 1))
    acked = upto
    net.sleep "1ms"
    cwnd[round] = conn:info().snd_cwnd
    for stop in tcp.sent(peer):gmatch ":(%d+)" do acked = math.max(acked, (tonumber(stop) - 1) // 1000) end
    net.sleep "300ms"
  end
  -- up to ssthresh (5) at once by the ACK of ten, then one a round trip
  t:shows("RFC9293-MUST-19", t:ok(cwnd[1] >= 5 and cwnd[6] > cwnd[1] and cwnd[6] <= cwnd[1] + 6, tap.repr(cwnd)))
  peer:collect { during = "1ms" }
end)

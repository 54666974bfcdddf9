-- SPDX-License-Identifier: MIT
-- The retransmission timer (RFC 6298). Round trips are so long that the kernel's lower bound of 200 ms
-- for 4 * RTTVAR does not show, and exact: the SYN,ACK takes 400 ms, so that SRTT = 400 ms,
-- RTTVAR = 200 ms, RTO = 1200 ms.
local tap = require "tap"
local net = require "net"
local tcp = require "suite.tcp"

local RTT = 400

local function slow(o)
  o = o or {}
  o.rtt = o.rtt or RTT
  local host, peer, conn = tcp.passive(o)
  conn:option("TCP_NODELAY", 1)
  return host, peer, conn
end

tap.test("the first measurement R: SRTT = R, RTTVAR = R / 2, RTO = SRTT + 4 * RTTVAR", function(t)
  local _, peer, conn = slow()
  t:is({ conn:info().rtt, conn:info().rttvar, conn:info().rto }, { 400000, 200000, 1200000 })
  conn:send "x"
  peer:expect "P. 1:2(1) ack 1"
  t:shows("RFC6298-2-2", peer:expect("P. 1:2(1) ack 1", { at = "+1200ms" }))
end)

tap.test("another measurement: RTTVAR first, of 1/4, then SRTT, of 1/8", function(t)
  local _, peer, conn = slow()
  conn:send "x"
  peer:expect "P. 1:2(1) ack 1"
  tcp.rest(800)
  peer:send ". 1:1(0) ack 2 win 65535"
  net.sleep "1ms"
  -- 3/4 * 200 + 1/4 * |400 - 800| = 250; 7/8 * 400 + 1/8 * 800 = 450
  t:shows("RFC6298-2-3", t:shows("RFC6298-2-4",
    t:is({ conn:info().rttvar, conn:info().rtt }, { 250000, 450000 })))
  conn:send "y"
  peer:expect "P. 2:3(1) ack 1"
  t:shows("RFC6298-2-5", tcp.expect_after(t, peer, "P. 2:3(1) ack 1", 1450))
end)

tap.test("Karn: a segment that was sent again gives no measurement, and the back-off stays", function(t)
  local _, peer, conn = slow()
  conn:send "x"
  peer:expect "P. 1:2(1) ack 1"
  peer:expect("P. 1:2(1) ack 1", { at = "+1200ms" })
  tcp.rest(10)
  peer:send ". 1:1(0) ack 2 win 65535"
  net.sleep "1ms"
  t:shows("RFC6298-3-1", t:is(conn:info().rtt, 400000))
  conn:send "y"
  peer:expect "P. 2:3(1) ack 1"
  tcp.expect_after(t, peer, "P. 2:3(1) ack 1", 2400)
end)

tap.test("a measurement ends the back-off", function(t)
  local _, peer, conn = slow()
  conn:send "x"
  peer:expect "P. 1:2(1) ack 1"
  peer:expect("P. 1:2(1) ack 1", { at = "+1200ms" })
  tcp.rest(10)
  peer:send ". 1:1(0) ack 2 win 65535"
  net.sleep "1ms"
  conn:send "y"
  peer:expect "P. 2:3(1) ack 1"
  tcp.rest(400)
  peer:send ". 1:1(0) ack 3 win 65535"
  net.sleep "1ms"
  t:shows("RFC6298-3-2", t:ok(conn:info().rto < 1250000, "computed anew"))
end)

tap.test("time stamps tell which one was acknowledged: a measurement all the same", function(t)
  local _, peer, conn = slow { syn = "mss 1460,sackOK,TS val 100 ecr 0",
    third = "nop,nop,TS val 500 ecr 0", sysctl = { ["net.ipv4.tcp_early_retrans"] = 0 } }
  conn:send "x"
  peer:expect "P. 1:2(1) ack 1 <nop,nop,TS val * ecr *>"
  local again = peer:expect("P. 1:2(1) ack 1 <nop,nop,TS val * ecr *>", { at = "+1200ms" })
  local val = again.tcp.options[3][2] - peer.tcp.host_ts
  tcp.rest(800)
  peer:send((". 1:1(0) ack 2 win 65535 <nop,nop,TS val 2500 ecr %d>"):format(val))
  net.sleep "1ms"
  t:shows("RFC7323-4.1-2", t:is(conn:info().rtt, 450000))
end)

tap.test("the timer runs from the first segment, and another one does not start it again", function(t)
  local _, peer, conn = slow()
  conn:send "a"
  peer:expect "P. 1:2(1) ack 1"
  net.sleep "600ms"
  conn:send "b"
  peer:expect "P. 2:3(1) ack 1"
  t:shows("RFC6298-5-2", tcp.expect_after(t, peer, "P. 1:3(2) ack 1", 600)) -- both, as one
end)

tap.test("an ACK of new data starts the timer again, with the RTO of now", function(t)
  local _, peer, conn = slow()
  conn:send "a"
  peer:expect "P. 1:2(1) ack 1"
  net.sleep(600 * 1000000 - 1000)
  conn:send "b"
  peer:expect "P. 2:3(1) ack 1"
  tcp.rest(400)
  peer:send ". 1:1(0) ack 2 win 65535" -- R = 1000: RTTVAR = 300, SRTT = 475
  t:shows("RFC6928-9-1", t:shows("RFC6298-5-4", tcp.expect_after(t, peer, "P. 2:3(1) ack 1", 1675)))
end)

tap.test("when it expires the earliest segment is sent again, and no other", function(t)
  local _, peer, conn = slow { syn = "mss 1000" }
  conn:send(("x"):rep(3000))
  t:is(tcp.sent(peer), tcp.segments(0, 3))
  t:is(tcp.sent(peer, "1198ms"), "")
  t:shows("RFC6298-5-5", t:shows("RFC2525-2.14-1", t:is(tcp.sent(peer, "2ms"), tcp.segments(0, 1))))
  t:shows("RFC6298-5-1", t:is(tcp.sent(peer, "2397ms"), ""))
  t:is(tcp.sent(peer, "10ms"), tcp.segments(0, 1))
end)

tap.test("TCP_INFO: how long recoveries from time-outs took, with the one that goes on", function(t)
  local _, peer, conn = slow { syn = "mss 1000,sackOK", sysctl = { ["net.ipv4.tcp_early_retrans"] = 0 } }
  conn:send "x"
  peer:expect "P. 1:2(1) ack 1"
  peer:expect("P. 1:2(1) ack 1", { at = "+1200ms" })
  t:is(conn:info().total_rto_time, 0)
  net.sleep "100ms"
  t:is(conn:info().total_rto_time, 100)
  peer:send ". 1:1(0) ack 2 win 65535"
  net.sleep "500ms"
  t:is({ conn:info().total_rto_recoveries, conn:info().total_rto_time }, { 1, 100 })
end)

tap.test("the time doubles up to 120 s", function(t)
  local _, peer, conn = slow()
  conn:send "x"
  peer:expect "P. 1:2(1) ack 1"
  local rto = 1200
  for _ = 1, 8 do
    t:shows("RFC6298-5-7", peer:expect("P. 1:2(1) ack 1", { at = "+" .. rto .. "ms" }))
    rto = math.min(rto * 2, 120000)
  end
  t:shows("RFC6298-2-7", t:is(rto, 120000))
  t:shows("RFC2525-2.10-1", peer:expect("P. 1:2(1) ack 1", { at = "+120s" }))
end)

tap.test("the SYN was sent again: the RTO is 3 s when data begins", function(t)
  local _, peer, client = tcp.connecting { sysctl = { ["net.ipv4.tcp_timestamps"] = 0 } }
  peer:expect("S 0:0(0)", { at = "+1s" })
  peer:send "S. 0:0(0) ack 1 win 65535 <mss 1460>"
  peer:expect ". 1:1(0) ack 1"
  client:send "x"
  peer:expect "P. 1:2(1) ack 1"
  t:shows("RFC6298-5-8", tcp.expect_after(t, peer, "P. 1:2(1) ack 1", 3000))
end)

tap.test("profile linux: 4 * RTTVAR is 200 ms at least, and so is the RTO", { profile = "linux" }, function(t)
  local _, peer, conn = slow { rtt = 10 }
  t:is(conn:info().rto, 210000)
  conn:send "x"
  peer:expect "P. 1:2(1) ack 1"
  t:ok(peer:expect("P. 1:2(1) ack 1", { at = "+210ms" }))
end)

tap.test("profile rfc: the RTO is 1 s at least", function(t)
  local _, peer, conn = slow { rtt = 10, sysctl = { ["net.ipv4.tcp_rto_min_us"] = 1000000 } }
  conn:send "x"
  peer:expect "P. 1:2(1) ack 1"
  t:shows("RFC6298-2-6", peer:expect_nothing { during = "1s" })
  t:ok(peer:expect("P. 1:2(1) ack 1", { within = "20ms" }))
end)

tap.test("the longest time between two retransmissions is more than a minute", function(t)
  local _, peer, conn = slow()
  conn:send "x"
  peer:expect "P. 1:2(1) ack 1"
  local last, longest = net.now(), 0
  for _ = 1, 9 do
    local frame = peer:expect("P. 1:2(1) ack 1", { within = "200s" })
    longest, last = math.max(longest, frame.sent - last), frame.sent
  end
  t:shows("RFC8961-4-6", t:ok(longest >= 60000000000, longest .. " ns"))
end)

tap.test("the time-out follows from all that was measured, not from the last alone", function(t)
  local _, peer, conn = slow()
  local srtt, rttvar, n = 400, 200, 1
  for _, rtt in ipairs { 420, 700, 300, 500, 900, 410 } do
    conn:send "x"
    peer:expect(("P. %d:%d(1) ack 1"):format(n, n + 1))
    n = n + 1
    tcp.rest(rtt)
    peer:send((". 1:1(0) ack %d win 65535"):format(n))
    net.sleep "1us"
    rttvar = rttvar * 3 / 4 + math.abs(srtt - rtt) / 4
    srtt = srtt * 7 / 8 + rtt / 8
  end
  local rto = conn:info().rto / 1000
  -- The kernel measures RTTVAR once a round trip and lets it fall more slowly (tcp_rtt_estimator).
  t:ok(math.abs(conn:info().rtt / 1000 - srtt) < 2, ("SRTT is %d, not %d"):format(conn:info().rtt // 1000, srtt // 1))
  t:shows("RFC8961-4-2", t:ok(rto > srtt + rttvar and rto < srtt + 6 * rttvar,
    ("RTO is %d with SRTT %d, RTTVAR %d"):format(rto // 1, srtt // 1, rttvar // 1)))
end)

-- SPDX-License-Identifier: MIT
-- Proportional rate reduction (RFC 6937, RFC 9937 as Linux has it): what goes out during recovery for
-- each segment that is known to have arrived. Segments carry 1000 octets, counted from 0.
local tap = require "tap"
local net = require "net"
local tcp = require "suite.tcp"

local segments, sent, ack = tcp.segments, tcp.sent, tcp.ack

-- Twenty segments in flight with reno: the first ten are acknowledged.
local function flying(t, o)
  o = o or {}
  o.sysctl = { ["net.ipv4.tcp_congestion_control"] = "reno", ["net.ipv4.tcp_early_retrans"] = 0 }
  o.syn, o.rtt = "mss 1000,nop,nop,sackOK", 100
  local host, peer, conn = tcp.passive(o)
  conn:option("TCP_NODELAY", 1)
  conn:option("SO_SNDBUF", 1000000)
  conn:send(net.pattern(1, (o.count or 100) * 1000))
  t:is(sent(peer), segments(0, 10))
  net.sleep "98ms"
  peer:send ". 1:1(0) ack 10001 win 65535"
  t:is(sent(peer), segments(10, 20))
  t:is(conn:info().snd_cwnd, 20)
  net.sleep "98ms"
  return host, peer, conn
end

local function count(text) return select(2, text:gsub("%d+:", "")) end

tap.test("recovery begins with half the flight as ssthresh, one retransmission and what three arrivals let out", function(t)
  local _, peer, conn = flying(t)
  ack(peer, 10, { 11, 14 })
  t:shows("RFC6937-3-1", t:is(sent(peer), segments(10, 1) .. " " .. segments(30, 1)))
  t:shows("RFC5681-4.3-1", t:is({ conn:info().ca_state, conn:info().snd_ssthresh }, { "Recovery", 10 }))
end)

tap.test("above ssthresh one segment goes out for every two that came", function(t)
  local _, peer = flying(t)
  ack(peer, 10, { 11, 14 })
  t:is(sent(peer), segments(10, 1) .. " " .. segments(30, 1))
  local out = 2
  for n = 15, 20 do
    ack(peer, 10, { 11, n })
    out = out + count(sent(peer))
  end
  -- prr_delivered = 9: ceil(9 * 10 / 20) = 5
  t:shows("RFC6937-3-2", t:is(out, 5))
end)

tap.test("an ACK that tells of several at once lets out as much as as many ACKs would", function(t)
  local _, peer = flying(t)
  ack(peer, 10, { 11, 14 })
  t:is(sent(peer), segments(10, 1) .. " " .. segments(30, 1))
  ack(peer, 10, { 11, 20 })
  t:shows("RFC6937-3-4", t:is(count(sent(peer)), 3))
end)

tap.test("cumulative and selective progress count once: what was told by SACK is not counted again", function(t)
  local _, peer, conn = flying(t)
  ack(peer, 10, { 11, 14 })
  t:is(sent(peer), segments(10, 1) .. " " .. segments(30, 1))
  local before = conn:info().delivered
  ack(peer, 14, { 15, 16 }) -- 10 to 13 and 15: of these 10 and 15 are new
  sent(peer)
  t:shows("RFC6937-3-4", t:is(conn:info().delivered - before, 2))
end)

tap.test("below ssthresh, without progress beyond the holes: what is out is not more than what came", function(t)
  local _, peer, conn = flying(t)
  -- Of twenty only the last three came: seventeen are lost, 0 in flight is far below ssthresh.
  ack(peer, 10, { 27, 30 })
  local out = count(sent(peer))
  t:shows("RFC6937-3-3", t:ok(out >= 1 and out <= 4, out .. " segments"))
  t:is(conn:info().ca_state, "Recovery")
  t:is(conn:info().lost, 17)
end)

tap.test("below ssthresh, SND.UNA moves on without new loss: slow start up to ssthresh", function(t)
  local _, peer = flying(t)
  ack(peer, 10, { 27, 30 })
  local out = count(sent(peer))
  net.sleep "97ms"
  ack(peer, 11, { 27, 30 })
  local more = count(sent(peer))
  t:shows("RFC6937-3-3", t:ok(more <= 2, "one came, " .. more .. " go after " .. out))
end)

tap.test("at the end of recovery the window is ssthresh", function(t)
  local _, peer, conn = flying(t)
  ack(peer, 10, { 11, 14 })
  t:is(sent(peer), segments(10, 1) .. " " .. segments(30, 1))
  for n = 15, 30 do ack(peer, 10, { 11, n }) end
  local out = sent(peer)
  net.sleep "97ms"
  local last = 30
  for stop in out:gmatch ":(%d+)" do last = math.max(last, (tonumber(stop) - 1) // 1000) end
  ack(peer, last)
  net.sleep "1ms"
  -- The ACK that ends it counts for congestion avoidance already.
  t:is(conn:info().ca_state, "Open")
  t:shows("RFC5681-4.3-3", t:shows("RFC6937-3-5", t:ok(conn:info().snd_cwnd == 10 or conn:info().snd_cwnd == 11)))
  peer:collect { during = "1ms" }
end)

tap.test("in one round trip of recovery goes half of what was out", function(t)
  local _, peer, conn = flying(t)
  ack(peer, 10, { 11, 14 })
  local out = count(sent(peer))
  for n = 15, 30 do
    ack(peer, 10, { 11, n })
    out = out + count(sent(peer))
  end
  t:shows("RFC5681-4.3-2", t:ok(out <= 10, out .. " segments"))
  t:shows("RFC8985-9.3-2", t:ok(out >= 9, "nor is it idle"))
  t:is(conn:info().ca_state, "Recovery")
end)

tap.test("a lost retransmission lowers the window again", function(t)
  local host, peer, conn = flying(t)
  ack(peer, 10, { 11, 14 })
  t:is(sent(peer), segments(10, 1) .. " " .. segments(30, 1))
  for n = 15, 30 do ack(peer, 10, { 11, n }) end
  local out = sent(peer) -- new data after the retransmission
  t:like(out, "^31001")
  net.sleep "97ms"
  ack(peer, 10, { 11, 36 }) -- the new data came, segment 10 still has not
  local again = sent(peer, "60ms")
  t:shows("RFC5681-4.3-4", t:like(again, "10001:11001"))
  t:is(host:counter "TcpExtTCPLostRetransmit", 1)
  t:is(conn:info().ca_state, "Recovery")
end)

tap.test("loss in the next window too: ssthresh is halved again", function(t)
  local _, peer, conn = flying(t)
  ack(peer, 10, { 11, 14 })
  t:is(sent(peer), segments(10, 1) .. " " .. segments(30, 1))
  for n = 15, 30 do ack(peer, 10, { 11, n }) end
  local last = 30
  for stop in sent(peer):gmatch ":(%d+)" do last = math.max(last, (tonumber(stop) - 1) // 1000) end
  net.sleep "97ms"
  ack(peer, last)
  for stop in sent(peer):gmatch ":(%d+)" do last = math.max(last, (tonumber(stop) - 1) // 1000) end
  t:is({ conn:info().ca_state, conn:info().snd_ssthresh }, { "Open", 10 })
  net.sleep "97ms"
  local una = (conn:info().bytes_acked) // 1000
  ack(peer, una, { una + 1, una + 5 })
  sent(peer)
  t:shows("RFC5681-4.3-4", t:ok(conn:info().snd_ssthresh <= 5))
  t:is(conn:info().ca_state, "Recovery")
end)

-- SPDX-License-Identifier: MIT
-- What a mark does to a sender (RFC 3168 5, 6.1.2): the same as a loss, CWR where it belongs and only
-- there, and what is never marked because its loss would not be noticed.
local tap = require "tap"
local net = require "net"
local tcp = require "suite.tcp"

-- A connection with ECN; flying(t, n) has n segments of 1000 octets written.
local function ecn(sysctl)
  sysctl = sysctl or {}
  sysctl["net.ipv4.tcp_ecn"], sysctl["net.ipv4.tcp_congestion_control"] = 1, "reno"
  sysctl["net.ipv4.tcp_frto"] = 0
  local _, peer, server = tcp.listen { sysctl = sysctl }
  peer:send "SEW 0:0(0) win 65535 <mss 1000>"
  peer:expect "SE. 0:0(0) ack 1"
  tcp.rest(100)
  peer:send ". 1:1(0) ack 1 win 65535"
  local conn = server:accept()
  conn:option("TCP_NODELAY", 1)
  conn:option("SO_SNDBUF", 500000)
  return peer, conn
end

local function flying(t, count, sysctl)
  local peer, conn = ecn(sysctl)
  conn:send(net.pattern(1, count * 1000))
  local first = peer:collect { during = "1ms" }
  t:is(#first, math.min(count, 10))
  return peer, conn, first
end

local function ack(peer, n, flags)
  peer:send((".%s 1:1(0) ack %d win 65535"):format(flags or "", n * 1000 + 1))
end

tap.test("a mark and a single loss are answered alike: half the window, and no less", function(t)
  local peer, marked = flying(t, 40)
  net.sleep "98ms"
  ack(peer, 1, "E")
  for n = 2, 9 do ack(peer, n, "E") end
  peer:collect { during = "1ms" }
  ack(peer, 14)
  peer:collect { during = "1ms" }
  local reduced = marked:info()

  local other, lost = flying(t, 40)
  net.sleep "98ms"
  for _ = 1, 9 do ack(other, 0) end
  t:ok(tcp.sent(other):find("1:1001", 1, true), "sent again")
  net.sleep "98ms"
  ack(other, 14)
  other:collect { during = "1ms" }
  ack(other, 15)
  other:collect { during = "1ms" }
  local halved = lost:info()
  t:is({ reduced.snd_ssthresh, halved.snd_ssthresh }, { 5, 5 })
  t:shows("RFC3168-5-2", t:ok(math.abs(reduced.snd_cwnd - halved.snd_cwnd) <= 1 and reduced.snd_cwnd <= 6,
    ("windows of %d and %d"):format(reduced.snd_cwnd, halved.snd_cwnd)))
  peer:collect { during = "1us" }
end)

tap.test("the loss of what is ECT is congestion; what has no ECT is not missed", function(t)
  local peer, conn, first = flying(t, 10)
  for _, frame in ipairs(first) do
    t:shows("RFC3168-5.3-2", t:is({ frame.ip.ecn, frame.ip.df }, { 2, true }))
  end
  net.sleep "98ms"
  for _ = 1, 3 do ack(peer, 0) end -- the first one was lost
  local again = peer:expect(". 1:1001(1000) ack 1", { within = "1ms" })
  t:is({ conn:info().ca_state, conn:info().snd_ssthresh }, { "Recovery", 5 })
  t:is(again.ip.ecn, 0, "what is sent again is not ECT")
  ack(peer, 10)
  peer:send "P. 1:1001(1000) ack 10001 win 0"
  t:is(peer:expect(". 10001:10001(0) ack 1001", { within = "1s" }).ip.ecn, 0, "an ACK is not ECT")
  conn:send "x"
  local probe = peer:expect(". 10000:10000(0) ack 1001", { within = "5s" })
  t:shows("RFC3168-5.2-1", t:is(probe.ip.ecn, 0, "a window probe is not ECT"))
end)

-- The numbers of the segments with CWR among those that come now.
local function cwr(peer, during)
  local list = {}
  for _, frame in ipairs(peer:collect { during = during or "1ms" }) do
    if frame.tcp.flags:find "W" then
      list[#list + 1] = (frame.tcp.seq - peer.tcp.host_isn - 1 & 0xffffffff) // 1000
    end
  end
  return list
end

tap.test("CWR is on the first new data after a reduction, and on nothing else", function(t)
  local peer = flying(t, 100)
  net.sleep "98ms"
  ack(peer, 1)
  t:is(cwr(peer), {}, "no reduction")
  for n = 2, 8 do ack(peer, n, "E") end
  local first = cwr(peer)
  t:is(#first, 1, "one reduction")
  net.sleep "98ms"
  for n = 9, 16 do ack(peer, n) end
  t:is(cwr(peer), {}, "the next window was not marked")
  for n = 17, 18 do ack(peer, n, "E") end
  t:shows("RFC3168-6.1.1-5", t:is(#cwr(peer), 1, "marked again, told again"))
end)

tap.test("a retransmission has no CWR: the first new data after it has", function(t)
  local peer = flying(t, 40)
  net.sleep "98ms"
  for _ = 1, 9 do ack(peer, 0) end
  local frames = peer:collect { during = "1ms" }
  local again, new
  for _, frame in ipairs(frames) do
    local n = (frame.tcp.seq - peer.tcp.host_isn - 1 & 0xffffffff) // 1000
    if n == 0 then again = frame elseif frame.tcp.flags:find "W" then new = n end
  end
  t:ok(again)
  if not new then new = cwr(peer, "1s")[1] end
  t:shows("RFC3168-6.1.2-5", t:is(again.tcp.flags:find "W", nil))
  if not new then
    ack(peer, 10)
    new = cwr(peer)[1]
  end
  t:ok(new and new >= 10, "CWR on new data")
end)

tap.test("CE is told of as soon as ECN-setup was sent and nothing took it back", function(t)
  local host = net.host { addr = "192.0.2.1/24", sysctl = { ["net.ipv4.tcp_ecn"] = 1 } }
  local peer = host.wire:peer { addr = "192.0.2.9", port = 4000 }
  host:neigh { addr = peer.addr, mac = peer.mac }
  local client = host:socket("tcp", { nonblock = true })
  client:try("connect", "192.0.2.9", 4000)
  peer:expect "SEW 0:0(0)"
  peer:send "SE. 0:0(0) ack 1 win 65535 <mss 1000>"
  peer:expect ". 1:1(0) ack 1"
  t:is(client:info().options & 8, 8)
  peer:send "[ce] P. 1:1001(1000) ack 1 win 65535" -- the host has not sent data, nor any ECT
  t:shows("RFC3168-6.1.1-6", peer:expect(".E 1:1(0) ack 1001", { within = "1s" }))
end)

-- What is not taken is not looked at further, as in Linux; RFC 3168 6.1.6 would have the mark answered.
tap.test("a mark on a window probe is passed over", function(t)
  local _, peer, server = tcp.listen { sysctl = { ["net.ipv4.tcp_ecn"] = 1 }, options = { SO_RCVBUF = 9000 } }
  peer:send "SEW 0:0(0) win 65535 <mss 1460>"
  peer:expect "SE. 0:0(0) ack 1"
  peer:send ". 1:1(0) ack 1 win 65535"
  local conn = server:accept()
  local next, edge = 1, nil
  repeat
    peer:send(("[ect0] P. %d:%d(1460) ack 1"):format(next, next + 1460))
    next = next + 1460
    for _, frame in ipairs(peer:collect { during = "300ms" }) do
      edge = frame.tcp.ack - 1000000 + frame.tcp.window
    end
  until edge - next < 1460
  t:is({ edge, conn:pending() }, { next, next - 1 }, "the window is shut")
  peer:send(("[ce] P. %d:%d(1) ack 1"):format(next, next + 1))
  local answer = peer:expect((". 1:1(0) ack %d win 0"):format(next), { within = "1s" })
  t:is(answer.tcp.flags:find "E", nil)
end)

-- RFC 3168 6.1.2 would have the sender wait for its timer.
tap.test("a mark with a window of one segment does not hold the next", function(t)
  local peer, conn = flying(t, 40)
  net.sleep "350ms"
  t:ok(#peer:collect() > 0, "the time-out")
  t:is(conn:info().snd_cwnd, 1)
  ack(peer, 1, "E")
  t:is(tcp.sent(peer), tcp.segments(1, 2))
end)

-- SPDX-License-Identifier: MIT
-- A whole transfer against the limits of RFC 5681: what is in flight is never more than slow start and
-- congestion avoidance allow, however the acknowledgements come. Segments carry 1000 octets.
local tap = require "tap"
local net = require "net"
local tcp = require "suite.tcp"

local PROFILE <const> = { profile = "rfc" }
local IW <const> = 4 -- of 1000 octets (RFC 5681 3.1)

local function sending(count, o)
  o = o or {}
  o.profile_values, o.rtt, o.syn = true, 100, o.syn or "mss 1000"
  o.sysctl = { ["net.ipv4.tcp_congestion_control"] = "reno", ["net.ipv4.tcp_wmem"] = "4096 500000 4194304" }
  local _, peer, conn = tcp.passive(o)
  conn:option("TCP_NODELAY", 1)
  conn:option("SO_SNDBUF", 1000000)
  conn:send(net.pattern(1, count * 1000))
  return peer, conn
end

-- What came since the last time: the number of segments that are new, and of those that are not.
local function take(peer, flight)
  local new, again = 0, 0
  for _, frame in ipairs(peer:collect { during = "10us" }) do
    if #(frame.payload or "") > 0 then
      local n = (frame.tcp.seq - peer.tcp.host_isn - 1 & 0xffffffff) // 1000 + 1
      if n > flight.sent then flight.sent, new = n, new + 1 else again = again + 1 end
    end
  end
  return new, again
end

-- Slow start and congestion avoidance as RFC 5681 3.1 bounds them, in segments: the window that a
-- sender may have at most.
local function model(ssthresh)
  local m = { cwnd = IW, ssthresh = ssthresh, acked = 0 }
  function m.ack(count)
    if m.cwnd < m.ssthresh then
      m.cwnd = m.cwnd + math.min(count, 1) -- at most one SMSS for each ACK
    else
      m.acked = m.acked + count            -- at most one SMSS for a window of octets
      if m.acked >= m.cwnd then m.acked, m.cwnd = m.acked - m.cwnd, m.cwnd + 1 end
    end
  end
  return m
end

-- The peer acknowledges every `step`-th segment of a flight, then comes the next one.
local function follow(t, peer, flight, m, until_sent, step)
  local most = 0
  take(peer, flight)
  while flight.sent < until_sent do
    local flying = flight.sent
    tcp.rest(100)
    while flight.acked < flying do
      local count = math.min(step, flying - flight.acked)
      flight.acked = flight.acked + count
      peer:send((". 1:1(0) ack %d win 65535 <>"):format(flight.acked * 1000 + 1))
      m.ack(count)
      local _, again = take(peer, flight)
      t:is(again, 0, "nothing was lost")
      t:ok(flight.sent - flight.acked <= m.cwnd,
        ("%d in flight with a window of %d"):format(flight.sent - flight.acked, m.cwnd))
      most = math.max(most, flight.sent - flight.acked)
    end
  end
  return most
end

for _, step in ipairs { 1, 2, 5 } do
  tap.test(("profile rfc: never more in flight than slow start allows, an ACK for %d"):format(step), PROFILE,
    function(t)
      local peer = sending(400)
      local flight = { sent = 0, acked = 0 }
      local m = model(math.huge)
      local most = follow(t, peer, flight, m, 150, step)
      t:shows("RFC5681-3.1-1", t:ok(most > 2 * IW, "the window opened: " .. most))
    end)

  tap.test(("profile rfc: nor than congestion avoidance allows, an ACK for %d"):format(step), PROFILE,
    function(t)
      local peer, conn = sending(600)
      local flight = { sent = 0, acked = 0 }
      local m = model(math.huge)
      follow(t, peer, flight, m, 40, 1)
      net.sleep "3s" -- all in flight was lost: once again from one segment
      peer:collect { during = "1us" }
      local ssthresh = conn:info().snd_ssthresh
      t:ok(ssthresh >= 2 and ssthresh <= (flight.sent - flight.acked + 1) // 2)
      flight.acked = flight.sent
      peer:send((". 1:1(0) ack %d win 65535 <>"):format(flight.acked * 1000 + 1))
      m = model(ssthresh)
      m.cwnd = 2
      local most = follow(t, peer, flight, m, flight.sent + 150, step)
      t:shows("RFC5681-3-1", t:shows("RFC5681-3.1-1", t:ok(most >= ssthresh, "the window opened: " .. most)))
    end)
end

tap.test("profile rfc: no MSS option: the first window is that of segments of 536 octets", PROFILE, function(t)
  local peer = sending(100, { syn = "" })
  local frames = peer:collect { during = "10ms" }
  t:is(#frames[1].payload, 536)
  t:shows("RFC2525-2.3-1", t:is(#frames, 4))
end)

tap.test("profile linux: no MSS option: the first window is ten segments of 536 octets", { profile = "linux" },
  function(t)
    local peer, conn = sending(100, { syn = "" })
    local frames = peer:collect { during = "10ms" }
    t:is({ #frames, #frames[1].payload }, { 10, 536 })
    t:shows("RFC2525-2.3-1", t:is(conn:info().snd_cwnd, 10))
  end)

for _, step in ipairs { 1, 2, 4 } do
  tap.test(("congestion avoidance counts what is acknowledged: an ACK for %d is worth that many"):format(step),
    function(t)
      local peer, conn = sending(600)
      local flight = { sent = 0, acked = 0 }
      take(peer, flight)
      net.sleep "3s"
      take(peer, flight)
      flight.acked = flight.sent
      tcp.ack(peer, flight.acked)
      take(peer, flight)
      while conn:info().snd_cwnd < 8 or conn:info().snd_cwnd <= conn:info().snd_ssthresh do
        net.sleep "100ms"
        while flight.acked < flight.sent do
          flight.acked = flight.acked + 1
          tcp.ack(peer, flight.acked)
          net.sleep "2us"
        end
        take(peer, flight)
      end
      local grown = {} -- acknowledged at each growth
      local cwnd, count = conn:info().snd_cwnd, 0
      while #grown < 3 do
        net.sleep "50ms"
        take(peer, flight)
        for _ = 1, (flight.sent - flight.acked) // step do
          flight.acked, count = flight.acked + step, count + step
          tcp.ack(peer, flight.acked)
          take(peer, flight)
          local now = conn:info().snd_cwnd
          if now > cwnd then
            t:is(now, cwnd + 1)
            grown[#grown + 1], cwnd, count = { count, cwnd }, now, 0
          end
        end
      end
      for i = 2, #grown do -- one more segment for a window of them
        local shown = t:ok(math.abs(grown[i][1] - grown[i][2]) <= step,
          ("grew after %d with a window of %d"):format(grown[i][1], grown[i][2]))
        t:shows("RFC3465-2.1-1", t:shows("RFC5681-3.1-11", shown))
      end
    end)
end

-- SPDX-License-Identifier: MIT
-- Congestion window validation (RFC 2861): a window that was not used is not kept.
local tap = require "tap"
local net = require "net"
local tcp = require "suite.tcp"

-- A connection with `reno` and a round trip of 100 ms whose window has grown to 40 segments; all that
-- was sent is acknowledged. RTO is 300 ms.
local function grown(t)
  local _, peer, conn = tcp.passive { syn = "mss 1000", rtt = 100,
    sysctl = { ["net.ipv4.tcp_congestion_control"] = "reno" } }
  conn:option("TCP_NODELAY", 1)
  conn:option("SO_SNDBUF", 500000)
  conn:send(net.pattern(1, 40000))
  local acked = 0
  while acked < 40 do
    peer:collect { during = "1us" }
    tcp.rest(100)
    local out = conn:info().unacked
    for _ = 1, out do
      acked = acked + 1
      peer:send((". 1:1(0) ack %d win 65535"):format(acked * 1000 + 1))
    end
  end
  peer:collect { during = "1us" }
  local info = conn:info()
  t:ok(info.snd_cwnd >= 30, "the window has grown: " .. info.snd_cwnd)
  t:ok(info.rto >= 290000 and info.rto <= 310000, "RTO: " .. info.rto)
  return peer, conn, info.snd_cwnd
end

for halvings = 1, 4 do
  tap.test(("idle for %d RTOs: the window is halved as often, down to the restart window"):format(halvings),
    function(t)
      local peer, conn, before = grown(t)
      local rto = conn:info().rto
      net.sleep(rto * 1000 * halvings + 30000000)
      conn:send(net.pattern(1, 60000))
      local flight = #peer:collect { during = "1ms" }
      t:is(flight, math.max(before >> halvings, 10))
      t:shows("RFC2861-3-1", t:ok(conn:info().snd_ssthresh >= before * 3 // 4,
        "3/4 of the window at least is remembered: " .. conn:info().snd_ssthresh))
    end)
end

tap.test("net.ipv4.tcp_slow_start_after_idle = 0: the window is kept", function(t)
  local peer, conn, before = grown(t)
  conn.host:sysctl("net.ipv4.tcp_slow_start_after_idle", 0)
  net.sleep "5s"
  conn:send(net.pattern(1, 60000))
  t:is(#peer:collect { during = "1ms" }, before)
end)

tap.test("application-limited: the window decays to the middle of what it is and what is used", function(t)
  local peer, conn, before = grown(t)
  local n, now = 40, before
  for _ = 1, 6 do
    conn:send(net.pattern(1, 2000)) -- two segments a time-out
    peer:collect { during = "1us" }
    tcp.rest(100)
    n = n + 2
    peer:send((". 1:1(0) ack %d win 65535"):format(n * 1000 + 1))
    net.sleep "220ms"
  end
  now = conn:info().snd_cwnd
  t:shows("RFC2861-3-2", t:ok(now < before * 3 // 4 and now >= 10, ("%d, then %d"):format(before, now)))
end)

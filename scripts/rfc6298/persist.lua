-- SPDX-License-Identifier: MIT
-- The peer's window is shut (RFC 9293 3.8.6.1): probes, their times, what they carry, what ends them.
local tap = require "tap"
local net = require "net"
local tcp = require "suite.tcp"

-- A connection of this round trip (ms) whose window is shut with "more" waiting.
local function shut(rtt, o)
  o = o or {}
  o.rtt = rtt
  local host, peer, conn = tcp.passive(o)
  conn:option("TCP_NODELAY", 1)
  conn:send "hello"
  peer:expect "P. 1:6(5) ack 1"
  tcp.rest(rtt)
  peer:send ". 1:1(0) ack 6 win 0"
  net.sleep "1ms"
  conn:send "more"
  return host, peer, conn
end

local PROBE = ". 5:5(0) ack 1"

for _, rtt in ipairs { 10, 50, 100, 200, 400, 1000 } do
  tap.test(("round trip %d ms: the first probe after the RTO, each next one after twice the time"):format(rtt),
    function(t)
      local _, peer, conn = shut(rtt)
      local rto = conn:info().rto // 1000
      local last = net.now()
      for i = 0, 5 do
        local probe = peer:expect(PROBE, { within = (rto << i) * 2 .. "ms" })
        local wait = math.min(rto << i, 120000) * 1000000
        t:shows(i == 0 and "RFC9293-SHLD-29" or "RFC9293-SHLD-30",
          t:ok(math.abs(probe.sent - last - wait) <= wait // 50 + 3000000,
            ("%d ns after the last one, not %d"):format(probe.sent - last, wait)))
        last = probe.sent
        peer:send ". 1:1(0) ack 6 win 0"
      end
    end)
end

tap.test("the time between probes has 120 s as its upper bound", function(t)
  local _, peer = shut(100)
  for _ = 1, 9 do
    peer:expect(PROBE, { within = "120s" })
    peer:send ". 1:1(0) ack 6 win 0"
  end
  for _ = 1, 3 do
    t:shows("RFC6298-2-7", peer:expect(PROBE, { within = "121s" }))
    peer:send ". 1:1(0) ack 6 win 0"
  end
end)

tap.test("profile linux: a probe is an old number without data, and the answer tells the window", function(t)
  local host, peer, conn = shut(100)
  local probe = peer:expect(PROBE, { within = "1s" })
  t:is(#(probe.payload or ""), 0)
  t:is({ host:counter "TcpExtTCPWinProbe", conn:info().probes }, { 1, 1 })
  peer:send ". 1:1(0) ack 6 win 1000"
  t:shows("RFC9293-MUST-36", peer:expect("P. 6:10(4) ack 1", { data = "more" }))
  net.sleep "1ms"
  t:is(conn:info().probes, 0)
end)

tap.test("the window opens between probes: what waits goes at once", function(t)
  local _, peer, conn = shut(100)
  peer:expect(PROBE, { within = "1s" })
  peer:send ". 1:1(0) ack 6 win 0"
  net.sleep "50ms"
  peer:send ". 1:1(0) ack 6 win 65535"
  t:shows("RFC2525-2.12-1", peer:expect("P. 6:10(4) ack 1", { data = "more" }))
  peer:send ". 1:1(0) ack 10 win 65535"
  peer:expect_nothing { during = "1min" }
  t:is(conn:info().unacked, 0)
end)

tap.test("the update was lost: a probe finds the window open", function(t)
  local _, peer = shut(100)
  net.sleep "100ms" -- it opened, and nobody heard
  peer:expect(PROBE, { within = "1s" })
  peer:send ". 1:1(0) ack 6 win 65535"
  t:shows("RFC9293-MUST-36", peer:expect("P. 6:10(4) ack 1", { data = "more" }))
end)

tap.test("a window of less than what waits: a part of it goes, after a while", function(t)
  local _, peer, conn = tcp.passive { rtt = 100, syn = "mss 1000" }
  conn:option("TCP_NODELAY", 1)
  conn:send "hello"
  peer:expect "P. 1:6(5) ack 1"
  tcp.rest(100)
  peer:send ". 1:1(0) ack 6 win 0"
  net.sleep "1ms"
  conn:send(("x"):rep(500))
  peer:expect(". 5:5(0) ack 1", { within = "1s" })
  peer:send ". 1:1(0) ack 6 win 50" -- silly: nothing is sent into it at once ...
  t:shows("RFC9293-MUST-38", peer:expect_nothing { during = "50ms" })
  -- ... but the timer overrides it.
  t:shows("RFC9293-3.8.6.2.1-1", peer:expect("P. 6:56(50) ack 1", { within = "2s" }))
end)

tap.test("answered for a day: the connection stands", function(t)
  local _, peer, conn = shut(100)
  local count = 0
  while net.now() < 23 * 3600 * 1000000000 do
    peer:expect(PROBE, { within = "121s" })
    peer:send ". 1:1(0) ack 6 win 0"
    count = count + 1
  end
  t:shows("RFC9293-MUST-37", t:is(conn:info().state, "ESTABLISHED"))
  t:ok(count > 600)
end)

for _, retries in ipairs { 3, 5, 8 } do
  tap.test(("not answered: given up after tcp_retries2 = %d probes"):format(retries), function(t)
    local _, peer, conn = shut(100, { sysctl = { ["net.ipv4.tcp_retries2"] = retries } })
    local probes = #peer:collect { during = "1h" }
    t:ok(math.abs(probes - retries) <= 1, probes .. " probes")
    t:shows("RFC9293-MUST-20", t:is(select(2, conn:try "recv"), "ETIMEDOUT"))
    t:is(conn:info().state, "CLOSE")
  end)
end

tap.test("not answered: TCP_USER_TIMEOUT holds for probes too", function(t)
  local _, peer, conn = shut(100)
  conn:option("TCP_USER_TIMEOUT", 5000)
  peer:collect { during = "4s" }
  t:is(conn:info().state, "ESTABLISHED")
  peer:collect { during = "10s" }
  t:shows("RFC9293-MUST-21", t:is(select(2, conn:try "recv"), "ETIMEDOUT"))
end)

tap.test("closed with data waiting behind a shut window: probed on, the FIN comes last", function(t)
  local _, peer, conn = shut(100)
  conn:close()
  peer:expect(PROBE, { within = "1s" })
  peer:send ". 1:1(0) ack 6 win 65535"
  t:shows("RFC9293-3.6-3", peer:expect("FP. 6:10(4) ack 1", { data = "more" }))
  peer:send "F. 1:1(0) ack 11"
  peer:expect ". 11:11(0) ack 2"
end)

tap.test("closed, and never answered: the orphan is given up after tcp_orphan_retries", function(t)
  local host, peer, conn = shut(100, { sysctl = { ["net.ipv4.tcp_orphan_retries"] = 3 } })
  conn:close()
  local frames = peer:collect { during = "30min" }
  t:ok(#frames >= 3 and #frames <= 5, #frames .. " probes")
  local left = 0
  for _, s in ipairs(host:sockets()) do left = left + (s.rport == 4000 and 1 or 0) end
  t:is(left, 0)
end)

tap.test("a window that shrinks to nothing: what is out is not given up while the peer answers", function(t)
  local _, peer, conn = tcp.passive { rtt = 100, syn = "mss 1000" }
  conn:option("TCP_NODELAY", 1)
  conn:send(net.pattern(1, 3000))
  t:is(tcp.sent(peer), tcp.segments(0, 3))
  net.sleep "98ms"
  for _ = 1, 30 do
    peer:send ". 1:1(0) ack 1 win 0"
    peer:collect { during = "60s" }
  end
  t:shows("RFC9293-SHLD-17", t:is(conn:info().state, "ESTABLISHED"))
  peer:send ". 1:1(0) ack 1 win 65535"
  local again = tcp.sent(peer, "130s")
  t:shows("RFC9293-SHLD-16", t:like(again, "^1:1001"))
end)

tap.test("with ECN: a probe is not ECN-capable and says no CWR", function(t)
  local host = net.host { addr = "192.0.2.1/24", sysctl = { ["net.ipv4.tcp_ecn"] = 1 } }
  local peer = host.wire:peer { addr = "192.0.2.9", port = 4000 }:to(80)
  host:neigh { addr = peer.addr, mac = peer.mac }
  local server = host:socket "tcp":listen(80)
  peer:send "SEW 0:0(0) win 65535 <mss 1000>"
  peer:expect "SE. 0:0(0) ack 1"
  peer:send ". 1:1(0) ack 1 win 65535"
  local conn = server:accept()
  conn:option("TCP_NODELAY", 1)
  conn:send "hello"
  peer:expect "[ect0] P. 1:6(5) ack 1"
  peer:send ".E 1:1(0) ack 6 win 0"
  net.sleep "1ms"
  conn:send "more"
  t:shows("RFC3168-6.1.6-1", peer:expect("[noecn] . 5:5(0) ack 1", { within = "3s" }))
  peer:send ". 1:1(0) ack 6 win 65535"
  peer:expect("[ect0] P.W 6:10(4) ack 1", { within = "1ms" })
end)

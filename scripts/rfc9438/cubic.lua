-- SPDX-License-Identifier: MIT
-- CUBIC (RFC 9438, RFC 8312; Linux's has integers and a look-up table): the window after a loss, its
-- way back in a concave and on in a convex curve, the Reno-friendly region, fast convergence, idle
-- times, undo. Segments carry 1000 octets; HyStart is off where slow start is only the way there.
local tap = require "tap"
local net = require "net"
local tcp = require "suite.tcp"

local sent = tcp.sent

-- A connection with a round trip of `rtt` ms whose peer acknowledges all that comes.
local function connection(o)
  o = o or {}
  local sysctl = { ["net.ipv4.tcp_congestion_control"] = "cubic", ["net.ipv4.tcp_early_retrans"] = 0,
    ["module.tcp_cubic.hystart_detect"] = 0, ["net.ipv4.tcp_frto"] = 0, ["net.core.wmem_max"] = 60000000 }
  for key, value in pairs(o.sysctl or {}) do sysctl[key] = value end
  local host, peer, conn = tcp.passive { syn = "mss 1000,nop,nop,sackOK,nop,wscale 7", win = 60000,
    rtt = o.rtt or 100, sysctl = sysctl }
  conn:option("TCP_NODELAY", 1)
  conn:option("SO_SNDBUF", 30000000)
  local state = { rtt = (o.rtt or 100) * 1000000, next = 0, una = 0, written = 0 }
  -- Room for `n` more segments in the send queue.
  function state.write(n)
    state.written = state.written + n
    for _ = 1, n // 50 do conn:send(("x"):rep(50000)) end
    if n % 50 > 0 then conn:send(("x"):rep(n % 50 * 1000)) end
  end
  -- The segments that came, up to the first of the next round.
  function state.take(during)
    for stop in sent(peer, during):gmatch ":(%d+)" do
      state.next = math.max(state.next, (tonumber(stop) - 1) // 1000)
    end
  end
  -- Acknowledges what is there, every fourth segment.
  function state.ack_all()
    state.take "10us"
    local upto = state.next
    while state.una < upto do
      state.una = math.min(state.una + 4, upto)
      peer:send((". 1:1(0) ack %d win 60000"):format(state.una * 1000 + 1))
    end
    state.take "10us"
  end
  -- A round trip: everything in flight is acknowledged at its end.
  function state.round()
    net.sleep(state.rtt - 25000)
    state.ack_all()
    return conn:info().snd_cwnd
  end
  -- Segment una is lost, three behind it arrive, then the rest; recovery ends.
  function state.lose()
    net.sleep(state.rtt - 25000)
    state.take "10us"
    local hole = state.una
    for n = 2, 4 do
      peer:send((". 1:1(0) ack %d win 60000 <nop,nop,sack %d:%d>"):format(hole * 1000 + 1,
        hole * 1000 + 1001, (hole + n) * 1000 + 1))
    end
    state.take "10us"
    local ssthresh = conn:info().snd_ssthresh
    net.sleep(state.rtt - 25000)
    state.take "10us"
    peer:send((". 1:1(0) ack %d win 60000"):format(state.next * 1000 + 1))
    state.una = state.next
    state.take "10us"
    return ssthresh
  end
  return host, peer, conn, state
end

local function grown(o, rounds)
  local host, peer, conn, state = connection(o)
  state.write(10000)
  state.take "1ms"
  local cwnd
  for _ = 1, rounds or 4 do cwnd = state.round() end
  return host, peer, conn, state, cwnd
end

tap.test("slow start: the window doubles each round trip while it is not above ssthresh", function(t)
  local _, _, conn, state = connection()
  state.write(2000)
  state.take "1ms"
  for _, expect in ipairs { 20, 40, 80, 160 } do
    t:shows("RFC8312-4.8-1", t:is(state.round(), expect))
  end
  t:ok(conn:info().snd_ssthresh > 1000000)
end)

tap.test("a loss takes the window to 0.7 of what it was", function(t)
  local _, _, conn, state, cwnd = grown(nil, 4)
  t:is(cwnd, 160)
  local ssthresh = state.lose()
  -- beta is 717 / 1024
  t:shows("RFC8312-4.5-1", t:shows("RFC8312-4.5-2", t:is(ssthresh, 160 * 717 // 1024)))
  t:ok(conn:info().snd_cwnd <= ssthresh + 5, conn:info().snd_cwnd)
end)

tap.test("never less than two segments", function(t)
  local _, peer, conn = tcp.passive { syn = "mss 1000,nop,nop,sackOK", rtt = 100,
    sysctl = { ["net.ipv4.tcp_frto"] = 0, ["net.ipv4.tcp_early_retrans"] = 0 } }
  conn:send "x"
  peer:expect "P. 1:2(1) ack 1"
  peer:collect { during = "10s" } -- time-out after time-out
  t:shows("RFC8312-4.5-2", t:ok(conn:info().snd_ssthresh >= 2))
  t:is(conn:info().snd_cwnd, 1)
end)

tap.test("a time-out: one segment, ssthresh by beta, then slow start up to it", function(t)
  local _, peer, conn, state = grown(nil, 3)
  t:is(conn:info().snd_cwnd, 80)
  state.take "5s"
  t:is(conn:info().ca_state, "Loss")
  t:shows("RFC8312-4.7-1", t:is({ conn:info().snd_cwnd, conn:info().snd_ssthresh }, { 1, 80 * 717 // 1024 }))
  peer:send((". 1:1(0) ack %d win 60000"):format(state.next * 1000 + 1))
  state.una = state.next
  state.take "10us"
  local last = conn:info().snd_cwnd
  while last < 40 do
    local now = state.round()
    t:ok(now > last * 3 // 2, "slow start: " .. last .. " to " .. now)
    last = now
  end
end)

-- W_cubic in segments at t seconds after a reduction from w_max, the origin being w_max itself.
local function w_cubic(w_max, t_ms)
  -- K = cbrt(w_max * 0.3 / 0.4) in s; in ms, by bisection: no floats of libm here
  local target = w_max * 3 / 4
  local low, high = 0.0, 100.0
  for _ = 1, 60 do
    local mid = (low + high) / 2
    if mid * mid * mid < target then low = mid else high = mid end
  end
  local d = t_ms / 1000 - low
  return 0.4 * d * d * d + w_max, low
end

tap.test("after a loss the window follows W_cubic: concave up to where it was", function(t)
  local _, _, conn, state = grown({ rtt = 100 }, 5) -- 320 segments
  local w_max = (state.lose() * 1024 + 716) // 717
  t:ok(w_max > 300)
  local start, before = net.now(), conn:info().snd_cwnd
  local steps = {}
  state.write(20000)
  for i = 1, 60 do -- K is cbrt(320 * 0.75) = 6.2 s
    state.write(350)
    local cwnd = state.round()
    local model = w_cubic(w_max, (net.now() - start) // 1000000)
    if i % 10 == 0 then
      steps[#steps + 1] = cwnd - before
      before = cwnd
      t:shows("RFC8312-4.1-1", t:ok(math.abs(cwnd - model) <= model / 20 + 8,
        ("%d, W_cubic is %d after %d ms"):format(cwnd, model // 1, (net.now() - start) // 1000000)))
    end
  end
  t:shows("RFC8312-4.3-1", t:ok(steps[1] > steps[4] and steps[4] >= steps[6], tap.repr(steps)))
  t:shows("RFC8312-5.1-1", t:ok(conn:info().snd_cwnd > w_max * 19 // 20))
end)

tap.test("beyond where it was the window goes faster and faster: convex", function(t)
  local _, _, conn, state = grown({ rtt = 100 }, 3)
  local w_max = conn:info().snd_cwnd
  state.lose()
  local start, steps, before = net.now(), {}, nil
  for i = 1, 110 do -- K is cbrt(80 * 0.75) = 3.9 s
    state.write(300)
    local cwnd = state.round()
    if i >= 60 and i % 10 == 0 then
      if before then steps[#steps + 1] = cwnd - before end
      before = cwnd
    end
  end
  local model = w_cubic(w_max, (net.now() - start) // 1000000)
  t:shows("RFC8312-4.4-1", t:ok(steps[1] < steps[3] and steps[3] < steps[5], tap.repr(steps)))
  t:shows("RFC8312-4.1-1", t:ok(math.abs(conn:info().snd_cwnd - model) <= model / 10,
    conn:info().snd_cwnd .. ", W_cubic is " .. model // 1))
end)

tap.test("a short round trip: not slower than Reno would be", function(t)
  local _, _, conn, state = grown({ rtt = 10 }, 3)
  local ssthresh = state.lose()
  local base = conn:info().snd_cwnd
  for _ = 1, 100 do
    state.write(100)
    state.round()
  end
  -- In 1 s W_cubic of 80 is still below where it was (K = 3.9 s). Reno-friendly growth is
  -- 3 (1 - beta) / (1 + beta) = 0.53 segments a round trip: 53 in a hundred.
  local gained = conn:info().snd_cwnd - base
  local cubic = w_cubic(80, 1000) - base
  t:shows("RFC8312-4.2-1", t:ok(gained >= 40 and gained > cubic,
    ("%d segments in 100 round trips (W_cubic: %d), ssthresh %d"):format(gained, cubic // 1, ssthresh)))
end)

tap.test("fast convergence: a loss below the last maximum lowers the next one", function(t)
  local _, _, conn, state = grown({ rtt = 100 }, 5)
  t:is(conn:info().snd_cwnd, 320)
  state.lose()
  state.write(1000)
  for _ = 1, 5 do state.round() end
  local at_loss = conn:info().snd_cwnd
  t:ok(at_loss < 320)
  state.lose()
  local start = net.now()
  for _ = 1, 45 do
    state.write(400)
    state.round()
  end
  -- W_max is at_loss * (1 + beta) / 2; by then the plateau is reached (K = cbrt(0.75 * W_max)).
  local w_max = at_loss * (1024 + 717) // 2048
  local model = w_cubic(at_loss, (net.now() - start) // 1000000)
  t:shows("RFC8312-4.6-1", t:ok(conn:info().snd_cwnd < model and
    math.abs(conn:info().snd_cwnd - w_max) <= w_max // 8,
    ("%d; the plateau is %d, without fast convergence %d"):format(conn:info().snd_cwnd, w_max, at_loss)))
end)

tap.test("idle and application-limited times do not count: no leap after them", function(t)
  local _, _, conn, state = grown({ rtt = 100, sysctl = { ["net.ipv4.tcp_slow_start_after_idle"] = 0 } }, 4)
  state.write(1000)
  state.lose()
  while state.una < state.written do state.round() end -- all that is written goes
  local before = conn:info().snd_cwnd
  net.sleep "60s"
  t:is(conn:info().snd_cwnd, before)
  state.write(3000)
  state.take "1ms"
  local after = state.round()
  -- 60 s more in W_cubic were many thousands of segments.
  t:shows("RFC8312-5.8-1", t:shows("RFC9438-4.2-1",
    t:ok(after - before <= before // 4, ("%d before, %d after"):format(before, after))))
end)

tap.test("application-limited: the window does not grow while it is not used", function(t)
  local _, _, other, few = connection { rtt = 100 }
  for _ = 1, 20 do
    few.write(3)
    few.take "10us"
    few.round()
  end
  t:shows("RFC9438-4.2-1", t:ok(other:info().snd_cwnd <= 10, "cwnd " .. other:info().snd_cwnd))
  few.write(200)
  few.take "10us"
  t:ok(few.round() > 15)
end)

tap.test("a reduction that was not needed is undone: window and ssthresh are what they were", function(t)
  local host, peer, conn, state = grown(nil, 4)
  net.sleep(state.rtt - 25000)
  state.take "10us"
  local hole, cwnd = state.una, conn:info().snd_cwnd
  for n = 2, 4 do
    peer:send((". 1:1(0) ack %d win 60000 <nop,nop,sack %d:%d>"):format(hole * 1000 + 1,
      hole * 1000 + 1001, (hole + n) * 1000 + 1))
  end
  state.take "10us"
  t:is(conn:info().ca_state, "Recovery")
  t:ok(conn:info().snd_ssthresh < cwnd)
  -- The segment was only late, and its retransmission a duplicate.
  peer:send((". 1:1(0) ack %d win 60000 <nop,nop,sack %d:%d>"):format((hole + 4) * 1000 + 1,
    hole * 1000 + 1, hole * 1000 + 1001))
  net.sleep "1ms"
  t:is(host:counter "TcpExtTCPDSACKUndo", 1)
  t:shows("RFC9438-4.9-1", t:ok(conn:info().snd_ssthresh > 1000000 and conn:info().snd_cwnd >= cwnd - 4,
    conn:info().snd_cwnd .. " of " .. cwnd))
  state.take "1ms"
end)

tap.test("HyStart: the round trip gets longer, slow start ends before there is a loss", function(t)
  local host, peer, conn = tcp.passive { syn = "mss 1000,nop,nop,sackOK,nop,wscale 7", win = 60000, rtt = 50 }
  conn:option("TCP_NODELAY", 1)
  conn:option("SO_SNDBUF", 30000000)
  for _ = 1, 40 do conn:send(("x"):rep(50000)) end
  local una, last, queue = 0, 0, 0
  for round = 1, 12 do
    for stop in sent(peer, "10us"):gmatch ":(%d+)" do last = math.max(last, (tonumber(stop) - 1) // 1000) end
    queue = round > 3 and queue + 12000000 or 0 -- a queue that fills: 12 ms more each round trip
    net.sleep(50000000 + queue)
    while una < last do
      una = una + 1
      peer:send((". 1:1(0) ack %d win 60000"):format(una * 1000 + 1))
    end
    net.sleep "1us"
  end
  sent(peer, "10us")
  t:shows("RFC9438-4.10-1", t:ok(conn:info().snd_ssthresh < 1000, "ssthresh " .. conn:info().snd_ssthresh))
  t:is(conn:info().ca_state, "Open")
  t:is(host:counter "TcpExtTCPHystartDelayDetect" + host:counter "TcpExtTCPHystartTrainDetect", 1)
  t:is(host:counter "TcpExtTCPHystartDelayCwnd" + host:counter "TcpExtTCPHystartTrainCwnd", conn:info().snd_ssthresh)
end)

tap.test("ECN: the mark costs as a loss does, down to the window's least", function(t)
  local host = net.host { addr = "192.0.2.1/24", sysctl = { ["net.ipv4.tcp_ecn"] = 1,
    ["net.ipv4.tcp_timestamps"] = 0, ["net.ipv4.tcp_sack"] = 0 } }
  local peer = host.wire:peer { addr = "192.0.2.9", port = 4000 }:to(80)
  host:neigh { addr = peer.addr, mac = peer.mac }
  local server = host:socket "tcp":listen(80)
  peer:send "SEW 0:0(0) win 65535 <mss 1000>"
  peer:expect "SE. 0:0(0) ack 1"
  tcp.rest(100)
  peer:send ". 1:1(0) ack 1 win 65535"
  local conn = server:accept()
  conn:option("TCP_NODELAY", 1)
  conn:option("SO_SNDBUF", 3000000)
  for _ = 1, 10 do conn:send(("x"):rep(50000)) end
  local una, last, least = 0, 0, 100
  for _ = 1, 12 do
    for stop in sent(peer, "10us"):gmatch ":(%d+)" do last = math.max(last, (tonumber(stop) - 1) // 1000) end
    net.sleep "100ms"
    while una < last do
      una = una + 1
      peer:send((".E 1:1(0) ack %d win 65535"):format(una * 1000 + 1))
    end
    net.sleep "10us"
    t:ok(conn:info().snd_cwnd <= least + 1)
    least = math.min(least, conn:info().snd_cwnd)
  end
  sent(peer, "1ms")
  t:ok(least <= 2)
  t:ok(conn:info().snd_ssthresh >= 2)
end)

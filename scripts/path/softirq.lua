-- SPDX-License-Identifier: MIT
-- Hard interrupts, softirqs and ksoftirqd under load: who goes first, who gives way, and what of it can
-- be seen from outside. The cost model makes load load: ns per interrupt, poll, packet, byte.
local tap = require "tap"
local net = require "net"
local station = require("suite.station").udp
local card = require "suite.card"
local ip, icmp, udp = net.ip, net.icmp, net.udp

local drain = card.drain

-- What a field of the records of some event was, one after the other.
local function traced(event, field)
  local list = {}
  for _, r in ipairs(net.traces()) do
    if r.event == event then list[#list + 1] = r[field] end
  end
  return list
end

-- One row of /proc/softirqs as numbers by CPU.
local function softirqs(host, kind)
  local list = {}
  local row = host:proc("/proc/softirqs"):match("%s" .. kind .. ":([%d ]+)")
  for n in row:gmatch "%d+" do list[#list + 1] = tonumber(n) end
  return list
end

local kinds = { "hi", "timer", "net_tx", "net_rx", "block", "irq_poll", "tasklet", "sched", "hrtimer", "rcu" }

tap.test("all kinds raised at once run in the order of their priority", function(t)
  local host = station()
  net.trace "softirq_entry"
  for i = #kinds, 1, -1 do host:softirq(kinds[i], { cost = "1us" }) end
  net.sleep "1ms"
  t:is(traced("softirq_entry", "vec"), { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 })
  for i, kind in ipairs { "HI", "TIMER", "NET_TX", "NET_RX", "BLOCK", "IRQ_POLL", "TASKLET", "SCHED", "HRTIMER", "RCU" } do
    t:is(softirqs(host, kind)[1], 1)
  end
end)

tap.test("one raised while a round runs waits for the next turn, however high it is", function(t)
  local host, peer = station()
  net.trace "softirq_entry"
  host:cost { rx_packet = "10us" }
  host:softirq("net_rx")
  host:softirq("tasklet", { cost = "5us" })
  net.sleep "1us"
  host:softirq("hi", { cost = "1us" })
  net.sleep "1ms"
  t:is(traced("softirq_entry", "vec"), { 3, 6, 0 })
end)

tap.test("a hard interrupt comes between two softirqs, and before all of them", function(t)
  local host, peer, socket = station()
  net.trace("softirq_entry", "irq_handler_entry")
  host:softirq("hi", { cost = "10us" })
  host:softirq("rcu", { cost = "10us" })
  peer:send(udp{} / "x")
  net.sleep "1ms"
  local order = {}
  for _, r in ipairs(net.traces()) do order[#order + 1] = r.event == "softirq_entry" and r.vec or "irq" end
  -- HI; the frame came meanwhile: its interrupt; RCU of the round under way; NET_RX of the next turn.
  t:is(order, { 0, "irq", 9, 3 })
end)

tap.test("the restart limit: a softirq that raises itself runs ten turns, then ksoftirqd has it", function(t)
  local host = station()
  net.trace("softirq_entry", "ksoftirqd_wake")
  host:softirq("tasklet", { cost = "1us", again = 9 })
  net.sleep "1ms"
  t:is(#traced("ksoftirqd_wake", "cpu"), 0)
  net.trace("softirq_entry", "ksoftirqd_wake")
  host:softirq("tasklet", { cost = "1us", again = 10 })
  net.sleep "1ms"
  local order = {}
  for _, r in ipairs(net.traces()) do order[#order + 1] = r.event == "softirq_entry" and r.vec or "ksoftirqd" end
  t:is(order, { 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, "ksoftirqd", 6 })
  t:is(softirqs(host, "TASKLET")[1], 21)
end)

tap.test("the time limit: 2 ms of turns are enough, even if they are few", function(t)
  local host = station()
  net.trace("softirq_entry", "ksoftirqd_wake")
  host:softirq("tasklet", { cost = "700us", again = 4 })
  net.sleep "10ms"
  local order = {}
  for _, r in ipairs(net.traces()) do order[#order + 1] = r.event == "softirq_entry" and r.vec or "ksoftirqd" end
  t:is(order, { 6, 6, 6, "ksoftirqd", 6, 6 })
end)

tap.test("ksoftirqd and back: when it is through, softirqs run on the way out of interrupts again", function(t)
  local host, peer, socket = station()
  host:softirq("tasklet", { cost = "1us", again = 12 })
  net.sleep "1ms"
  net.trace("ksoftirqd_wake", "softirq_entry")
  peer:send(udp{} / "x")
  net.sleep "1ms"
  t:is(traced("ksoftirqd_wake", "cpu"), {})
  t:is(drain(socket), { "x" })
end)

tap.test("while ksoftirqd has the softirqs, a frame's interrupt is taken at once and its poll waits for its turn",
  function(t)
    local host, peer, socket = station()
    host:softirq("tasklet", { cost = "500us", again = 8 })
    net.sleep "3ms"
    net.trace("irq_handler_entry", "napi_poll")
    peer:send(udp{} / "x")
    net.sleep "10ms"
    local irq, poll
    for _, r in ipairs(net.traces()) do
      if r.event == "irq_handler_entry" then irq = irq or r.time end
      if r.event == "napi_poll" then poll = poll or r.time end
    end
    t:ok(poll >= irq)
    t:is(drain(socket), { "x" })
  end)

tap.test("a softirq of one CPU leaves the others alone", function(t)
  local host, peer, socket = station { cpus = 2, queues = 2 }
  host:ethtool { rss_indir = { 0 } }
  host:softirq("tasklet", { cpu = 1, cost = "900us", again = 20 })
  peer:send(udp{} / "x")
  net.sleep "10us"
  t:is(drain(socket), { "x" })
  t:is(softirqs(host, "NET_RX"), { 1, 0 })
  net.sleep "30ms"
  t:is(softirqs(host, "TASKLET"), { 0, 21 })
end)

tap.test("what a user sees: latency from another driver's tasklet; ping waits although the net is idle", function(t)
  local host, peer = station()
  local function rtt()
    local start = t:now()
    peer:send(icmp{ type = "echo", id = 1, seq = 1 } / "x")
    return peer:expect(icmp{ type = "echo-reply" }, { within = "10ms" }).time - start
  end
  t:is(rtt(), 2000)
  host:softirq("tasklet", { cost = "1500us" })
  t:is(rtt(), 1500000 + 1000)
  -- No drop, no squeeze: only /proc/softirqs tells who it was.
  t:is(host:counter "softnet.0.time_squeeze", 0)
  t:is(host:counter "eth0.rx_missed_errors", 0)
  t:is(softirqs(host, "TASKLET")[1], 1)
end)

-- Interrupts and polling ---------------------------------------------------------------------------

-- Frames at a steady gap for 20 ms: interrupts, polls, frames that came to IP.
local function load(gap, cost, o)
  local host, peer = station(o)
  host:hook("pre_routing", function() return "drop" end)
  host:cost(cost)
  local before = host:counters()
  local n = 20000000 // gap
  for i = 1, n do
    peer:send(udp{} / "x")
    net.sleep(gap)
  end
  net.sleep "50ms"
  local function change(name) return host:counter(name) - before[name] end
  return { sent = n, irqs = change "eth0.queue_0_irqs", polls = change "eth0.queue_0_polls",
    packets = change "IpInReceives", missed = change "eth0.rx_missed_errors", squeeze = change "softnet.0.time_squeeze" },
    host
end

tap.test("interrupts under little load, polling under much: their number falls as the load rises", function(t)
  local cost = { irq = "2us", poll = "1us", rx_packet = "3us" }
  local light, full, over = load(50000, cost), load(5000, cost), load(2500, cost)
  t:is(light.irqs, light.sent)
  t:is(light.packets, light.sent)
  t:ok(full.irqs < full.sent * 3 // 4)
  t:ok(over.irqs < over.sent // 20, "saturated: nearly no interrupts: " .. over.irqs)
end)

tap.test("polling and interrupts alternate: a burst is polled, its end unmasks, the next one interrupts", function(t)
  local host, peer, socket = station()
  host:hook("pre_routing", function() return "drop" end)
  host:cost { rx_packet = "1us" }
  for burst = 1, 5 do
    local irqs, polls = host:counter "eth0.queue_0_irqs", host:counter "eth0.queue_0_polls"
    for i = 1, 200 do peer:send(udp{} / "x") end
    net.sleep "10ms"
    t:is(host:counter "eth0.queue_0_irqs" - irqs, 1)
    t:is(host:counter "eth0.queue_0_polls" - polls, 4) -- 64 64 64 8
  end
end)

tap.test("no livelock: beyond what the CPU can do, what it does stays what it can do", function(t)
  local cost = { irq = "5us", rx_packet = "10us" } -- 100,000 packets a second at best
  local at, twice, ten = load(10000, cost), load(5000, cost), load(1000, cost)
  t:ok(at.packets > 1200 and at.packets <= 2000)
  t:ok(twice.packets >= at.packets, ("%d, %d"):format(at.packets, twice.packets))
  t:ok(ten.packets >= at.packets, ("%d, %d"):format(at.packets, ten.packets))
  -- What it can not take is lost in the ring, before it costs anything.
  t:is(ten.packets + ten.missed, ten.sent)
  t:ok(ten.missed > ten.sent * 3 // 4)
end)

tap.test("a task gets its turn beside an overloaded NIC, because ksoftirqd takes turns with it", function(t)
  local host, peer, socket = station()
  host:cost { rx_packet = "10us", syscall = "1us" }
  local done = 0
  local reader = net.spawn(function()
    for i = 1, 50 do
      socket:recv()
      done = done + 1
    end
  end)
  for i = 1, 5000 do
    peer:send(udp{} / "x")
    net.sleep "2us"
  end
  t:ok(done > 0, "read while the flood lasts: " .. done)
  reader:join()
  net.sleep "100ms"
  drain(socket)
end)

tap.test("latency of a frame: the sum of the stages it passes", function(t)
  local host, peer = station()
  host:cost { irq = "1us", softirq = "2us", poll = "4us", rx_packet = "8us", tx_packet = "16us" }
  peer:send(icmp{ type = "echo", id = 1, seq = 1 } / "x")
  -- The step that polls sends the answer at its beginning; interrupt comes before it.
  local reply = peer:expect(icmp{ type = "echo-reply" }, { within = "1ms" })
  t:is(reply.sent, 1000 + 1000)
  peer:send(icmp{ type = "echo", id = 1, seq = 2 } / "x")
  -- The CPU is through with the first at 2 us + softirq, poll, packet in and out, and the interrupt of
  -- the transmission.
  reply = peer:expect(icmp{ type = "echo-reply" }, { within = "1ms" })
  t:ok(reply.sent >= 2000 + 2000 + 4000 + 8000 + 16000)
end)

for _, stage in ipairs { { "rx_byte", "10us", 1000 }, { "rx_packet", "10us", 1 }, { "poll", "10us", 1 },
  { "irq", "10us", 1 }, { "softirq", "10us", 1 } } do
  tap.test("cost of " .. stage[1] .. ": so many packets a second and no more", function(t)
    local function rate(cost)
      local host, peer = station { rx_ring = 4096 }
      host:hook("pre_routing", function() return "drop" end)
      host:cost(cost)
      for i = 1, 1000 do peer:send(udp{} / ("x"):rep(958)) end
      net.sleep "5ms"
      return host:counter "IpInReceives"
    end
    t:is(rate {}, 1000)
    local n = rate { [stage[1]] = stage[2] }
    -- 5 ms of 10 us each; a poll, a softirq and an interrupt serve many packets.
    if stage[1]:sub(1, 3) == "rx_" then t:ok(n > 400 and n <= 620, tostring(n)) else t:is(n, 1000) end
  end)
end

for _, stage in ipairs { { "tx_packet", "10us" }, { "tx_byte", "10us" }, { "tx_complete", "10us" } } do
  tap.test("cost of " .. stage[1] .. ": what is sent keeps the CPU from what comes in", function(t)
    local host, peer, socket = station()
    socket:connect(peer.addr, 5000)
    socket:option("UDP_SEGMENT", 958)
    local function rtt_behind_sending(cost)
      host:cost(cost)
      socket:send(("x"):rep(20 * 958)) -- 20 packets in one step
      peer:collect { during = "5us" }
      local start = t:now()
      peer:send(icmp{ type = "echo", id = 1, seq = 1 } / "x")
      local time = peer:expect(icmp{ type = "echo-reply" }, { within = "10ms" }).time - start
      net.sleep "10ms"
      return time
    end
    t:is(rtt_behind_sending { [stage[1]] = 0 }, 2000)
    local rtt = rtt_behind_sending { [stage[1]] = stage[2] }
    t:ok(rtt > 100000, tostring(rtt))
  end)
end

tap.test("netdev_budget is shared: of two devices with full rings neither starves", function(t)
  local host, peer = station()
  local nic = host:nic { addr = "198.51.100.1/24" }
  local other = nic.wire:peer { addr = "198.51.100.9", port = 1 }:to(9)
  host:neigh { addr = other.addr, mac = other.mac, dev = nic }
  host:hook("pre_routing", function() return "drop" end)
  host:cost { rx_packet = "5us" }
  for i = 1, 2000 do
    peer:send(udp{} / "x")
    other:send(udp{} / "x")
    other:send(udp{} / "x")
    net.sleep "3us"
  end
  local a, b = host:counter "eth0.rx_packets", host:counter "eth1.rx_packets"
  net.sleep "100ms"
  t:ok(a > 400 and b > 400)
  t:ok(b < a * 3 // 2 and a < b * 3 // 2, ("%d and %d packets: alike although one offers twice as much"):format(a, b))
  -- Each poll ends with its weight, the turn with the list: no turn was too long.
  t:is(host:counter "softnet.0.time_squeeze", 0)
end)

tap.test("poll list order: who wants more goes behind who waits, within a turn and over its end", function(t)
  for _, budget in ipairs { 64, 128, 300 } do
    local host, peer = station { sysctl = { ["net.core.netdev_budget"] = budget } }
    local other = host:nic { addr = "198.51.100.1/24" }.wire:peer { addr = "198.51.100.9", port = 1 }:to(9)
    host:hook("pre_routing", function() return "drop" end)
    host:softirq("tasklet", { cost = "100us" }) -- both rings fill up meanwhile
    for _ = 1, 180 do
      peer:send(udp{} / "x")
      other:send(udp{} / "x")
    end
    net.trace "napi_poll"
    net.sleep "10ms"
    local devices, work = {}, {}
    for i, r in ipairs(net.traces()) do devices[i], work[i] = r.ifindex, r.work end
    t:is(devices, { 2, 3, 2, 3, 2, 3 }, "a budget of " .. budget)
    t:is(work, { 64, 64, 64, 64, 52, 52 })
    -- Turns that ended with nothing left of the budget, also the last one of 52 and 52 packets in 64.
    t:is(host:counter "softnet.0.time_squeeze", ({ [64] = 5, [128] = 2, [300] = 0 })[budget])
  end
end)

tap.test("dev_weight and netdev_budget bound a turn: time_squeeze counts the turns that were not enough", function(t)
  for _, case in ipairs { { 300, 0 }, { 64, 4 }, { 16, 4 } } do
    local host, peer = station { sysctl = { ["net.core.netdev_budget"] = case[1] } }
    host:hook("pre_routing", function() return "drop" end)
    for i = 1, 250 do peer:send(udp{} / "x") end
    net.sleep "1ms"
    t:is(host:counter "IpInReceives", 250)
    t:ok(case[2] == 0 and host:counter "softnet.0.time_squeeze" == 0 or host:counter "softnet.0.time_squeeze" >= 3)
  end
end)

tap.test("what a user sees: packets lost under load; rx_missed tells ring, dropped tells backlog, squeeze tells budget",
  function(t)
    -- Ring: the CPU is too slow.
    local slow, host = load(2000, { rx_packet = "10us" }, { rx_ring = 64 })
    t:ok(slow.missed > 0)
    t:is(host:counter "softnet.0.dropped", 0)
    t:is(slow.squeeze, 0) -- one device never uses up a budget of 300: it has its 64 and its next turn
    -- A larger ring only stores longer: a short burst it can take.
    local function burst(ring)
      local h, p = station { rx_ring = ring }
      h:hook("pre_routing", function() return "drop" end)
      h:cost { rx_packet = "10us" }
      for i = 1, 200 do p:send(udp{} / "x") end
      net.sleep "10ms"
      return h:counter "eth0.rx_missed_errors"
    end
    t:ok(burst(64) > 0)
    t:is(burst(256), 0)
  end)

tap.test("/proc/interrupts and /proc/softirqs tell which CPU does the work", function(t)
  local host, peer, socket = station { cpus = 2, queues = 2 }
  host:ethtool { rss_indir = { 1 } }
  for i = 1, 7 do
    peer:send(udp{} / "x")
    net.sleep "10us"
  end
  t:like(host:proc "/proc/interrupts", "1: +0 +7 .*eth0")
  t:is(softirqs(host, "NET_RX"), { 0, 7 })
  host:ethtool { queue = 1, irq_cpu = 0 }
  for i = 1, 3 do
    peer:send(udp{} / "x")
    net.sleep "10us"
  end
  t:is(softirqs(host, "NET_RX"), { 3, 7 })
  t:is(#drain(socket), 10)
end)

tap.test("a lost interrupt: the frame waits in the ring until the next one comes", function(t)
  local host, peer, socket = station { model = "ring" }
  host:ethtool { irq_lost = 1 }
  peer:send(udp{} / "1")
  net.sleep "100ms"
  t:is(drain(socket), {})
  t:is(host:counter "eth0.hw_interrupts_lost", 1)
  peer:send(udp{} / "2")
  net.sleep "1ms"
  t:is(drain(socket), { "1", "2" })
end)

tap.test("a spurious interrupt costs its handler and nothing else", function(t)
  local host, peer, socket = station()
  for i = 1, 5 do host:ethtool { irq_spurious = 1 } net.sleep "1us" end
  t:is(host:counter "eth0.queue_0_irqs_spurious", 5)
  t:is(host:counter "eth0.queue_0_polls", 0)
  peer:send(udp{} / "x")
  net.sleep "1ms"
  t:is(drain(socket), { "x" })
end)

tap.test("host:softirq refuses what is no kind, no CPU", function(t)
  local host = station()
  t:error(function() host:softirq "soft" end, "there is no kind 'soft'")
  t:error(function() host:softirq("hi", { cpu = 1 }) end, "EINVAL")
  t:error(function() host:softirq("hi", { cost = "2s" }) end, "EINVAL")
end)

tap.test("a timer that fires is a TIMER softirq of its CPU", function(t)
  local host, peer = station()
  local before = softirqs(host, "TIMER")[1]
  local socket = host:socket "tcp"
  socket:nonblock()
  socket:try("connect", "192.0.2.9", 80)
  peer:collect { during = "3500ms" }
  t:is(softirqs(host, "TIMER")[1] - before, host:counter "TcpRetransSegs")
  t:ok(host:counter "TcpRetransSegs" >= 2)
end)

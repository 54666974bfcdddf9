-- SPDX-License-Identifier: MIT
-- virtio-net: the same card behind split virtqueues. All suites run on it (tapline run --nic virtio);
-- here is what only virtqueues have.
local tap = require "tap"
local net = require "net"
local card = require "suite.card"
local ip, icmp, udp = net.ip, net.icmp, net.udp

local function station(o) return card.station("virtio", o) end

local drain = card.drain

tap.test("the vectors' names tell the model", function(t)
  local host = station { queues = 2, cpus = 2 }
  t:like(host:proc "/proc/interrupts", "eth0%-virtio%-0\n.*eth0%-virtio%-1")
end)

for idx = 0, 1 do
  local name = idx == 1 and "by index" or "by flags"
  tap.test("notification " .. name .. ": datagrams both ways, the queues go round many times", function(t)
    local host, peer, socket = station { rx_ring = 32, tx_ring = 32, ethtool = { virtio_event_idx = idx } }
    for round = 1, 30 do
      for i = 1, 20 do peer:send(udp{} / ("in %d %d"):format(round, i)) end
      net.sleep "50us"
      local list = drain(socket)
      t:is(#list, 20)
      t:is(list[20], ("in %d 20"):format(round))
      for i = 1, 10 do socket:send(("out %d %d"):format(round, i)) end
      local frames = peer:collect { during = "50us" }
      t:is(#frames, 10)
      t:is(frames[10].payload, ("out %d 10"):format(round))
    end
    t:is(host:counter "eth0.rx_packets", 600)
    t:is(host:counter "eth0.tx_packets", 300)
  end)

  tap.test("notification " .. name .. ": while the driver polls, what is used interrupts nobody", function(t)
    local host, peer = station { rx_ring = 512, ethtool = { virtio_event_idx = idx } }
    host:cost { rx_packet = "5us" }
    host:hook("pre_routing", function() return "drop" end)
    local before = host:counters()
    for i = 1, 600 do
      peer:send(udp{} / tostring(i))
      net.sleep "1us"
    end
    net.sleep "5ms"
    t:is(host:counter "eth0.rx_packets", 600)
    local change = host:changes(before, "^eth0.hw_inter")
    t:ok(change["eth0.hw_interrupts"] <= 8)
    t:ok(change["eth0.hw_interrupts_suppressed"] >= 50)
  end)

  tap.test("notification " .. name .. ": while the device is busy sending, more packets need no notification",
    function(t)
      local host, peer, socket = station { ethtool = { virtio_event_idx = idx } }
      host.wire:set { rate = 10000000, from = "host" }
      local before = host:counter "eth0.hw_notifications"
      for i = 1, 40 do socket:send(tostring(i)) end
      t:is(#peer:collect { during = "100ms" }, 40)
      t:is(host:counter "eth0.hw_notifications" - before, 1)
      socket:send "again"
      t:is(#peer:collect { during = "1ms" }, 1)
      t:is(host:counter "eth0.hw_notifications" - before, 2)
    end)
end

tap.test("what a user sees: an interrupt is lost; by index the queue stands still, by flags the next frame wakes it",
  function(t)
    for idx = 0, 1 do
      local host, peer, socket = station { ethtool = { virtio_event_idx = idx, irq_lost = 1 } }
      peer:send(udp{} / "1")
      net.sleep "1ms"
      t:is(drain(socket), {})
      peer:send(udp{} / "2")
      net.sleep "1s"
      t:is(drain(socket), idx == 0 and { "1", "2" } or {})
      -- The device has counted the frames, the driver has not: they lie in the used ring.
      t:is(host:counter "eth0.hw_rx_frames", 2)
      t:is(host:counter "eth0.rx_packets", idx == 0 and 2 or 0)
      t:is(host:counter "eth0.hw_interrupts_lost", 1)
      t:is(host:counter "eth0.hw_interrupts_suppressed" > 0, idx == 1)
      host:ethtool { irq_spurious = 1 }
      net.sleep "1ms"
      t:is(drain(socket), idx == 1 and { "1", "2" } or {})
    end
  end)

tap.test("mergeable buffers: a jumbo frame lies in as many as it needs, and costs what it is long", function(t)
  local host, peer, socket = station { mtu = 9000, rx_ring = 64 }
  for _, size in ipairs { 1, 1482, 1494, 1495, 1496, 3000, 8972 } do
    peer:send(udp{} / net.pattern(1, size))
    net.sleep "10us"
    t:is((socket:recv()), net.pattern(1, size))
  end
  t:is(host:counter "eth0.rx_missed_errors", 0)
end)

tap.test("a frame that needs more buffers than wait is missed, a shorter one behind it is not", function(t)
  local host, peer, socket = station { mtu = 9000, rx_ring = 8 }
  host:cost { poll = "1ms" }
  for i = 1, 4 do peer:send(udp{} / "small") end
  peer:send(udp{} / ("x"):rep(8000))
  peer:send(udp{} / "last")
  net.sleep "10ms"
  t:is(drain(socket), { "small", "small", "small", "small", "last" })
  t:is(host:counter "eth0.rx_missed_errors", 1)
end)

tap.test("a queue of 8: all of them are buffers", function(t)
  local host, peer, socket = station { rx_ring = 8 }
  host:cost { poll = "1ms" }
  for i = 1, 12 do peer:send(udp{} / tostring(i)) end
  net.sleep "10ms"
  t:is(drain(socket), { "1", "2", "3", "4", "5", "6", "7", "8" })
  t:is(host:counter "eth0.rx_missed_errors", 4)
end)

tap.test("a full transmit queue stops and goes on, nothing is lost: two descriptors a packet", function(t)
  local host, peer, socket = station { tx_ring = 16, rate = 10000000 }
  for i = 1, 40 do socket:send(tostring(i)) end
  local list = peer:collect { during = "1s" }
  t:is(#list, 40)
  for i = 1, 40 do t:is(list[i].payload, tostring(i)) end
  t:ok(host:counter "eth0.queue_0_tx_stopped" > 0)
  t:is(host:counter "eth0.queue_0_tx_restart", host:counter "eth0.queue_0_tx_stopped")
end)

tap.test("the device's hash and verdict of the checksum come in the header", function(t)
  local host, peer, socket = station { queues = 4, cpus = 4, ethtool = { rx_csum = 1 } }
  for i = 1, 50 do peer:send(udp{ sport = 5000 } / "x") end
  net.sleep "1ms"
  t:is(#drain(socket), 50)
  local busy = 0
  for q = 0, 3 do
    local n = host:counter(("eth0.queue_%d_rx_packets"):format(q))
    if n > 0 then
      busy = busy + 1
      t:is(n, 50)
      t:is(host:counter(("eth0.queue_%d_rx_csum_good"):format(q)), 50)
    end
  end
  t:is(busy, 1)
end)

tap.test("offloads in the header: TSO by the device gives the frames that software gives", function(t)
  local function frames(ethtool)
    local host, peer, socket = station { ethtool = ethtool }
    socket:option("UDP_SEGMENT", 500)
    socket:send(net.pattern(1, 1800))
    local list, first = {}, nil
    for i, f in ipairs(peer:collect { during = "1ms" }) do
      t:is(f.udp.checksum_status, "good")
      first = first or f.ip.id
      list[i] = { f.ip.id - first & 0xffff, f.udp.len, f.payload }
    end
    return list, host:counter "eth0.hw_tx_tso"
  end
  local soft, n = frames {}
  t:is(n, 0)
  local hard, m = frames { tx_csum = 1, tx_udp_segmentation = 1 }
  t:is(m, 1)
  t:is(#hard, 4)
  t:is(hard, soft)
end)

tap.test("a stuck device: the watchdog resets it after 5 s, what was queued is dropped and counted", function(t)
  local host, peer, socket = station()
  host:ethtool { tx_stall = 1 }
  for i = 1, 300 do socket:try("send", "x", { flags = "dontwait" }) end
  net.sleep "20s"
  t:ok(host:counter "eth0.queue_0_tx_timeouts" >= 1)
  t:ok(host:drops "DEV_READY" > 0)
  peer:collect { during = "1s" }
  socket:send "alive"
  t:is(peer:collect { during = "1s" }[1].payload, "alive")
  peer:send(udp{} / "in")
  t:is((socket:recv()), "in")
end)

tap.test("down and up, other sizes, fewer queues: nothing leaks, frames go on", function(t)
  local host, peer, socket = station { queues = 4, cpus = 4 }
  for _, o in ipairs { { rx_ring = 64 }, { tx_ring = 32 }, { channels = 2 }, { rx_ring = 512 }, { virtio_event_idx = 0 },
    { channels = 4 } } do
    for i = 1, 5 do peer:send(udp{} / "in the ring") end
    host:ethtool(o)
    net.sleep "10us"
    drain(socket)
    peer:send(udp{} / "after")
    t:is((socket:recv()), "after")
  end
  host:link { up = false }
  host:link { up = true }
  peer:send(udp{} / "after")
  t:is((socket:recv()), "after")
end)

tap.test("no memory for a buffer: the queue runs empty, frames are missed, half a second later it is filled", function(t)
  local host, peer, socket = station { rx_ring = 8 }
  for i = 1, 12 do peer:send(udp{} / tostring(i)) end
  host:fault("alloc", { skip = 0, count = 100 })
  net.sleep "1ms"
  host:fault("alloc", { skip = 1000000, count = 1 })
  net.sleep "1s"
  drain(socket)
  peer:send(udp{} / "again")
  t:is((socket:recv()), "again")
  t:ok(host:counter "eth0.queue_0_rx_alloc_failed" > 0)
end)

tap.test("virtio_event_idx is a setting of virtio's alone", function(t)
  local host = net.host { addr = "192.0.2.1/24", model = "ring" }
  t:error(function() host:ethtool { virtio_event_idx = 0 } end, "EOPNOTSUPP")
  t:error(function() net.host { model = "e1000" } end, "\"ring\", \"virtio\" or \"tun\"")
end)

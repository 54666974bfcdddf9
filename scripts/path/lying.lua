-- SPDX-License-Identifier: MIT
-- A card that lies to its driver: completions of what was not given to it, lengths that no buffer has,
-- frames without an end. What Linux's drivers make of it, what the counters tell, and that a reset
-- brings everything back; on both models.
local tap = require "tap"
local net = require "net"
local card = require "suite.card"
local udp = net.udp

local drain = card.drain

local function alive(t, host, peer, socket)
  peer:send(udp{} / "in")
  net.sleep "1ms"
  t:is(drain(socket), { "in" })
  peer:collect()
  socket:send "out"
  t:is(peer:collect { during = "1ms" }[1].payload, "out")
end

local function send(peer, first, last)
  for i = first, last do peer:send(udp{} / tostring(i)) end
  net.sleep "1ms"
end

local resets = {
  ["ethtool --reset"] = function(host) host:ethtool { reset = 1 } end,
  ["down and up"] = function(host) host:link { up = false } host:link { up = true } end,
  ["another ring size"] = function(host) host:ethtool { rx_ring = 64 } end,
  ["fewer channels"] = function(host) host:ethtool { channels = 1 } end,
}
local ways = {}
for name in pairs(resets) do ways[#ways + 1] = name end
table.sort(ways)

for _, model in ipairs { "ring", "virtio" } do
  local function station(o) return card.station(model, o) end

  tap.test(model .. ": a length that no buffer has: the frame is given up and counted, the next ones come", function(t)
    local host, peer, socket = station()
    host:ethtool { rx_bad_len = 2 }
    send(peer, 1, 5)
    t:is(drain(socket), { "3", "4", "5" })
    t:is(host:counter "eth0.queue_0_rx_length_errors", 2)
    t:is({ host:counter "eth0.rx_length_errors", host:counter "eth0.rx_errors" }, { 2, 2 })
    -- The device itself is of the opinion that all is well.
    t:is(host:counter "eth0.hw_rx_frames", 5)
    alive(t, host, peer, socket)
  end)

  tap.test(model .. ": every buffer of a jumbo frame is looked at", function(t)
    local host, peer, socket = station { mtu = 9000, rx_ring = 64 }
    host:ethtool { rx_bad_len = 1 }
    peer:send(udp{} / net.pattern(1, 8000))
    peer:send(udp{} / net.pattern(2, 8000))
    net.sleep "1ms"
    t:is(drain(socket), { net.pattern(2, 8000) })
    t:is(host:counter "eth0.queue_0_rx_length_errors", 1)
  end)

  tap.test(model .. ": a hundred lies, one reset: nothing leaks, the accounts agree again", function(t)
    for _, way in ipairs(ways) do
      local host, peer, socket = station { queues = 2, cpus = 2, rx_ring = 32 }
      host:ethtool { rx_bad_len = 20 }
      send(peer, 1, 40)
      host:ethtool { rx_no_eop = 30 }
      send(peer, 41, 100)
      drain(socket)
      resets[way](host)
      host:ethtool { rx_no_eop = 0, rx_bad_len = 0 }
      net.sleep "1ms"
      alive(t, host, peer, socket)
    end
  end)

  tap.test(model .. ": an IOMMU finds nothing to refuse while the device keeps to its descriptors", function(t)
    local host, peer, socket = station { mtu = 9000, rx_ring = 64, tx_ring = 64, ethtool = { dma_strict = 1 } }
    for round = 1, 20 do
      peer:send(udp{} / net.pattern(round, 100 * round))
      net.sleep "1ms"
      t:is(drain(socket), { net.pattern(round, 100 * round) })
      socket:send(net.pattern(round, 400 * round))
    end
    t:is(#peer:collect { during = "10ms" }, 20)
    host:ethtool { rx_ring = 32 }
    alive(t, host, peer, socket)
    t:is(host:counter "eth0.dma_faults", 0)
  end)
end

tap.test("ring: a frame without an end goes on in the next one", function(t)
  local host, peer, socket = card.station "ring"
  host:ethtool { rx_no_eop = 1 }
  send(peer, 1, 1)
  t:is(drain(socket), {}) -- it may come yet
  send(peer, 2, 4)
  -- As igb: all up to the next end is one frame, of which IP takes what is its own.
  t:is(drain(socket), { "1", "3", "4" })
  t:is(host:counter "eth0.queue_0_rx_length_errors", 0)
  t:is(host:counter "eth0.hw_rx_frames", 4)
  t:is(host:counter "eth0.rx_packets", 3)
end)

tap.test("ring: ends that never come: what is there is thrown away up to the next end, the ring goes on", function(t)
  local host, peer, socket = card.station("ring", { rx_ring = 16 })
  host:ethtool { rx_no_eop = 20 }
  send(peer, 1, 14)
  t:is(host:counter "eth0.queue_0_rx_length_errors", 0)
  send(peer, 15, 15) -- the last descriptor that the device had
  t:is(host:counter "eth0.queue_0_rx_length_errors", 1)
  send(peer, 16, 20)
  send(peer, 21, 23) -- the first of them has the end of what is discarded
  t:is(drain(socket), { "22", "23" })
  t:is(host:counter "eth0.queue_0_rx_length_errors", 1)
  t:is(host:counter "eth0.rx_missed_errors", 0)
end)

tap.test("virtio: more buffers announced than used: the frame is given up with what is there", function(t)
  local host, peer, socket = card.station "virtio"
  host:ethtool { rx_no_eop = 1 }
  send(peer, 1, 1)
  send(peer, 2, 3)
  t:is(drain(socket), { "2", "3" })
  t:is(host:counter "eth0.queue_0_rx_length_errors", 1)
  -- What waits behind it is taken for a part of it.
  host:ethtool { rx_no_eop = 1 }
  send(peer, 4, 6)
  send(peer, 7, 7)
  t:is(drain(socket), { "7" })
  t:is(host:counter "eth0.queue_0_rx_length_errors", 2)
end)

tap.test("virtio: 'id %u out of range': the receive queue is broken and silent until the reset; sending goes on",
  function(t)
    for _, way in ipairs(ways) do
      local host, peer, socket = card.station("virtio", { queues = way == "fewer channels" and 2 or 1, rx_ring = 32 })
      host:ethtool { used_bad_id = 1, queue = 0 }
      if way == "fewer channels" then host:ethtool { used_bad_id = 1, queue = 1 } end
      send(peer, 1, 40)
      t:is(drain(socket), {})
      local broken = host:counter "eth0.queue_0_broken"
      if way == "fewer channels" then broken = broken + host:counter "eth0.queue_1_broken" end
      t:ok(broken >= 1, way)
      -- The device sees frames come and its ring fill; the driver takes none.
      t:is(host:counter "eth0.rx_packets", 0)
      t:ok(host:counter "eth0.hw_rx_frames" > 0)
      resets[way](host)
      host:ethtool { used_bad_id = 0, queue = 0 }
      net.sleep "1ms"
      alive(t, host, peer, socket)
    end
  end)

tap.test("virtio: a buffer given back twice: 'id %u is not a head!'", function(t)
  local host, peer, socket = card.station "virtio"
  host:cost { poll = "1us" }
  host:ethtool { used_twice = 1 }
  net.trace "nic_bad_ring"
  send(peer, 1, 3)
  local seen = net.traces()
  t:is(#seen, 1)
  t:is({ seen[1].ring, seen[1].why, seen[1].value }, { 0, 1, 0 })
  t:is(drain(socket), { "1" })
  t:is(host:counter "eth0.queue_0_broken", 1)
  send(peer, 4, 4)
  t:is(drain(socket), {})
  host:ethtool { reset = 1 }
  alive(t, host, peer, socket)
end)

tap.test("virtio: the used index runs ahead: no buffer there in the first round, an old one later", function(t)
  local host, peer, socket = card.station("virtio", { rx_ring = 8 })
  host:ethtool { used_ahead = 1 }
  send(peer, 1, 3)
  -- What the ring holds there is 0: the very buffer that was taken right before.
  t:ok(#drain(socket) <= 2)
  host:ethtool { reset = 1 }
  alive(t, host, peer, socket)
  send(peer, 1, 30)
  drain(socket)
  host:ethtool { used_ahead = 5 }
  send(peer, 1, 3)
  drain(socket)
  host:ethtool { reset = 1 }
  alive(t, host, peer, socket)
end)

tap.test("what a user sees: the transmit queue of a virtio card is broken; datagrams vanish, tx_fifo_errors counts them",
  function(t)
    local host, peer, socket = card.station "virtio"
    host:ethtool { used_bad_id = 1 }
    socket:send "1"
    t:is(#peer:collect { during = "1ms" }, 1) -- it has left: only the completion lies
    for i = 2, 4 do socket:send(tostring(i)) end
    t:is(#peer:collect { during = "1s" }, 0)
    t:is(host:counter "eth0.queue_0_broken", 1)
    t:is({ host:counter "eth0.tx_fifo_errors", host:counter "eth0.tx_dropped" }, { 3, 3 })
    -- Receiving is another queue.
    peer:send(udp{} / "in")
    net.sleep "1ms"
    t:is(drain(socket), { "in" })
    host:ethtool { reset = 1 }
    alive(t, host, peer, socket)
  end)

tap.test("virtio: a transmit queue that breaks while it is full: the watchdog resets the card", function(t)
  local host, peer, socket = card.station("virtio", { tx_ring = 16, rate = 1000000 })
  for i = 1, 40 do socket:send(tostring(i)) end
  host:ethtool { used_bad_id = 1 }
  net.sleep "20s"
  t:is(host:counter "eth0.queue_0_broken", 1)
  t:is(host:counter "eth0.queue_0_tx_timeouts", 1)
  alive(t, host, peer, socket)
end)

tap.test("lies of virtqueues are no faults of rings; a virtqueue's size is a power of 2", function(t)
  local ring, virtio = card.station "ring", card.station "virtio"
  for _, name in ipairs { "used_bad_id", "used_twice", "used_ahead" } do
    t:error(function() ring:ethtool { [name] = 1 } end, "EOPNOTSUPP")
  end
  ring:ethtool { rx_ring = 48 }
  t:error(function() virtio:ethtool { rx_ring = 48 } end, "EINVAL")
  t:error(function() virtio:ethtool { tx_ring = 100 } end, "EINVAL")
end)

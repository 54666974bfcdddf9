-- SPDX-License-Identifier: MIT
-- Scatter and gather: a packet in pieces (what GRO has merged, and a router sends on) reaches the card as
-- several descriptors; without it, it is put together first. Nobody sees a difference on the wire.
local tap = require "tap"
local net = require "net"
local tcp = net.tcp

-- A router whose second card sends what GRO made of the first one's frames. give(n): n segments of `size`
-- octets in one burst; how they left: { octets in order, frames }.
local function router(o)
  local host = net.host { addr = "192.0.2.1/24", model = o.model, sysctl = { ["net.ipv4.ip_forward"] = 1 } }
  local out = host:nic { addr = "198.51.100.1/24", model = o.model, tx_ring = o.tx_ring }
  local peer = host.wire:peer { addr = "192.0.2.9" }
  local far = out.wire:peer { addr = "198.51.100.9" }
  host:neigh { addr = peer.addr, mac = peer.mac }
  host:neigh { addr = far.addr, mac = far.mac, dev = "eth1" }
  host:ethtool { rx_csum = 1 }
  host:ethtool { dev = "eth1", tx_csum = 1, sg = o.sg or 1, tso = o.tso or 1 }
  local seq = 1
  local function give(n, size, gather)
    local first = seq
    for i = 1, n do
      local p = net.ip{ dst = "198.51.100.9", df = true, id = i } /
        tcp{ sport = 5, dport = 80, flags = i == n and "PA" or "A", seq = seq, ack = 1 } / net.pattern(seq, size)
      peer:send(p)
      seq = seq + size
    end
    local data, frames = {}, far:collect { during = gather or "5ms" }
    for i, f in ipairs(frames) do data[i] = f.payload end
    return table.concat(data) == net.pattern(first, n * size), #frames
  end
  return host, give, far, out, peer
end

for _, model in ipairs { "ring", "virtio" } do
  for sg = 0, 1 do
    tap.test(("%s, sg %d: the same frames leave, cut by the card or by software"):format(model, sg), function(t)
      for tso = 0, 1 do
        local host, give = router { model = model, sg = sg, tso = tso }
        t:is({ give(10, 1000) }, { true, 10 })
        t:is(host:counter "eth1.hw_tx_tso", sg & tso, "no TSO without sg")
        t:is({ give(1, 1000) }, { true, 1 })
      end
    end)
  end

  tap.test(model .. ": sg off takes tso with it, and it comes back", function(t)
    local host = router { model = model }
    local function state(what) return host:ethtool("-k eth1"):match("\n" .. what .. ": (%a+)") end
    t:is({ state "scatter%-gather", state "tcp%-segmentation%-offload" }, { "on", "on" })
    host:ethtool { dev = "eth1", sg = 0 }
    t:is({ state "scatter%-gather", state "tcp%-segmentation%-offload" }, { "off", "off" })
    host:ethtool { dev = "eth1", sg = 1 }
    t:is(state "tcp%-segmentation%-offload", "on")
  end)

  tap.test(model .. ": more pieces than a packet may have (18): software cuts it, as it has no FRAGLIST", function(t)
    local host, give = router { model = model }
    t:is({ give(18, 500) }, { true, 18 })
    t:is(host:counter "eth1.hw_tx_tso", 1)
    t:is({ give(19, 500) }, { true, 19 })
    t:is(host:counter "eth1.hw_tx_tso", 1)
    t:is({ give(40, 500) }, { true, 40 })
  end)

  tap.test(model .. ": a ring of 8: what does not fit in pieces is put together, the queue stops and wakes", function(t)
    local host, give = router { model = model, tx_ring = 8 }
    t:is({ give(16, 500) }, { true, 16 })
    t:is(host:counter "eth1.hw_tx_tso", 1)
    t:is({ give(5, 500) }, { true, 5 })
    local slow, give_slow, far, out = router { model = model, tx_ring = 16 }
    out.wire:set { rate = 10000000 }
    local right, frames = give_slow(5, 500)
    for _ = 1, 4 do right, frames = give_slow(5, 500, "100us") end
    far:collect { during = "100ms" }
    t:ok(slow:counter "eth1.queue_0_tx_stopped" + slow:counter "eth1.queue_0_tx_busy" > 0)
    t:ok(slow:counter "eth1.queue_0_tx_restart" > 0)
    t:is(slow:counter "eth1.queue_0_tx_packets", 25)
  end)

  tap.test(model .. ": a later piece that is no memory: the packet is lost and counted, all of it is free", function(t)
    local host, give = router { model = model }
    host:ethtool { dev = "eth1", tx_bad_desc = 1 }
    local right, frames = give(10, 1000)
    t:is(frames, 0)
    t:is(host:counter "eth1.hw_tx_bad_descriptor", 1)
    t:is(host:counter "eth1.tx_errors", 1)
    t:is({ give(10, 1000) }, { true, 10 })
  end)

  tap.test(model .. ": down and up with pieces in the ring", function(t)
    local host, give = router { model = model }
    host:ethtool { dev = "eth1", tx_stall = 1 }
    t:is({ give(10, 1000) }, { false, 0 })
    host:link { dev = "eth1", up = false }
    t:is(host:drops "DEV_READY", 1)
    host:link { dev = "eth1", up = true }
    t:is({ give(10, 1000) }, { true, 10 })
  end)
end

tap.test("what a user sees when it goes wrong: a router's GRO on, DF set: ICMP \"too big\" is not the answer to what came small", function(t)
  local host, give, _, _, peer = router { model = "ring" }
  t:is({ give(10, 1400) }, { true, 10 })
  t:is(host:counter "IpFragFails", 0)
  t:is(host:counter "IpForwDatagrams", 1, "one packet for IP, ten for the wire")
  -- The way out is narrower than the segments: then it is.
  host:link { dev = "eth1", mtu = 1000 }
  give(2, 1400)
  peer:expect(net.icmp{ type = "dest-unreach", code = "frag-needed", mtu = 1000 }, { within = "0s" })
  t:is(host:counter "IpFragFails", 1)
end)

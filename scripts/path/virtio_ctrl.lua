-- SPDX-License-Identifier: MIT
-- The control queue of virtio-net (VIRTIO 1.2, 5.1.6.5): which frames the device takes, its address, its queues,
-- announcements. What the filters do is the same on a card of rings; those cases run on both.
local tap = require "tap"
local net = require "net"
local card = require "suite.card"
local udp = net.udp

local drain = card.drain

local function taken(host, fn)
  local before = host:counter "eth0.hw_rx_filtered"
  fn()
  net.sleep "1ms"
  return host:counter "eth0.hw_rx_filtered" - before
end

-- To an address, with a tag or without: nobody above wants it.
local function raw(peer, dst, tag)
  local frame = net.eth{ dst = dst, type = 0x88b5 }
  if tag then frame = net.eth{ dst = dst } / net.vlan{ id = tag, type = 0x88b5 } end
  peer:send(frame / "x")
end

-- A struct ip_mreqn: group, no address, interface.
local function join(socket, group)
  local bytes = ""
  for n in group:gmatch("%d+") do bytes = bytes .. string.char(tonumber(n)) end
  socket:option("IP_ADD_MEMBERSHIP", bytes .. "\0\0\0\0" .. ("<I4"):pack(2))
end

for _, model in ipairs { "ring", "virtio" } do
  local function station(o) return card.station(model, o) end
  local stranger, group = "02:00:00:00:77:77", "01:00:5e:01:02:03"

  tap.test(model .. ": own address, broadcast and joined groups come in, others do not", function(t)
    local host, peer, socket = station()
    t:is(taken(host, function() raw(peer, stranger) raw(peer, group) end), 2)
    t:is(taken(host, function() raw(peer, "ff:ff:ff:ff:ff:ff") raw(peer, host.mac) end), 0)
    join(socket, "224.1.2.3")
    t:is(taken(host, function() raw(peer, group) raw(peer, stranger) end), 1)
  end)

  tap.test(model .. ": promisc takes all, allmulti all groups, and back", function(t)
    local host, peer = station()
    host:link { allmulti = true }
    t:is(taken(host, function() raw(peer, stranger) raw(peer, group) end), 1)
    host:link { allmulti = false, promisc = true }
    t:is(taken(host, function() raw(peer, stranger) raw(peer, group) end), 0)
    host:link { promisc = false }
    t:is(taken(host, function() raw(peer, stranger) raw(peer, group) end), 2)
  end)

  tap.test(model .. ": a new address is the one that is listened to, over a reset too", function(t)
    local host, peer = station()
    local old = host.mac
    host:link { address = "02:00:00:00:00:42" }
    for _ = 1, 2 do
      t:is(taken(host, function() raw(peer, old) end), 1)
      t:is(taken(host, function() raw(peer, "02:00:00:00:00:42") end), 0)
      host:ethtool { reset = 1 }
    end
  end)

  tap.test(model .. ": the VLAN filter lets VLANs in that there are devices for", function(t)
    local host, peer = station()
    local five = host:link_add { type = "vlan", link = "eth0", id = 5 }
    -- Off: all tags come in, and are sorted out above.
    t:is(taken(host, function() raw(peer, host.mac, 5) raw(peer, host.mac, 6) raw(peer, host.mac, 0) end), 0)
    host:ethtool { rx_vlan_filter = 1 }
    t:is(taken(host, function() raw(peer, host.mac, 5) raw(peer, host.mac, 6) raw(peer, host.mac, 0) end), 1)
    local six = host:link_add { type = "vlan", link = "eth0", id = 6 }
    t:is(taken(host, function() raw(peer, host.mac, 6) raw(peer, host.mac, 7) end), 1)
    host:ethtool { reset = 1 }
    t:is(taken(host, function() raw(peer, host.mac, 6) raw(peer, host.mac, 7) end), 1)
    host:link_del(six)
    t:is(taken(host, function() raw(peer, host.mac, 5) raw(peer, host.mac, 6) end), 1)
    -- Priority tags are nobody's to take away; one that went while the card was down is gone.
    host:link_del(host:link_add { type = "vlan", link = "eth0", id = 0 })
    t:is(taken(host, function() raw(peer, host.mac, 0) end), 0)
    host:link { up = false }
    host:link_del(five)
    host:link { up = true }
    t:is(taken(host, function() raw(peer, host.mac, 0) raw(peer, host.mac, 5) end), 1)
    host:link { promisc = true }
    t:is(taken(host, function() raw(peer, host.mac, 6) end), 0)
    host:link { promisc = false }
    host:ethtool { rx_vlan_filter = 0 }
    t:is(taken(host, function() raw(peer, host.mac, 6) end), 0)
  end)

  tap.test(model .. ": more groups than a table has entries: none is missed", function(t)
    local host, peer, socket = station()
    host:sysctl("net.ipv4.igmp_max_memberships", 200)
    for i = 1, 100 do
      join(socket, "224.1.3." .. i)
    end
    t:is(taken(host, function()
      for i = 1, 100 do raw(peer, ("01:00:5e:01:03:%02x"):format(i)) end
    end), 0)
  end)
end

tap.test("commands are counted, none is refused", function(t)
  local host = card.station("virtio", { queues = 4, cpus = 4 })
  t:ok(host:counter "eth0.ctrl_commands" > 0)
  host:ethtool { channels = 2 }
  host:link { promisc = true }
  host:link { up = false }
  host:link { up = true }
  t:is(host:counter "eth0.ctrl_failed", 0)
end)

tap.test("ethtool -L: the device spreads frames over the pairs in use", function(t)
  local host, peer = card.station("virtio", { queues = 4, cpus = 4 })
  host:hook("pre_routing", function() return "drop" end)
  local function busy()
    local before = host:counters()
    for port = 1, 64 do peer:send(udp{ sport = 2000 + port } / "x") end
    net.sleep "1ms"
    local n = 0
    for name in pairs(host:changes(before, "^eth0.queue_%d_rx_packets")) do n = n + (name and 1 or 0) end
    return n
  end
  t:is(busy(), 4)
  host:ethtool { channels = 2 }
  t:is(busy(), 2)
  host:ethtool { channels = 1 }
  t:is(busy(), 1)
  host:ethtool { channels = 3 }
  t:is(busy(), 3)
end)

tap.test("announce: the device was moved; a gratuitous ARP tells the switches, the device hears that it was done",
  function(t)
    local host, peer = card.station "virtio"
    peer:collect()
    local before = host:counter "eth0.ctrl_commands"
    host:ethtool { announce = 1 }
    local list = peer:collect { during = "10ms" }
    t:is(#list, 1)
    t:is({ list[1].arp.spa, list[1].arp.tpa }, { "192.0.2.1", "192.0.2.1" })
    t:is(host:counter "eth0.ctrl_commands" - before, 1)
    t:is(host:counter "eth0.ctrl_failed", 0)
    -- Once for each time that it asks.
    host:link { carrier = false }
    host:link { carrier = true }
    t:is(#peer:collect { during = "10ms" }, 0)
    host:ethtool { announce = 1 }
    t:is(#peer:collect { during = "10ms" }, 1)
  end)

tap.test("what a user sees: a device without a control queue takes all frames, has one pair, and can not be told",
  function(t)
    local host, peer, socket = card.station "virtio"
    host:ethtool { virtio_ctrl_vq = 0 }
    t:is(taken(host, function() raw(peer, "02:00:00:00:77:77") raw(peer, "01:00:5e:01:02:03") end), 0)
    t:error(function() host:ethtool { rx_vlan_filter = 1 } end, "EOPNOTSUPP")
    t:error(function() host:ethtool { announce = 1 } end, "EOPNOTSUPP")
    peer:send(udp{} / "in")
    net.sleep "1ms"
    t:is(drain(socket), { "in" })
    host:ethtool { virtio_ctrl_vq = 1 }
    t:is(taken(host, function() raw(peer, "02:00:00:00:77:77") end), 1)
    local four = card.station("virtio", { queues = 4, cpus = 4 })
    t:error(function() four:ethtool { virtio_ctrl_vq = 0 } end, "EBUSY")
    four:ethtool { channels = 1 }
    four:ethtool { virtio_ctrl_vq = 0 }
    t:error(function() four:ethtool { channels = 2 } end, "EOPNOTSUPP")
    local ring = card.station "ring"
    t:error(function() ring:ethtool { virtio_ctrl_vq = 0 } end, "EOPNOTSUPP")
    t:error(function() ring:ethtool { announce = 1 } end, "EOPNOTSUPP")
  end)

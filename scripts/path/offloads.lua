-- SPDX-License-Identifier: MIT
-- Offloads must not be seen: whatever GRO, LRO, GSO, TSO and checksum offload do between, the socket gets the
-- same bytes, TCP's stream and UDP's datagrams, over both models of the card.
local tap = require "tap"
local net = require "net"

local function pair(o)
  local wire = net.wire { delay = "100us", rate = 200000000 }
  local a = net.host { addr = "192.0.2.1/24", wire = wire, model = o.a }
  local b = net.host { addr = "192.0.2.2/24", wire = wire, model = o.b }
  a:neigh { addr = "192.0.2.2", mac = b.mac }
  b:neigh { addr = "192.0.2.1", mac = a.mac }
  if o.faults then wire:set(o.faults) end
  for _, host in ipairs { a, b } do
    host:ethtool { gro = o.gro, rx_csum = o.csum, tx_csum = o.csum, tso = o.tso, tx_udp_segmentation = o.tso,
      rx_usecs = o.usecs or 50 }
    if host.nics[1].model == net.C.NIC_MODEL_RING then host:ethtool { lro = o.lro } end
  end
  return a, b, wire
end

local function stream(a, b, size)
  local server = b:socket "tcp":listen(80)
  local reader = net.spawn(function()
    local conn, list = server:accept(), {}
    while true do
      local data = conn:recv(65536)
      if data == "" then break end
      list[#list + 1] = data
    end
    conn:close()
    return table.concat(list)
  end)
  local client = a:socket "tcp"
  client:connect("192.0.2.2", 80)
  client:send(net.pattern(1, size))
  client:close()
  return reader:join()
end

local faults = { clean = nil, loss = { loss = 20000 }, reorder = { reorder = 30000, reorder_by = "500us" },
  corrupt = { corrupt = 5000 } }

for _, models in ipairs { { "ring", "ring" }, { "virtio", "virtio" }, { "ring", "virtio" }, { "virtio", "ring" } } do
  for _, kind in ipairs { "clean", "loss", "reorder", "corrupt" } do
    tap.test(("TCP from %s to %s, %s: 60 kB are the same in all 16 settings"):format(models[1], models[2], kind),
      function(t)
        local want = net.pattern(1, 60000)
        for setting = 0, 15 do
          local a, b = pair { a = models[1], b = models[2], gro = setting & 1, csum = setting >> 1 & 1, tso = setting >> 2 & 1, lro = setting >> 3,
            faults = faults[kind] }
          if stream(a, b, 60000) ~= want then t:fail(("setting %d: other bytes"):format(setting)) end
          net.sleep "70s"
        end
        t:ok(true)
      end)
  end
end

for _, model in ipairs { "ring", "virtio" } do
  tap.test(("UDP over %s: datagrams of every length, one by one or as super-packets, in all 8 settings"):format(model),
    function(t)
      for setting = 0, 7 do
        local a, b = pair { a = model, b = model, gro = setting & 1, csum = setting >> 1 & 1, tso = setting >> 2 }
        local plain, merged = b:socket "udp", b:socket "udp"
        plain:bind(7)
        merged:bind(8)
        merged:option("UDP_GRO", 1)
        local sender = a:socket "udp"
        for _, size in ipairs { 1, 2, 3, 17, 18, 19, 500, 1471, 1472, 1473, 4000 } do
          sender:sendto(net.pattern(size, size), "192.0.2.2", 7)
          t:is((plain:recv()), net.pattern(size, size))
        end
        sender:option("UDP_SEGMENT", 400)
        sender:sendto(net.pattern(1, 3900), "192.0.2.2", 7)
        sender:sendto(net.pattern(1, 3900), "192.0.2.2", 8)
        net.sleep "2ms"
        local function all(socket)
          local list, n = {}, 0
          while true do
            local data = socket:try("recv", { flags = "dontwait" })
            if not data then return table.concat(list), n end
            list[#list + 1], n = data, n + 1
          end
        end
        local bytes, n = all(plain)
        t:is({ bytes == net.pattern(1, 3900), n }, { true, 10 })
        bytes, n = all(merged)
        t:is(bytes, net.pattern(1, 3900))
        t:ok(setting & 1 == 1 and n < 10 or n == 10)
      end
    end)
end

tap.test("fewer packets for IP with GRO, fewer for the driver with TSO: that is the gain", function(t)
  local function counts(gro, tso)
    local a, b = pair { gro = gro, csum = 1, tso = tso, usecs = 500 }
    local before = a:counters()
    stream(a, b, 300000)
    local change = a:changes(before, "^IpOutRequests$")
    return b:counter "eth0.rx_packets", b:counter "IpInReceives", change.IpOutRequests, a:counter "eth0.hw_tx_tso"
  end
  local frames, packets, sent, cut = counts(0, 0)
  t:is({ packets, cut }, { frames, 0 })
  t:ok(sent * 4 < frames, "the host makes super-packets in any case")
  local frames1, packets1 = counts(1, 0)
  t:ok(packets1 * 2 < frames1, ("%d frames, %d packets"):format(frames1, packets1))
  frames, packets, sent, cut = counts(0, 1)
  t:ok(cut > 5 and sent * 4 < frames)
end)

tap.test("what a user sees: tcpdump shows wrong checksums of sent packets with tx_csum; the wire has right ones", function(t)
  local a, b, wire = pair { gro = 0, csum = 1, tso = 0 }
  local sender, reader = a:socket "udp", b:socket "udp"
  reader:bind(7)
  sender:sendto("x", "192.0.2.2", 7)
  t:is((reader:recv()), "x")
  t:is(b:counter "UdpInCsumErrors", 0)
  t:is(b:counter "eth0.queue_0_rx_csum_good", 1)
end)

tap.test("what a user sees: frames damaged on the way are counted where the checksum is looked at", function(t)
  local a, b, wire = pair { gro = 0, csum = 0, tso = 0 }
  local sender, reader = a:socket "udp", b:socket "udp"
  reader:bind(7)
  wire:set { corrupt = 1000000, from = a }
  for i = 1, 100 do sender:sendto(net.pattern(i, 100), "192.0.2.2", 7) end
  net.sleep "100ms"
  local delivered = 0
  while reader:try("recv", { flags = "dontwait" }) do delivered = delivered + 1 end
  local dropped = b:counter "eth0.hw_rx_filtered" + b:counter "IpInHdrErrors" + b:counter "UdpInErrors" +
    b:counter "IpExtInCsumErrors" + b:counter "UdpNoPorts" + b:counter "IpInAddrErrors"
  t:ok(b:counter "UdpInCsumErrors" > 50)
  t:ok(delivered < 10, tostring(delivered))
  t:ok(dropped + delivered >= 60)
end)

tap.test("LRO merges in that matrix, and both kinds of merging together give the least packets", function(t)
  local function packets(gro, lro)
    local a, b = pair { a = "ring", b = "ring", gro = gro, lro = lro, csum = 1, tso = 0, usecs = 500 }
    t:is(#stream(a, b, 300000), 300000)
    t:is(b:counter "eth0.hw_rx_lro_merged" > 50, lro == 1)
    return b:counter "IpInReceives"
  end
  local none, gro, lro, both = packets(0, 0), packets(1, 0), packets(0, 1), packets(1, 1)
  t:ok(gro * 2 < none and lro * 2 < none and both <= lro, ("%d, GRO %d, LRO %d, both %d"):format(none, gro, lro, both))
end)

-- SPDX-License-Identifier: MIT
-- The way in, from the ring to the socket: what gives out first, and where it is counted.
local tap = require "tap"
local net = require "net"
local station = require("suite.station").udp
local card = require "suite.card"
local ip, icmp, udp, arp = net.ip, net.icmp, net.udp, net.arp

local drain = card.drain

tap.test("a busy CPU lets the receive ring fill up; what finds no descriptor is counted as missed",
  function(t)
    local host, peer, socket = station { rx_ring = 64 }
    host:cost { rx_packet = "1ms" }
    for i = 1, 200 do peer:send(udp{} / tostring(i)) end
    net.sleep("1s")
    local list = drain(socket)
    local missed = host:counter("eth0.rx_missed_errors")
    t:ok(missed > 0)
    t:is(#list + missed, 200)
    t:is(host:counter("eth0.rx_packets"), #list)
    t:is(host:counter("IpInReceives"), #list)
    for i = 1, 32 do t:is(list[i], tostring(i)) end
    peer:send(udp{} / "ring is free again")
    net.sleep("10ms")
    t:is(drain(socket), { "ring is free again" })
  end)

tap.test("a planted ring overflow loses exactly the frames it was told to", function(t)
  local host, peer, socket = station()
  host:fault("rx_missed", { skip = 2, count = 3 })
  for i = 1, 10 do peer:send(udp{} / tostring(i)) end
  net.sleep("1ms")
  t:is(drain(socket), { "1", "2", "6", "7", "8", "9", "10" })
  t:is(host:counter("eth0.rx_missed_errors"), 3)
end)

tap.test("a softirq stops at netdev_budget packets, counts time_squeeze and goes on later", function(t)
  local host, peer, socket = station { sysctl = { ["net.core.netdev_budget"] = 16 } }
  for i = 1, 90 do peer:send(udp{} / tostring(i)) end
  net.sleep("1ms")
  t:is(#drain(socket), 90)
  t:ok(host:counter("softnet.0.time_squeeze") > 0)
  t:is(host:counter("softnet.0.processed"), 90)
end)

tap.test("a burst within the budget squeezes nothing", function(t)
  local host, peer, socket = station()
  for i = 1, 60 do peer:send(udp{} / tostring(i)) end
  net.sleep("1ms")
  t:is(#drain(socket), 60)
  t:is(host:counter("softnet.0.time_squeeze"), 0)
end)

tap.test("a softirq stops after netdev_budget_usecs too", function(t)
  local host, peer, socket = station { rx_ring = 512 }
  host:cost { rx_packet = "50us" }
  for i = 1, 90 do peer:send(udp{} / tostring(i)) end
  net.sleep("1s")
  t:is(#drain(socket), 90)
  t:ok(host:counter("softnet.0.time_squeeze") > 0)
end)

tap.test("packets cost time: the answer leaves when the CPU has come to it", function(t)
  local host, peer = station()
  host:cost { rx_packet = "100us" }
  for seq = 1, 3 do peer:send(icmp{ type = "echo", id = 1, seq = seq }) end
  local frames = peer:collect { during = "10ms" }
  t:is(#frames, 3)
  t:ok(frames[3].sent > frames[1].sent or frames[1].sent >= 1000)
  t:ok(frames[3].sent >= 1000, "not before the frame was there")
end)

tap.test("the per-CPU backlog refuses more than netdev_max_backlog packets", function(t)
  local host, peer, socket = station { model = "tun",
    sysctl = { ["net.core.netdev_max_backlog"] = 9 } }
  host:cost { rx_packet = "1ms" }
  for i = 1, 50 do peer:send(udp{} / tostring(i)) end
  net.sleep("1s")
  local list = drain(socket)
  t:ok(#list >= 10 and #list < 50)
  t:is(host:counter("softnet.0.dropped"), 50 - #list)
  t:is(host:drops("CPU_BACKLOG"), 50 - #list)
end)

-- Hooks -------------------------------------------------------------------------------------------

tap.test("hooks of one place are called by priority, then in the order they came", function(t)
  local host, peer, socket = station()
  local order = {}
  local function note(name) return function() order[#order + 1] = name end end
  host:hook("local_in", note "late", { priority = 100 })
  host:hook("local_in", note "first of two", { priority = 0 })
  host:hook("local_in", note "second of two", { priority = 0 })
  host:hook("local_in", note "early", { priority = -300 })
  host:hook("pre_routing", note "routing", { priority = 1000 })
  peer:send(udp{} / "x")
  t:is((socket:recv()), "x")
  t:is(order, { "routing", "early", "first of two", "second of two", "late" })
end)

tap.test("a verdict of drop ends the walk: later hooks and the socket see nothing", function(t)
  local host, peer, socket = station()
  local late = 0
  local hook = host:hook("pre_routing", function() return "drop" end)
  host:hook("pre_routing", function() late = late + 1 end, { priority = 1 })
  peer:send(udp{} / "x")
  peer:expect_nothing { during = "1ms" }
  t:is({ late, host:drops("NETFILTER_DROP"), host:counter("IpInReceives") }, { 0, 1, 1 })
  t:is(host:counter("IpInDelivers"), 0)
  hook.remove()
  peer:send(udp{} / "y")
  t:is({ (socket:recv()), late }, { "y", 1 })
end)

tap.test("a packet passes the hooks of its way in their order", function(t)
  local host, peer = station { sysctl = { ["net.ipv4.ip_forward"] = 1 } }
  local second = host:nic { addr = "198.51.100.1/24" }
  local far = second.wire:peer { addr = "198.51.100.9" }
  host:neigh { addr = far.addr, mac = far.mac, dev = second }
  local order = {}
  for _, place in ipairs { "pre_routing", "local_in", "forward", "local_out", "post_routing" } do
    host:hook(place, function() order[#order + 1] = place end)
  end
  peer:send(ip{ dst = far.addr } / udp{ dport = 9 } / "through")
  far:expect(ip{ src = peer.addr, ttl = 63 } / udp{} / "through", { within = "1ms" })
  t:is(order, { "pre_routing", "forward", "post_routing" })
  order = {}
  peer:send(icmp{ type = "echo", id = 1, seq = 1 })
  peer:expect(icmp{ type = "echo-reply" })
  t:is(order, { "pre_routing", "local_in", "local_out", "post_routing" })
end)

tap.test("a drop at local_out or post_routing keeps a datagram off the wire", function(t)
  for _, place in ipairs { "local_out", "post_routing" } do
    local host, peer, socket = station()
    host:hook(place, function() return "drop" end)
    socket:try("sendto", "x", peer.addr, 9)
    peer:expect_nothing { during = "1s" }
    t:is(host:drops("NETFILTER_DROP"), 1)
  end
end)

tap.test("a fragment passes local_in only as part of the whole datagram", function(t)
  local host, peer, socket = station()
  local seen = {}
  for _, place in ipairs { "pre_routing", "local_in" } do
    host:hook(place, function(p) seen[#seen + 1] = place .. " " .. p.ip.len end)
  end
  local whole = ip{ src = peer.addr, dst = host.addr, id = 5 } / udp{ sport = 5000, dport = 7 } / ("f"):rep(24)
  for _, piece in ipairs(net.fragments(whole, { 16 })) do peer:send(piece) end
  t:is((socket:recv()), ("f"):rep(24))
  t:is(seen, { "pre_routing 36", "pre_routing 36", "local_in 52" })
end)

-- Memory ------------------------------------------------------------------------------------------

tap.test("whichever allocation fails, a datagram arrives whole or not at all", function(t)
  local host, peer, socket = station()
  host:neigh_del(peer.addr)
  local data = ("payload "):rep(20)
  local whole, n, hit = 0, 0, true
  net.trace("fault_hit")
  while hit do
    peer:send(udp{} / data)
    peer:send(icmp{ type = "echo", id = 1, seq = n })
    peer:send(udp{ dport = 99 } / data)
    host:fault("alloc", { skip = n, count = 1 })
    peer:collect { during = "10s" }
    local got = drain(socket)
    t:ok(#got <= 1)
    if got[1] then
      t:is(got[1], data)
      whole = whole + 1
    end
    hit = #net.traces() > 0
    n = n + 1
  end
  t:ok(n > 10 and n < 100, "all allocations of a round have failed once")
  t:ok(whole > 0 and whole < n)
end)

-- SPDX-License-Identifier: MIT
-- The route of connect(): the tables are asked again with the source address that was chosen (Linux:
-- ip_route_connect).
local tap = require "tap"
local net = require "net"

-- A host with two point-to-point devices and a way to 198.51.100.0/24 over both.
local function two_ways()
  local host = net.host { model = "tun", dev = "tun0", addr = "192.0.2.1/24" }
  local second = host:nic { model = "tun", name = "tun1", addr = "203.0.113.1/24" }
  return host, host.wire:peer { addr = "192.0.2.9" }, second.wire:peer { addr = "203.0.113.9" }
end

for _, kind in ipairs { "tcp", "udp" } do
  tap.test(kind .. ": a rule about the source holds for who did not choose it", function(t)
    local host, _, far = two_ways()
    host:route { dst = "default", via = "192.0.2.9", dev = "tun0" }
    host:route { dst = "default", via = "203.0.113.9", dev = "tun1", table = 100 }
    host:rule { from = "192.0.2.1", table = 100, priority = 10 }
    local s = host:socket(kind, { nonblock = true })
    s:try("connect", "198.51.100.7", 80)
    if kind == "udp" then s:send "x" end
    local packet = far:expect(net.ip { src = "192.0.2.1", dst = "198.51.100.7" })
    t:is(packet.ip.src, "192.0.2.1", "its source, by the other device")
    s:close()
  end)

  tap.test(kind .. ": a rule about the source refuses", function(t)
    local host = two_ways()
    host:route { dst = "default", via = "192.0.2.9", dev = "tun0" }
    host:rule { from = "192.0.2.1", action = "unreachable", priority = 10 }
    local s = host:socket(kind, { nonblock = true })
    t:is(select(2, s:try("connect", "198.51.100.7", 80)), "ENETUNREACH")
  end)
end

tap.test("TCP: an address that the table local does not have is no source", function(t)
  local host = two_ways()
  host:route { dst = "10.9.9.9/32", dev = "lo", type = "local", table = 100 }
  host:rule { table = 100, priority = 10 }
  local s = host:socket("tcp", { nonblock = true })
  t:is(select(2, s:try("bind", "10.9.9.9", 7000)), "EADDRNOTAVAIL")
  t:is(select(2, s:try("connect", "10.9.9.9", 80)), "ENETUNREACH")
end)

-- By which of the two ways 32 connections to one service went.
local function spread(policy, bound)
  local host, near, far = two_ways()
  host:sysctl("net.ipv4.fib_multipath_hash_policy", policy)
  host:sysctl("net.ipv4.fib_multipath_hash_fields", 0x37) -- policy 3: with the ports
  host:ip "route add default nexthop via 192.0.2.9 dev tun0 nexthop via 203.0.113.9 dev tun1"
  for _ = 1, 32 do
    local s = host:socket("tcp", { nonblock = true })
    if bound then s:bind(bound, 0) end
    s:try("connect", "198.51.100.7", 80)
  end
  return near:collect { during = "1ms" }, far:collect { during = "1ms" }
end

for _, policy in ipairs { 1, 3 } do
  tap.test(("policy %d: connections to one service are spread before they have a port"):format(policy), function(t)
    local near, far = spread(policy)
    t:ok(#near >= 8 and #far >= 8, ("%d and %d"):format(#near, #far))
    t:is(#near + #far, 32)
    for _, syn in ipairs(near) do t:is(syn.ip.src, "192.0.2.1") end
    for _, syn in ipairs(far) do t:is(syn.ip.src, "203.0.113.1") end
  end)
end

tap.test("policy 0: all to one address go one way", function(t)
  local near, far = spread(0)
  t:is(#near * #far, 0)
  t:is(#near + #far, 32)
end)

tap.test("policy 1: who is bound to a next hop's address goes by that", function(t)
  local near, far = spread(1, "203.0.113.1")
  t:is({ #near, #far }, { 0, 32 })
end)

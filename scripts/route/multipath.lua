-- SPDX-License-Identifier: MIT
-- Several next hops: shares by weight, a flow stays with its own, one that dies leaves its flows to
-- the others; by addresses or by ports; for what this host sends and for what it forwards.
local tap = require "tap"
local net = require "net"
local ip, udp = net.ip, net.udp

local function router(words, sysctl)
  local host = net.host { addr = "192.0.2.1/24", sysctl = sysctl }
  local second = host:nic { addr = "198.51.100.1/24" }
  local a = host.wire:peer { addr = "192.0.2.9" }
  local b = second.wire:peer { addr = "198.51.100.9" }
  host:neigh { addr = a.addr, mac = a.mac }
  host:neigh { addr = b.addr, mac = b.mac, dev = second }
  host:ip("route add 203.0.113.0/24 " .. (words or "nexthop via 192.0.2.9 nexthop via 198.51.100.9"))
  return host, a, b, second
end

local function send_all(host, n)
  local s = host:socket "udp"
  for i = 1, n do s:sendto("x", "203.0.113." .. i, 9) end
  s:close()
end

tap.test("flows are spread, each packet of one the same way", function(t)
  local host, a, b = router()
  send_all(host, 100)
  local first, second = a:collect { during = "1ms" }, b:collect { during = "1ms" }
  t:is(#first + #second, 100)
  t:ok(#first > 30 and #second > 30, #first)
  local way = {}
  for _, p in ipairs(first) do way[p.ip.dst] = "a" end
  for _, p in ipairs(second) do way[p.ip.dst] = "b" end
  send_all(host, 100)
  for _, p in ipairs(a:collect { during = "1ms" }) do t:is(way[p.ip.dst], "a") end
  for _, p in ipairs(b:collect { during = "1ms" }) do t:is(way[p.ip.dst], "b") end
end)

tap.test("the source address is that of the way", function(t)
  local host, a, b = router()
  send_all(host, 60)
  for _, p in ipairs(a:collect { during = "1ms" }) do t:is(p.ip.src, "192.0.2.1") end
  for _, p in ipairs(b:collect { during = "1ms" }) do t:is(p.ip.src, "198.51.100.1") end
end)

tap.test("weights", function(t)
  local host, a, b = router "nexthop via 192.0.2.9 weight 4 nexthop via 198.51.100.9 weight 1"
  send_all(host, 200)
  local first, second = #a:collect { during = "1ms" }, #b:collect { during = "1ms" }
  t:is(first + second, 200)
  t:ok(second > 20 and second < 65, second)
  t:is(host:ip("route"):match "203.*",
    "203.0.113.0/24 \n\tnexthop via 192.0.2.9 dev eth0 weight 4 \n\tnexthop via 198.51.100.9 dev eth1 weight 1 \n")
end)

tap.test("a next hop whose device goes down leaves its flows to the other, and comes back", function(t)
  local host, a, b, second = router()
  host:link { dev = second, up = false }
  send_all(host, 50)
  t:is(#a:collect { during = "1ms" }, 50)
  host:link { dev = second, up = true }
  host:neigh { addr = b.addr, mac = b.mac, dev = second }
  send_all(host, 50)
  t:ok(#b:collect { during = "1ms" } > 10)
  a:collect { during = "1ms" }
end)

tap.test("forwarded flows: by addresses, or with hash policy 1 by ports too", function(t)
  for policy, spread in pairs { ["0"] = false, ["1"] = true } do
    local host, a, b = router(nil, { ["net.ipv4.ip_forward"] = "1",
      ["net.ipv4.fib_multipath_hash_policy"] = policy })
    local inside = host:nic { addr = "10.0.0.1/24" }
    local sender = inside.wire:peer { addr = "10.0.0.2" }
    for port = 1, 40 do
      sender:send(ip{ src = "10.0.0.2", dst = "203.0.113.5" } / udp{ sport = port, dport = 9 } / "x")
    end
    local first, second = #a:collect { during = "1ms" }, #b:collect { during = "1ms" }
    t:is(first + second, 40)
    t:is(first > 0 and second > 0, spread, policy)
  end
end)

tap.test("a path MTU that was learnt holds on the way of its flow", function(t)
  local host, a, b = router()
  local s = host:socket "udp"
  s:bind(7)
  for i = 1, 10 do
    local dst = "203.0.113." .. i
    s:sendto(("x"):rep(1000), dst, 9)
    local p = a:collect({ during = "100us" })[1] or b:collect({ during = "0s" })[1]
    local quote = net.parse(p:bytes():sub(15), "ip")
    a:send(ip{ src = "192.0.2.9", dst = p.ip.src } /
      net.icmp{ type = "dest-unreach", code = "frag-needed", mtu = 600 } / quote)
    net.sleep "100us"
    s:sendto(("x"):rep(1000), dst, 9)
    local fragments = #a:collect { during = "100us" } + #b:collect { during = "0s" }
    t:is(fragments, 2, dst)
  end
end)

tap.test("memory that is refused on the way leaves nothing behind", function(t)
  local host = router "via 192.0.2.9"
  local done
  for skip = 0, 30 do
    host:fault("alloc", { skip = skip, count = 1 })
    done = pcall(host.ip, host, "route add 10.0.0.0/8 nexthop via 192.0.2.9 nexthop via 198.51.100.9")
    host:fault("alloc", { skip = 1000000, count = 1 })
    if done then break end
    t:is(host:ip("route"):find("10.0.0.0", 1, true), nil)
  end
  t:ok(done)
  t:like(host:ip "route", "10.0.0.0/8 \n\tnexthop")
end)

-- A packet within another, as a tunnel carries it.
local function within(outer_id, src, protocol)
  local inner = (ip{ src = src, dst = "172.16.0.2" } / udp{ sport = 1, dport = 9 } / "x"):bytes()
  local gre = protocol == 47 and "\0\0\8\0" or ""
  return ip{ src = "10.0.0.2", dst = "203.0.113.5", proto = protocol, id = outer_id } / net.raw(gre .. inner)
end

tap.test("forwarded tunnels: hash policy 2 looks at what they carry", function(t)
  for _, protocol in ipairs { 4, 47 } do
    for policy, spread in pairs { ["0"] = false, ["1"] = false, ["2"] = true } do
      local host, a, b = router(nil, { ["net.ipv4.ip_forward"] = "1",
        ["net.ipv4.fib_multipath_hash_policy"] = policy })
      local inside = host:nic { addr = "10.0.0.1/24" }
      local sender = inside.wire:peer { addr = "10.0.0.2" }
      for n = 1, 40 do sender:send(within(n, "172.16.1." .. n, protocol)) end
      local first, second = #a:collect { during = "1ms" }, #b:collect { during = "1ms" }
      t:is(first + second, 40)
      t:is(first > 0 and second > 0, spread, protocol .. " " .. policy)
    end
  end
end)

tap.test("hash policy 3: the fields that are named, and no others", function(t)
  local cases = {
    { 0x10, "source port", true }, { 0x20, "destination port", false }, { 0x7, "the default", false },
    { 0x40, "inner source", true, tunnel = true }, { 0x80, "inner destination", false, tunnel = true },
  }
  for _, case in ipairs(cases) do
    local host, a, b = router(nil, { ["net.ipv4.ip_forward"] = "1",
      ["net.ipv4.fib_multipath_hash_policy"] = "3", ["net.ipv4.fib_multipath_hash_fields"] = case[1] })
    local inside = host:nic { addr = "10.0.0.1/24" }
    local sender = inside.wire:peer { addr = "10.0.0.2" }
    for n = 1, 40 do
      sender:send(case.tunnel and within(n, "172.16.1." .. n, 4) or
        ip{ src = "10.0.0.2", dst = "203.0.113.5" } / udp{ sport = n, dport = 9 } / "x")
    end
    local first, second = #a:collect { during = "1ms" }, #b:collect { during = "1ms" }
    t:is(first + second, 40)
    t:is(first > 0 and second > 0, case[3], case[2])
  end
end)

tap.test("an ICMP error goes the way of the flow that it is about", function(t)
  local host, a, b = router(nil, { ["net.ipv4.ip_forward"] = "1" })
  local inside = host:nic { addr = "10.0.0.1/24" }
  local sender = inside.wire:peer { addr = "10.0.0.2" }
  local ways = { a = 0, b = 0 }
  for n = 1, 20 do
    local src = "203.0.113." .. n
    sender:send(ip{ src = src, dst = "203.0.113.200" } / udp{ sport = 1, dport = 9 } / "x")
    local way = #a:collect { during = "1ms" } > 0 and "a" or "b"
    if way == "b" then b:collect { during = "1ms" } end
    ways[way] = ways[way] + 1
    local quoted = (ip{ src = src, dst = "203.0.113.200" } / udp{ sport = 1, dport = 9 } / "12345678"):bytes()
    sender:send(ip{ src = "10.0.0.2", dst = "203.0.113.200" } / net.icmp{ type = 3, code = 1 } / net.raw(quoted))
    t:is({ #a:collect { during = "1ms" }, #b:collect { during = "1ms" } }, way == "a" and { 1, 0 } or { 0, 1 })
  end
  t:ok(ways.a > 2 and ways.b > 2)
end)

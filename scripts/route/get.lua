-- SPDX-License-Identifier: MIT
-- `ip route get`: the text that iproute2 prints of Linux 6.18's answers. What is expected here was
-- read off a kernel with the same devices, addresses, routes and rules.
local tap = require "tap"
local net = require "net"

-- Two devices; routes of every type, metrics, TOS and tables.
local function router()
  local host = net.host { addr = { "192.0.2.1/24", "192.0.2.2/24" } }
  host:nic { addr = "198.51.100.1/24" }
  for route in ([[default via 192.0.2.8
    10.1.0.0/16 via 198.51.100.9 src 198.51.100.1 metric 5
    10.2.0.0/16 via 192.0.2.8 mtu 1400 advmss 1200
    10.2.1.0/24 via 192.0.2.8 mtu lock 1400
    unreachable 10.3.0.0/24
    prohibit 10.3.1.0/24
    blackhole 10.3.2.0/24
    throw 10.3.3.0/24
    10.4.0.0/24 dev eth1 scope link
    10.5.0.0/24 tos 0x10 via 198.51.100.9
    10.6.0.0/24 nexthop via 192.0.2.8 nexthop via 198.51.100.9
    local 10.7.0.0/24 dev lo
    10.8.0.0/24 via 203.0.113.1 dev eth1 onlink
    default via 198.51.100.77 table default]]):gmatch "[^\n]+" do
    host:ip("route add " .. route)
  end
  return host
end

-- { "ADDR ...", "first line", "what stands behind cache" }; nil: there is only one line.
local function answers(t, host, list)
  for _, case in ipairs(list) do
    local want = case[2] .. (case[3] and " \n    cache" .. case[3] .. " \n" or "\n")
    t:is(host:ip("route get " .. case[1]), want, case[1])
  end
end

tap.test("packets of ours: gateway, device, source address, table", function(t)
  answers(t, router(), {
    { "203.0.113.5", "203.0.113.5 via 192.0.2.8 dev eth0 src 192.0.2.1 uid 0", "" },
    { "203.0.113.5 from 192.0.2.2", "203.0.113.5 from 192.0.2.2 via 192.0.2.8 dev eth0 uid 0", "" },
    { "203.0.113.5 from 198.51.100.1", "203.0.113.5 from 198.51.100.1 via 192.0.2.8 dev eth0 uid 0", "" },
    { "203.0.113.5 from 9.9.9.9", "RTNETLINK answers: Network is unreachable" },
    { "203.0.113.5 oif eth1",
      "203.0.113.5 via 198.51.100.77 dev eth1 table default src 198.51.100.1 uid 0", "" },
    { "10.1.2.3", "10.1.2.3 via 198.51.100.9 dev eth1 src 198.51.100.1 uid 0", "" },
    { "10.2.0.1", "10.2.0.1 via 192.0.2.8 dev eth0 src 192.0.2.1 uid 0", " mtu 1400 advmss 1200" },
    { "10.2.1.1", "10.2.1.1 via 192.0.2.8 dev eth0 src 192.0.2.1 uid 0", " mtu lock 1400" },
    { "10.4.0.1", "10.4.0.1 dev eth1 src 198.51.100.1 uid 0", "" },
    { "10.5.0.1", "10.5.0.1 via 192.0.2.8 dev eth0 src 192.0.2.1 uid 0", "" },
    { "10.5.0.1 tos 0x10", "10.5.0.1 tos 0x10 via 198.51.100.9 dev eth1 src 198.51.100.1 uid 0", "" },
    { "10.8.0.1", "10.8.0.1 via 203.0.113.1 dev eth1 src 198.51.100.1 uid 0", "" },
    { "203.0.113.5 mark 7", "203.0.113.5 via 192.0.2.8 dev eth0 src 192.0.2.1 mark 7 uid 0", "" },
    { "203.0.113.5 mark 16", "203.0.113.5 via 192.0.2.8 dev eth0 src 192.0.2.1 mark 0x10 uid 0", "" },
    { "240.1.1.1", "240.1.1.1 via 192.0.2.8 dev eth0 src 192.0.2.1 uid 0", "" },
  })
end)

tap.test("routes that refuse; throw goes on to the table default", function(t)
  answers(t, router(), {
    { "10.3.0.1", "RTNETLINK answers: No route to host" },
    { "10.3.1.1", "RTNETLINK answers: Permission denied" },
    { "10.3.2.1", "RTNETLINK answers: Invalid argument" },
    { "10.3.3.1", "10.3.3.1 via 198.51.100.77 dev eth1 table default src 198.51.100.1 uid 0", "" },
    { "203.0.113.5 oif nosuch", 'Cannot find device "nosuch"' },
  })
end)

tap.test("local, broadcast, groups, nobody", function(t)
  answers(t, router(), {
    { "10.7.0.1", "local 10.7.0.1 dev lo src 10.7.0.1 uid 0", " <local>" },
    { "192.0.2.1", "local 192.0.2.1 dev lo src 192.0.2.1 uid 0", " <local>" },
    { "192.0.2.2", "local 192.0.2.2 dev lo src 192.0.2.1 uid 0", " <local>" },
    { "192.0.2.1 from 198.51.100.1", "local 192.0.2.1 from 198.51.100.1 dev lo uid 0", " <local>" },
    { "192.0.2.8", "192.0.2.8 dev eth0 src 192.0.2.1 uid 0", "" },
    { "192.0.2.255", "broadcast 192.0.2.255 dev eth0 src 192.0.2.1 uid 0", " <local,brd>" },
    { "192.0.2.0", "192.0.2.0 dev eth0 src 192.0.2.1 uid 0", "" },
    { "255.255.255.255", "broadcast 255.255.255.255 dev eth0 src 192.0.2.1 uid 0", " <local,brd>" },
    { "255.255.255.255 oif eth1", "broadcast 255.255.255.255 dev eth1 src 198.51.100.1 uid 0", " <local,brd>" },
    { "224.0.0.1", "multicast 224.0.0.1 dev eth0 src 192.0.2.1 rt_offload_failed uid 0", " <local,mc>" },
    { "239.1.2.3 oif eth1",
      "multicast 239.1.2.3 dev eth1 table default src 198.51.100.1 rt_offload_failed uid 0", " <mc>" },
    { "127.1.2.3", "local 127.1.2.3 dev lo src 127.0.0.1 uid 0", " <local>" },
    { "0.0.0.0", "local 0.0.0.0 dev lo src 127.0.0.1 uid 0", " <local>" },
  })
end)

tap.test("packets that come in (iif): for us, to be forwarded, impossible ones", function(t)
  local host = router()
  answers(t, host, {
    { "192.0.2.1 from 192.0.2.9 iif eth0", "local 192.0.2.1 from 192.0.2.9 dev lo", " <local> iif eth0" },
    { "192.0.2.255 from 192.0.2.9 iif eth0", "broadcast 192.0.2.255 from 192.0.2.9 dev lo", " <local,brd> iif eth0" },
    { "224.0.0.1 from 192.0.2.9 iif eth0", "multicast 224.0.0.1 from 192.0.2.9 dev lo rt_offload_failed",
      " <local,mc> iif eth0" },
    { "239.1.2.3 from 192.0.2.9 iif eth0", "RTNETLINK answers: Invalid argument" },
    { "10.1.2.3 from 192.0.2.9 iif eth0", "RTNETLINK answers: No route to host" },
  })
  host:sysctl("net.ipv4.ip_forward", "1")
  answers(t, host, {
    { "10.1.2.3 from 192.0.2.9 iif eth0", "10.1.2.3 from 192.0.2.9 via 198.51.100.9 dev eth1", " iif eth0" },
    { "203.0.113.5 from 192.0.2.9 iif eth0", "203.0.113.5 from 192.0.2.9 via 192.0.2.8 dev eth0", " <redirect> iif eth0" },
    { "10.3.0.1 from 192.0.2.9 iif eth0", "RTNETLINK answers: No route to host" },
    { "10.3.1.1 from 192.0.2.9 iif eth0", "RTNETLINK answers: Permission denied" },
    { "10.3.2.1 from 192.0.2.9 iif eth0", "RTNETLINK answers: Invalid argument" },
    { "10.1.2.3 from 192.0.2.1 iif eth0", "RTNETLINK answers: Invalid argument" },
    { "127.0.0.1 from 192.0.2.9 iif eth0", "RTNETLINK answers: Invalid argument" },
    { "10.1.2.3 from 224.0.0.5 iif eth0", "RTNETLINK answers: Invalid argument" },
    { "10.1.2.3 iif eth0", "RTNETLINK answers: Invalid argument" },
  })
end)

tap.test("fibmatch shows the route itself", function(t)
  local host = router()
  t:is(host:ip "route get 203.0.113.5 fibmatch", "default via 192.0.2.8 dev eth0 \n")
  t:is(host:ip "route get 10.2.0.1 fibmatch", "10.2.0.0/16 via 192.0.2.8 dev eth0 mtu 1400 advmss 1200 \n")
  t:is(host:ip "route get 192.0.2.1 fibmatch", "local 192.0.2.1 dev eth0 proto kernel scope host src 192.0.2.1 \n")
end)

tap.test("rules: the table is named, and local is one of its own", function(t)
  local host = router()
  host:ip "rule add from 192.0.2.2 table 100"
  host:ip "route add default via 192.0.2.7 table 100"
  host:ip "rule add fwmark 7 table 200"
  host:ip "route add default via 192.0.2.6 table 200"
  answers(t, host, {
    { "203.0.113.5 from 192.0.2.2", "203.0.113.5 from 192.0.2.2 via 192.0.2.7 dev eth0 table 100 uid 0", "" },
    { "203.0.113.5", "203.0.113.5 via 192.0.2.8 dev eth0 src 192.0.2.1 uid 0", "" },
    { "203.0.113.5 mark 7", "203.0.113.5 via 192.0.2.6 dev eth0 table 200 src 192.0.2.1 mark 7 uid 0", "" },
    { "198.51.100.1", "local 198.51.100.1 dev lo table local src 198.51.100.1 uid 0", " <local>" },
  })
end)

-- Every selector and action, asked of Linux with the same rules.
tap.test("rules in their order: selectors, actions, goto, not, suppress_prefixlength, throw", function(t)
  local host = net.host { addr = { "192.0.2.1/24", "192.0.2.2/24" }, sysctl = { ["net.ipv4.ip_forward"] = 1 } }
  host:nic { addr = "198.51.100.1/24" }
  host:ip "route add default via 192.0.2.8"
  host:ip "route add default via 192.0.2.7 table 100"
  host:ip "route add default via 198.51.100.9 table 200"
  host:ip "route add 203.0.113.0/24 via 192.0.2.6 table 200"
  host:ip "route add throw 203.0.113.128/25 table 200"
  for rule in ([[from 192.0.2.2 table 100 priority 1000
    fwmark 0x10/0xf0 table 200 priority 1001
    oif eth1 table 200 priority 1002
    iif eth1 table 100 priority 1003
    tos 0x10 table 200 priority 1004
    to 10.9.0.0/16 unreachable priority 1005
    to 10.10.0.0/16 prohibit priority 1006
    to 10.11.0.0/16 blackhole priority 1007
    to 10.12.0.0/16 nop priority 1008
    not from 192.0.2.0/24 to 10.13.0.0/16 table 200 priority 1009
    to 10.14.0.0/16 goto 2000 priority 1010
    to 10.14.0.0/15 table 200 priority 1011
    to 10.14.1.0/24 table 100 priority 2000
    to 10.16.0.0/16 table main suppress_prefixlength 0 priority 1012
    to 10.16.0.0/16 table 200 priority 1013
    iif lo to 10.17.0.0/16 table 200 priority 1014
    to 10.18.0.0/16 table 77 priority 1015]]):gmatch "[^\n]+" do
    host:ip("rule add " .. rule)
  end
  for _, case in ipairs {
    { "203.0.113.5", "203.0.113.5 via 192.0.2.6 dev eth0 table 200 src 192.0.2.1 uid 0" },
    { "203.0.113.5 from 192.0.2.2", "203.0.113.5 from 192.0.2.2 via 192.0.2.7 dev eth0 table 100 uid 0" },
    { "203.0.113.5 from 192.0.2.1", "203.0.113.5 from 192.0.2.1 via 192.0.2.6 dev eth0 table 200 uid 0" },
    { "203.0.113.5 mark 0x10", "203.0.113.5 via 192.0.2.6 dev eth0 table 200 src 192.0.2.1 mark 0x10 uid 0" },
    { "203.0.113.5 mark 0x1f", "203.0.113.5 via 192.0.2.6 dev eth0 table 200 src 192.0.2.1 mark 0x1f uid 0" },
    { "203.0.113.5 mark 0x20", "203.0.113.5 via 192.0.2.6 dev eth0 table 200 src 192.0.2.1 mark 0x20 uid 0" },
    { "203.0.113.200 mark 0x10", "203.0.113.200 via 192.0.2.8 dev eth0 src 192.0.2.1 mark 0x10 uid 0" },
    { "203.0.113.5 oif eth1", "203.0.113.5 via 198.51.100.9 dev eth1 table 200 src 198.51.100.1 uid 0" },
    { "203.0.113.5 tos 0x10", "203.0.113.5 via 192.0.2.6 dev eth0 table 200 src 192.0.2.1 uid 0" },
    { "203.0.113.5 tos 0x12", "203.0.113.5 via 192.0.2.6 dev eth0 table 200 src 192.0.2.1 uid 0" },
    { "203.0.113.5 tos 0x30", "203.0.113.5 via 192.0.2.6 dev eth0 table 200 src 192.0.2.1 uid 0" },
    { "203.0.113.5 tos 0x50", "203.0.113.5 via 192.0.2.6 dev eth0 table 200 src 192.0.2.1 uid 0" },
    { "203.0.113.5 tos 0x08", "203.0.113.5 via 192.0.2.6 dev eth0 table 200 src 192.0.2.1 uid 0" },
    { "203.0.113.5 from 198.51.100.9 iif eth1", "203.0.113.5 from 198.51.100.9 via 192.0.2.7 dev eth0 table 100" },
    { "203.0.113.5 from 192.0.2.99 iif eth0", "203.0.113.5 from 192.0.2.99 via 192.0.2.6 dev eth0 table 200" },
    { "10.9.1.1", "RTNETLINK answers: Network is unreachable" },
    { "10.10.1.1", "RTNETLINK answers: Permission denied" },
    { "10.11.1.1", "RTNETLINK answers: Invalid argument" },
    { "10.12.1.1", "10.12.1.1 via 198.51.100.9 dev eth1 table 200 src 198.51.100.1 uid 0" },
    { "10.13.1.1", "10.13.1.1 via 198.51.100.9 dev eth1 table 200 src 198.51.100.1 uid 0" },
    { "10.13.1.1 from 192.0.2.1", "10.13.1.1 from 192.0.2.1 via 192.0.2.8 dev eth0 uid 0" },
    { "10.13.1.1 from 198.51.100.1", "10.13.1.1 from 198.51.100.1 via 198.51.100.9 dev eth1 table 200 uid 0" },
    { "10.14.1.1", "10.14.1.1 via 198.51.100.9 dev eth1 table 200 src 198.51.100.1 uid 0" },
    { "10.14.2.1", "10.14.2.1 via 198.51.100.9 dev eth1 table 200 src 198.51.100.1 uid 0" },
    { "10.15.2.1", "10.15.2.1 via 198.51.100.9 dev eth1 table 200 src 198.51.100.1 uid 0" },
    { "10.16.2.1", "10.16.2.1 via 198.51.100.9 dev eth1 table 200 src 198.51.100.1 uid 0" },
    { "10.17.2.1", "10.17.2.1 via 198.51.100.9 dev eth1 table 200 src 198.51.100.1 uid 0" },
    { "10.17.2.1 from 192.0.2.99 iif eth0", "10.17.2.1 from 192.0.2.99 via 198.51.100.9 dev eth1 table 200" },
    { "10.18.2.1", "10.18.2.1 via 198.51.100.9 dev eth1 table 200 src 198.51.100.1 uid 0" },
    { "10.9.1.1 from 192.0.2.99 iif eth0", "RTNETLINK answers: Network is unreachable" },
    { "10.10.1.1 from 192.0.2.99 iif eth0", "RTNETLINK answers: Permission denied" },
    { "10.11.1.1 from 192.0.2.99 iif eth0", "RTNETLINK answers: Invalid argument" },
  } do
    t:is(host:ip("route get " .. case[1]):match("^([^\n]-) ?\n"), case[2], case[1])
  end
end)

-- Local and main are one trie until there are rules: the longer prefix wins, whoever's it is.
tap.test("a route of main below a local prefix goes before it, until there are rules", function(t)
  local host = router()
  host:ip "route add 10.7.0.128/25 via 192.0.2.8"
  host:ip "route add 127.1.2.4/32 via 192.0.2.8"
  answers(t, host, {
    { "10.7.0.200", "10.7.0.200 via 192.0.2.8 dev eth0 src 192.0.2.1 uid 0", "" },
    { "10.7.0.1", "local 10.7.0.1 dev lo src 10.7.0.1 uid 0", " <local>" },
    { "127.1.2.4", "127.1.2.4 via 192.0.2.8 dev eth0 src 192.0.2.1 uid 0", "" },
  })
  host:ip "rule add fwmark 99 table 99"
  host:ip "rule del fwmark 99"
  answers(t, host, {
    { "10.7.0.200", "local 10.7.0.200 dev lo table local src 10.7.0.200 uid 0", " <local>" },
    { "127.1.2.4", "local 127.1.2.4 dev lo table local src 127.0.0.1 uid 0", " <local>" },
  })
end)

tap.test("goes wrong: what it does not understand is said", function(t)
  local host = router()
  for _, words in ipairs { "", "10.1", "10.0.0.1 from", "10.0.0.1 mark x", "10.0.0.1 uid 5", "10.0.0.1 tos 256" } do
    t:like(select(2, pcall(host.ip, host, "route get " .. words)), "ADDRESS %[from ADDRESS%] %[iif DEV%]")
  end
end)

-- Of several next hops ----------------------------------------------------------------------------

local function two_ways(o)
  local host = net.host { addr = "192.0.2.1/24", sysctl = o }
  host:nic { addr = "198.51.100.1/24" }
  host:ip "route add default nexthop via 192.0.2.8 nexthop via 198.51.100.9"
  return host
end

-- How many of 30 destinations go by eth0.
local function by_eth0(host, more)
  local n = 0
  for i = 1, 30 do
    if host:ip(("route get 203.0.113.%d%s"):format(i, more or "")):find "dev eth0" then n = n + 1 end
  end
  return n
end

local function both_ways(t, n)
  t:ok(n >= 5 and n <= 25, n .. " of 30 by eth0")
end

tap.test("a source address is an answer: the next hop that has it is taken", function(t)
  local host = two_ways()
  t:is(by_eth0(host, " from 192.0.2.1"), 30)
  t:is(by_eth0(host, " from 198.51.100.1"), 0)
  host:ip "addr add 10.9.9.9/32 dev lo"
  both_ways(t, by_eth0(host, " from 10.9.9.9"))
  both_ways(t, by_eth0(host))
end)

tap.test("fib_multipath_use_neigh: a next hop whose gateway does not answer is left", function(t)
  local host = two_ways()
  host:ip "neigh add 192.0.2.8 dev eth0 nud failed"
  both_ways(t, by_eth0(host))
  host:sysctl("net.ipv4.fib_multipath_use_neigh", "1")
  t:is(by_eth0(host), 0)
  host:ip "neigh replace 192.0.2.8 lladdr 02:00:00:00:00:08 dev eth0 nud permanent"
  host:ip "neigh add 198.51.100.9 dev eth1 nud failed"
  t:is(by_eth0(host), 30)
end)

tap.test("a way without carrier is used all the same, unless ignore_routes_with_linkdown says otherwise", function(t)
  local host = two_ways()
  host:ip "route add 10.0.0.0/8 via 192.0.2.8"
  host:link { dev = "eth0", carrier = false }
  net.sleep "1ms"
  t:is(host:ip "route", table.concat({
    "default ",
    "\tnexthop via 192.0.2.8 dev eth0 weight 1 linkdown ",
    "\tnexthop via 198.51.100.9 dev eth1 weight 1 ",
    "10.0.0.0/8 via 192.0.2.8 dev eth0 linkdown ",
    "192.0.2.0/24 dev eth0 proto kernel scope link src 192.0.2.1 linkdown ",
    "198.51.100.0/24 dev eth1 proto kernel scope link src 198.51.100.1 ",
    "" }, "\n"))
  both_ways(t, by_eth0(host))
  host:link { dev = "eth0", carrier = true }
  net.sleep "1ms"
  host:sysctl("net.ipv4.conf.eth0.ignore_routes_with_linkdown", "1")
  host:link { dev = "eth0", carrier = false }
  net.sleep "1ms"
  t:like(host:ip "route", "\n10%.0%.0%.0/8 via 192%.0%.2%.8 dev eth0 dead linkdown \n")
  t:like(host:ip "route", "\n\tnexthop via 192%.0%.2%.8 dev eth0 weight 1 dead linkdown \n")
  t:is(by_eth0(host), 0)
  t:like(host:ip "route get 10.1.1.1", "via 198%.51%.100%.9 dev eth1")
  host:link { dev = "eth0", carrier = true }
  net.sleep "1ms"
  t:like(host:ip "route get 10.1.1.1", "via 192%.0%.2%.8 dev eth0")
end)

tap.test("with its last address a device loses its routes", function(t)
  local host = two_ways()
  host:ip "route add 10.0.0.0/8 via 192.0.2.8"
  host:ip "addr add 192.0.2.2/24 dev eth0"
  host:ip "addr del 192.0.2.2/24 dev eth0"
  t:like(host:ip "route", "10%.0%.0%.0/8 via")
  host:ip "addr del 192.0.2.1/24 dev eth0"
  t:ok(not host:ip "route":find "10%.0%.0%.0/8 via")
  t:like(host:ip "route", "\n\tnexthop via 192%.0%.2%.8 dev eth0 weight 1 dead linkdown \n")
  host:ip "addr add 192.0.2.1/24 dev eth0"
  t:like(host:ip "route", "\n\tnexthop via 192%.0%.2%.8 dev eth0 weight 1 \n")
end)

-- SPDX-License-Identifier: MIT
-- ip rule: tables chosen by source, destination, mark, TOS and interface; goto, nop, not,
-- suppress_prefixlength; rules that refuse, and what a user sees of it.
local tap = require "tap"
local net = require "net"
local ip, udp, icmp = net.ip, net.udp, net.icmp

local function station(o)
  local host = net.host { addr = { "192.0.2.1/24", "192.0.2.2/24" }, sysctl = o }
  local a = host.wire:peer { addr = "192.0.2.8" }
  local b = host.wire:peer { addr = "192.0.2.9" }
  host:neigh { addr = a.addr, mac = a.mac }
  host:neigh { addr = b.addr, mac = b.mac }
  host:ip "route add default via 192.0.2.8"
  host:ip "route add default via 192.0.2.9 table 100"
  return host, a, b
end

local function arrives(t, peer)
  t:is(#peer:collect { during = "1ms" }, 1)
end

local function sends(host, o)
  local s = host:socket "udp"
  if o.from then s:bind(o.from, 0) end
  if o.mark then s:option("SO_MARK", o.mark) end
  if o.tos then s:option("IP_TOS", o.tos) end
  local _, err = s:try("sendto", "x", o.to or "203.0.113.1", 9)
  s:close()
  return err
end

tap.test("the rules that a host begins with", function(t)
  local host = station()
  t:is(host:ip "rule", "0:\tfrom all lookup local\n32766:\tfrom all lookup main\n32767:\tfrom all lookup default\n")
end)

tap.test("by source address", function(t)
  local host, a, b = station()
  host:ip "rule add from 192.0.2.2 table 100"
  sends(host, { from = "192.0.2.2" })
  arrives(t, b)
  sends(host, { from = "192.0.2.1" })
  arrives(t, a)
  t:like(host:ip "rule", "32765:\tfrom 192%.0%.2%.2 lookup 100\n")
  host:ip "rule del from 192.0.2.2"
  sends(host, { from = "192.0.2.2" })
  arrives(t, a)
  t:like(select(2, pcall(host.ip, host, "rule del from 192.0.2.2")), "ENOENT")
end)

tap.test("by mark, TOS and destination", function(t)
  local host, a, b = station()
  host:ip "rule add fwmark 0x10/0xf0 table 100"
  host:ip "rule add tos 16 table 100"
  host:ip "rule add to 203.0.113.128/25 table 100"
  for _, o in ipairs { { mark = 0x1f }, { tos = 0x10 }, { to = "203.0.113.200" } } do
    sends(host, o)
    arrives(t, b)
  end
  for _, o in ipairs { { mark = 0x20 }, { tos = 0x08 }, { to = "203.0.113.1" } } do
    sends(host, o)
    arrives(t, a)
  end
  t:ok(true)
end)

tap.test("goes wrong: rules that refuse, as a program sees it", function(t)
  local host = station()
  host:ip "rule add to 198.18.0.0/24 prohibit"
  host:ip "rule add to 198.18.1.0/24 unreachable"
  host:ip "rule add to 198.18.2.0/24 blackhole"
  t:is(sends(host, { to = "198.18.0.1" }), "EACCES")
  t:is(sends(host, { to = "198.18.1.1" }), "ENETUNREACH")
  t:is(sends(host, { to = "198.18.2.1" }), "EINVAL")
  t:is(host:counter "IpOutNoRoutes", 1)                   -- ENETUNREACH counts
end)

tap.test("goto, nop, not", function(t)
  local host, a, b = station()
  host:rule { priority = 10, from = "192.0.2.1", target = 30 }
  host:rule { priority = 20, table = 100 }
  host:rule { priority = 30, action = "nop" }
  sends(host, { from = "192.0.2.1" })
  arrives(t, a)
  sends(host, { from = "192.0.2.2" })
  arrives(t, b)
  host:rule_del { priority = 10 }
  host:rule_del { priority = 20 }
  host:rule { inverted = true, from = "192.0.2.1", table = 100 }
  sends(host, { from = "192.0.2.1" })
  arrives(t, a)
  sends(host, { from = "192.0.2.2" })
  arrives(t, b)
  t:like(select(2, pcall(host.rule, host, { priority = 50, target = 40 })), "EINVAL")
end)

tap.test("suppress_prefixlength 0: main without its default route", function(t)
  local host, a, b = station()
  host:rule { priority = 10, table = "main", suppress_prefixlength = 0 }
  host:rule { priority = 20, table = 100 }
  sends(host, { to = "203.0.113.1" })
  arrives(t, b)
  sends(host, { to = "192.0.2.8" })
  arrives(t, a)
  t:like(host:ip "rule", "10:\tfrom all lookup main suppress_prefixlength 0\n")
end)

tap.test("forwarded packets by the interface they came in by", function(t)
  local host, a, b = station { ["net.ipv4.ip_forward"] = "1" }
  local inside = host:nic { addr = "10.0.0.1/24" }
  local sender = inside.wire:peer { addr = "10.0.0.2" }
  host:ip "rule add iif eth1 table 100"
  sender:send(ip{ src = "10.0.0.2", dst = "203.0.113.5" } / udp{ sport = 1, dport = 9 } / "x")
  arrives(t, b)
  sends(host, {})
  arrives(t, a)
  host:ip "rule add iif eth1 prohibit priority 1"
  sender:send(ip{ src = "10.0.0.2", dst = "203.0.113.5" } / udp{ sport = 1, dport = 9 } / "x")
  local refusal = sender:collect({ during = "1ms" })[1]
  t:is({ refusal.icmp.type, refusal.icmp.code }, { 3, 13 })
  t:is(host:counter "IpExtInNoRoutes", 0)
end)

tap.test("without a rule for a table nothing is looked up there; without rules nothing at all", function(t)
  local host = station()
  host:ip "rule del priority 32766"
  t:is(sends(host, { to = "203.0.113.1" }), "ENETUNREACH")
  host:ip "rule del priority 0"
  t:is(sends(host, { to = "127.0.0.1" }), "ENETUNREACH")
  host:ip "rule add priority 0 table local"
  host:ip "rule add priority 32766 table main"
  t:is(sends(host, { to = "127.0.0.1" }), nil)
end)

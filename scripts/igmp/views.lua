-- SPDX-License-Identifier: MIT
-- Groups and the hardware addresses let through for them: /proc/net/igmp, /proc/net/dev_mcast, ip maddr,
-- in the formats of Linux 6.18 and iproute2.
local tap = require "tap"
local igmp = require "_igmp"

-- A bar stands for a tab.
local function tabs(text) return (text:gsub("|", "\t")) end

-- A host that has joined these groups, and has told so.
local function member(...)
  local host, peer, s = igmp.station()
  for _, group in ipairs { ... } do igmp.join(host:socket "udp", group) end
  peer:collect { during = "1min" }
  return host, peer, s
end

tap.test("/proc/net/igmp: groups of each interface, the newest first, with their users", function(t)
  local host = member("239.1.2.3", "239.1.2.4", "239.1.2.3")
  t:is(host:proc "/proc/net/igmp", tabs [[
Idx|Device    : Count Querier|Group    Users Timer|Reporter
1|lo        :     1      V3
||||010000E0     1 0:00000000||0
2|eth0      :     3      V3
||||040201EF     1 0:00000000||0
||||030201EF     2 0:00000000||0
||||010000E0     1 0:00000000||0
]])
end)

tap.test("/proc/net/igmp: the querier's version, a running timer in 1/100 s, who told it last", function(t)
  local host, peer = member "239.1.2.3"
  igmp.send(peer, "224.0.0.1", igmp.message(0x11, 100, igmp.address "0.0.0.0"))
  peer:collect { during = "1us" }
  t:like(host:proc "/proc/net/igmp", "2\teth0      :     2      V2\n")
  local running = "030201EF     1 1:(%x+)\t\t0\n"
  local ticks = tonumber(host:proc "/proc/net/igmp":match(running), 16)
  t:is(ticks > 0 and ticks <= 1000, true)
  peer:collect { during = ticks - 1 .. "0ms" }
  t:like(host:proc "/proc/net/igmp", "030201EF     1 1:0000000[01]\t\t0\n")
  peer:collect { during = "20ms" }
  t:like(host:proc "/proc/net/igmp", "030201EF     1 0:00000000\t\t1\n")
end)

tap.test("/proc/net/dev_mcast and ip maddr: groups share hardware addresses", function(t)
  local host = member("239.1.2.3", "239.129.2.3", "239.1.2.4")
  t:is(host:proc "/proc/net/dev_mcast", [[
2    eth0            1     0     01005e000001
2    eth0            2     0     01005e010203
2    eth0            1     0     01005e010204
]])
  t:is(host:ip "maddr show dev eth0", tabs [[
2:|eth0
|link  01:00:5e:00:00:01
|link  01:00:5e:01:02:03 users 2
|link  01:00:5e:01:02:04
|inet  239.1.2.4
|inet  239.129.2.3
|inet  239.1.2.3
|inet  224.0.0.1
]])
  t:is(host:ip "-4 maddr show dev lo", "1:\tlo\n\tinet  224.0.0.1\n")
  t:error(function() host:ip "maddr show dev eth7" end, "Cannot find device \"eth7\"")
end)

-- SPDX-License-Identifier: MIT
-- What ip, bridge and nstat print, line by line as iproute2 6.1 prints it on Linux: filters, -s, and
-- what `ip route get` knows of a destination beyond its route.
local tap = require "tap"
local net = require "net"
local ip, udp, icmp = net.ip, net.udp, net.icmp

local MAC = "02:00:00:00:00:09"

local function station(o)
  local host = net.host { addr = "192.0.2.1/24", sysctl = o }
  local peer = host.wire:peer { addr = "192.0.2.9", mac = MAC, port = 9 }
  return host, peer
end

-- Neighbours ----------------------------------------------------------------------------------------

tap.test("ip neigh: all, of one device, by address, by state", function(t)
  local host = station()
  host:ip "neigh add 192.0.2.9 lladdr 02:00:00:00:00:09 dev eth0"
  host:ip "neigh add 192.0.2.10 lladdr 02:00:00:00:00:0a dev eth0 nud stale"
  local nine, ten = "lladdr 02:00:00:00:00:09 PERMANENT \n", "lladdr 02:00:00:00:00:0a STALE \n"
  t:is(host:ip "neigh", "192.0.2.9 dev eth0 " .. nine .. "192.0.2.10 dev eth0 " .. ten)
  t:is(host:ip "neigh show dev eth0", "192.0.2.9 " .. nine .. "192.0.2.10 " .. ten)
  t:is(host:ip "neigh show 192.0.2.10", "192.0.2.10 dev eth0 " .. ten)
  t:is(host:ip "neigh show nud permanent", "192.0.2.9 dev eth0 " .. nine)
  t:is(host:ip "neigh show nud reachable", "")
  t:error(function() host:ip "neigh show nud tired" end, "no such state: tired")
  t:error(function() host:ip "neigh show 192.0.2.9 or so" end, "\"or\" is unknown to neigh")
end)

tap.test("ip -s neigh: seconds since use, confirmation and update; probes", function(t)
  local host, peer = station()
  host:neigh { addr = peer.addr, mac = peer.mac }
  host:socket "udp":sendto("x", "192.0.2.50", 9)
  peer:collect { during = "300ms" }
  -- Three unicast probes count as done where there is nobody to send them to.
  t:is(host:ip "-s neigh show 192.0.2.50", "192.0.2.50 dev eth0  ref 1 used 0/60/0probes 4 INCOMPLETE \n")
  peer:collect { during = "4s" }
  t:is(host:ip "-s neigh", "192.0.2.9 dev eth0 lladdr " .. MAC .. "  used 4/4/4probes 0 PERMANENT \n" ..
    "192.0.2.50 dev eth0  used 4/64/1probes 6 FAILED \n")
end)

-- Routes --------------------------------------------------------------------------------------------

tap.test("ip route: of all tables, of one device, one prefix, one type, one scope", function(t)
  local host = station()
  host:ip "route add 198.51.100.0/24 via 192.0.2.9 metric 7"
  host:ip "route add blackhole 203.0.113.0/24"
  host:ip "route add 198.51.101.0/24 via 192.0.2.9 table 7"
  local link = "192.0.2.0/24 dev eth0 proto kernel scope link src 192.0.2.1 \n"
  local via = "198.51.100.0/24 via 192.0.2.9 dev eth0 metric 7 \n"
  t:is(host:ip "route", link .. via .. "blackhole 203.0.113.0/24 \n")
  t:is(host:ip "route show 198.51.100.0/24", via)
  t:is(host:ip "route show type blackhole", "blackhole 203.0.113.0/24 \n")
  t:is(host:ip "route show scope link", "192.0.2.0/24 dev eth0 proto kernel src 192.0.2.1 \n")
  t:is(host:ip "route show dev eth0", link:gsub("dev eth0 ", "") .. via:gsub("dev eth0 ", ""))
  t:is(host:ip "route show proto kernel", "192.0.2.0/24 dev eth0 scope link src 192.0.2.1 \n")
  t:is(host:ip "route show proto boot", via .. "blackhole 203.0.113.0/24 \n")
  t:is(host:ip "route show table local proto kernel 192.0.2.1", "local 192.0.2.1 dev eth0 scope host src 192.0.2.1 \n")
  host:ip "route add 198.51.102.0/24 proto boot nexthop via 192.0.2.9 nexthop via 192.0.2.10"
  t:is(host:ip "route show 198.51.102.0/24 dev eth0", "", "its next hops have a device, not the route")
  for words, message in pairs {
    ["route add 198.51.103.0/24 via 192.0.2.9 proto static"] = "no such proto here: static; there are kernel and boot",
    ["route add 198.51.103.0/24 via 192.0.2.9 proto kernel"] = "of proto boot",
    ["route show proto bird"] = "no such proto here: bird",
    ["route show table nowhere"] = "no such table: nowhere",
    ["rule add fwmark 1/zz lookup 7"] = "\"fwmark 1/zz\" is no number",
  } do
    t:error(function() host:ip(words) end, message)
  end
  local all = host:ip "route show table all"
  t:ok(all:find("^198.51.101.0/24 via 192.0.2.9 dev eth0 table 7 \n192.0.2.0/24 "), all)
  t:like(all, "local 192.0.2.1 dev eth0 table local proto kernel scope host src 192.0.2.1 \n")
end)

tap.test("ip route get: the route's metrics; a broadcast, a group, the host itself", function(t)
  local host = station()
  host:ip "route add 198.51.100.0/24 via 192.0.2.9 mtu lock 1400 advmss 1300"
  host:ip "route add 224.0.0.0/4 dev eth0"
  local function get(addr) return host:ip("route get " .. addr) end
  t:is(get "198.51.100.5", "198.51.100.5 via 192.0.2.9 dev eth0 src 192.0.2.1 uid 0 \n" ..
    "    cache mtu lock 1400 advmss 1300 \n")
  t:is(get "192.0.2.255", "broadcast 192.0.2.255 dev eth0 src 192.0.2.1 uid 0 \n    cache <local,brd> \n")
  t:is(get "224.0.0.1", "multicast 224.0.0.1 dev eth0 src 192.0.2.1 rt_offload_failed uid 0 \n    cache <local,mc> \n")
  t:is(get "224.1.2.3", "multicast 224.1.2.3 dev eth0 src 192.0.2.1 rt_offload_failed uid 0 \n    cache <mc> \n")
  t:is(get "192.0.2.1", "local 192.0.2.1 dev lo src 192.0.2.1 uid 0 \n    cache <local> \n")
  t:is(get "203.0.113.1", "RTNETLINK answers: Network is unreachable\n")
end)

tap.test("ip route get: a path MTU that was learnt, until it expires; a redirect", function(t)
  local host, peer = station { ["net.ipv4.conf.all.accept_redirects"] = 1 }
  host:neigh { addr = peer.addr, mac = peer.mac }
  host:ip "route add 198.51.100.0/24 via 192.0.2.9"
  local socket = host:socket "udp"
  socket:bind("192.0.2.1", 7)
  local function sent(addr)
    socket:try("sendto", ("x"):rep(1400), addr, 9)
    local frame = peer:collect({ during = "1ms" })[1]
    return net.parse(frame:bytes():sub(15), "ip")
  end
  peer:send(icmp{ type = "dest-unreach", code = "frag-needed", mtu = 1000 } / sent "198.51.100.5")
  net.sleep "10s"
  t:is(host:ip "route get 198.51.100.5", "198.51.100.5 via 192.0.2.9 dev eth0 src 192.0.2.1 uid 0 \n" ..
    "    cache expires 590sec mtu 1000 \n")
  net.sleep "10min"
  t:like(host:ip "route get 198.51.100.5", "\n    cache \n$")
  host:neigh { addr = "192.0.2.10", mac = "02:00:00:00:00:0a" } -- one who is not known is asked for first
  peer:send(icmp{ type = "redirect", code = "host", gateway = "192.0.2.10" } / sent "198.51.100.6")
  net.sleep "1ms"
  t:is(host:ip "route get 198.51.100.6", "198.51.100.6 via 192.0.2.10 dev eth0 src 192.0.2.1 uid 0 \n" ..
    "    cache <redirected> expires 299sec \n")
end)

tap.test("/proc/net/route: a refusing route is up, too", function(t)
  local host = station()
  host:ip "route add unreachable 203.0.114.0/24"
  t:like(host:proc "/proc/net/route", "\n%*\t007200CB\t00000000\t0201\t0\t0\t0\t00FFFFFF\t0\t0\t0 +\n")
end)

-- Links ---------------------------------------------------------------------------------------------

tap.test("ip -s -s link: errors by kind under their columns, how often the carrier changed", function(t)
  local host, peer = station()
  peer:send_raw(("\2"):rep(13))
  net.sleep "10us"
  host:link { carrier = false }
  net.sleep "1ms"
  host:link { carrier = true }
  net.sleep "1ms"
  t:is(host:ip "-s -s link show dev eth0", ([[
2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc pfifo_fast state UP mode DEFAULT group default qlen 1000
    link/ether %s brd ff:ff:ff:ff:ff:ff
    RX:  bytes packets errors dropped  missed   mcast           |
             0       0      1       0       0       0 |
    RX errors:  length    crc   frame    fifo overrun
                     1      0       0       0       0 |
    TX:  bytes packets errors dropped carrier collsns           |
             0       0      0       0       0       0 |
    TX errors: aborted   fifo  window heartbt transns
                     0      0       0       0       3 |
]]):gsub("|", ""):format(host.mac))
end)

tap.test("ip addr: -s has the counters below, -4 only what has an address of IPv4", function(t)
  local host = station()
  host:nic { up = false }
  local text = host:ip "-4 addr"
  t:like(text, "^1: lo: [^\n]*\n    inet 127.0.0.1/8 ")
  t:is(text:find("link/", 1, true), nil)
  t:is(text:find("eth1", 1, true), nil)
  t:like(host:ip "-s addr show dev eth0", "inet 192.0.2.1/24 .*\n    RX:  bytes packets .*\n    TX:  bytes packets ")
end)

tap.test("promiscuous is what a user made so; a packet socket's wish is told by -d", function(t)
  local host = station()
  local tcpdump = host:socket("packet", { dev = "eth0" })
  tcpdump:membership("promisc", { dev = "eth0" })
  t:like(host:ip "-d link show dev eth0", "<BROADCAST,MULTICAST,UP,LOWER_UP> .* promiscuity 1 ")
  host:link { promisc = true }
  t:like(host:ip "-d link show dev eth0", "<BROADCAST,MULTICAST,PROMISC,UP,LOWER_UP> .* promiscuity 2 ")
end)

-- nstat ---------------------------------------------------------------------------------------------

tap.test("nstat: what grew since it was last asked; -a, -z, -s, patterns", function(t)
  local host, peer = station()
  host:neigh { addr = peer.addr, mac = peer.mac }
  t:is(host:nstat(), "#kernel\n")
  peer:send(udp{ dport = 77 } / "nobody listens")
  peer:expect(icmp{ type = "dest-unreach", code = "port" }, { within = "1ms" })
  t:is(host:nstat "-s UdpNoPorts IcmpOut*", "#kernel\n" ..
    "IcmpOutMsgs                     1                  0.0\n" ..
    "IcmpOutDestUnreachs             1                  0.0\n" ..
    "UdpNoPorts                      1                  0.0\n")
  t:like(host:nstat(), "\nIcmpMsgOutType3                 1                  0.0\n")
  t:is(host:nstat(), "#kernel\n")
  t:is(host:nstat "-a Udp*", "#kernel\nUdpNoPorts                      1                  0.0\n")
  t:like(host:nstat "-az", "\nUdpInDatagrams                  0                  0.0\n")
  t:error(function() host:nstat "-q" end, "option %-q is not known")
end)

-- SPDX-License-Identifier: MIT
-- Network namespaces of a host: each has its own of everything; devices move between them.
local tap = require "tap"
local net = require "net"
local ip, udp, icmp = net.ip, net.udp, net.icmp

tap.test("a new namespace has lo, down, and nothing else", function(t)
  local host = net.host { addr = "192.0.2.1/24" }
  local blue = host:netns "blue"
  t:is(blue:ip "link", "1: lo: <LOOPBACK> mtu 65536 qdisc noqueue state DOWN mode DEFAULT group default qlen 1000\n" ..
    "    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00\n")
  t:is({ blue:ip "route", blue:ip "neigh" }, { "", "" })
  t:is(host:ip "netns list", "blue\n")
  local s = blue:socket "udp"
  t:is(select(2, s:try("sendto", "x", "127.0.0.1", 7)), "ENETUNREACH")
  blue:ip "link set lo up"
  t:is(s:sendto("x", "127.0.0.1", 7), 1)
end)

tap.test("the same port in two namespaces is two ports", function(t)
  local host = net.host { addr = "192.0.2.1/24" }
  local blue = host:netns "blue"
  blue:ip "link set lo up"
  local a, b = host:socket "udp", blue:socket "udp"
  a:bind(7)
  b:bind(7)
  local c = blue:socket "udp"
  c:sendto("to blue", "127.0.0.1", 7)
  t:is((b:recv()), "to blue")
  t:is(select(2, a:try("recv", { flags = "dontwait" })), "EAGAIN")
  local tcp1, tcp2 = host:socket "tcp", blue:socket "tcp"
  tcp1:listen(80)
  tcp2:listen(80)
  t:is({ #host:sockets(), #blue:sockets() }, { 2, 3 })
end)

tap.test("sysctls, counters and routes are its own", function(t)
  local host = net.host { addr = "192.0.2.1/24" }
  local blue = host:netns "blue"
  host:sysctl("net.ipv4.ip_default_ttl", 17)
  t:is({ host:sysctl "net.ipv4.ip_default_ttl", blue:sysctl "net.ipv4.ip_default_ttl" }, { "17", "64" })
  blue:ip "link set lo up"
  local s = blue:socket "udp"
  s:sendto("x", "127.0.0.1", 7)
  net.sleep "1ms"
  t:is({ host:counter "UdpNoPorts", blue:counter "UdpNoPorts" }, { 0, 1 })
end)

tap.test("a card moves: addresses, routes and neighbours stay behind", function(t)
  local host = net.host { addr = "192.0.2.1/24", gateway = "192.0.2.254" }
  local peer = host.wire:peer { addr = "192.0.2.9" }
  host:neigh { addr = peer.addr, mac = peer.mac }
  local nic = host.nics[1]
  local blue = host:netns "blue"
  host:ip "link set eth0 netns blue"
  t:is({ host:ip "route", host:ip "neigh" }, { "", "" })
  t:error(function() host:ip "link show eth0" end, "Cannot find device")
  t:like(blue:ip "addr show eth0", "state DOWN")
  t:ok(not (blue:ip "addr show eth0"):find("inet", 1, true))
  blue:link { dev = nic, up = true }
  blue:addr_add("192.0.2.2/24", { dev = nic })
  peer:send(ip { src = "192.0.2.9", dst = "192.0.2.2" } / icmp { type = "echo", id = 1, seq = 1 } / "there?")
  peer:expect(ip { src = "192.0.2.2" } / icmp { type = "echo-reply", id = 1, seq = 1 } / "there?",
    { within = "1ms", defaults = false })
  t:is({ host:counter "IcmpInEchos", blue:counter "IcmpInEchos" }, { 0, 1 })
end)

tap.test("a number that is taken there: the device gets another one, and its card tells of that", function(t)
  local host = net.host {}
  local peer = host.wire:peer { addr = "192.0.2.9" }
  local blue = host:netns "blue"
  blue:ip "link add taken type dummy"
  t:like(blue:ip "link show taken", "^2:")
  host:ip "link set eth0 netns blue"
  blue:ip "link set eth0 up"
  t:like(blue:ip "link show eth0", "^3:")
  net.trace "nic_rx_filtered"
  peer:send(net.eth { dst = "02:00:00:00:77:77", type = 0x88b5 } / "x")
  net.sleep "1ms"
  t:is(net.traces()[1].ifindex, 3)
end)

tap.test("sockets of an address that moved away stay, and reach nobody", function(t)
  local host = net.host { addr = "192.0.2.1/24" }
  local peer = host.wire:peer { addr = "192.0.2.9", port = 5000 }:to(7)
  local s = host:socket "udp"
  s:bind("192.0.2.1", 7)
  s:connect("192.0.2.9", 5000)
  host:netns "blue"
  host:ip "link set eth0 netns blue"
  t:is(select(2, s:try("send", "x")), "ENETUNREACH")
  t:is(s:name().addr, "192.0.2.1")
  peer:expect_nothing { during = "1ms" }
end)

tap.test("a socket bound to a device that left", function(t)
  local host = net.host { addr = "192.0.2.1/24" }
  local s = host:socket "udp"
  s:option("SO_BINDTODEVICE", "eth0")
  host:netns "blue"
  host:ip "link set eth0 netns blue"
  t:is(select(2, s:try("sendto", "x", "192.0.2.9", 7)), "ENODEV")
end)

tap.test("the name is taken there: refused; lo and bridges stay", function(t)
  local host = net.host {}
  local blue = host:netns "blue"
  blue:ip "link add eth0 type dummy"
  t:error(function() host:ip "link set eth0 netns blue" end, "EEXIST")
  t:like(host:ip "link show eth0", "eth0")
  t:error(function() host:ip "link set lo netns blue" end, "EINVAL")
  host:ip "link add br0 type bridge"
  t:error(function() host:ip "link set br0 netns blue" end, "EINVAL")
  t:error(function() host:ip "link set eth0 netns green" end, 'Invalid "netns" value "green"')
end)

tap.test("a namespace ends: the card comes back, virtual devices die", function(t)
  local host = net.host { addr = "192.0.2.1/24" }
  local peer = host.wire:peer { addr = "192.0.2.9" }
  local blue = host:netns "blue"
  host:ip "link set eth0 netns blue"
  blue:ip "link add dummy0 type dummy"
  host:ip "link add veth0 type veth peer name veth1 netns blue"
  host:ip "netns del blue"
  t:ok(not (host:ip "link"):find("veth0", 1, true), "the pair died with its one end")
  t:like(host:ip "link show eth0", "state DOWN")
  host:ip "link set eth0 up"
  host:ip "addr add 192.0.2.1/24 dev eth0"
  peer:send(icmp { type = "echo", id = 1, seq = 1 } / "back?")
  peer:expect(icmp { type = "echo-reply", id = 1, seq = 1 } / "back?", { within = "1ms" })
  t:is(host:ip "netns", "")
  t:error(function() host:ip "netns del blue" end, "No such file or directory")
end)

tap.test("the card comes back under another name when its own is taken", function(t)
  local host = net.host {}
  host:netns "blue"
  host:ip "link set eth0 netns blue"
  host:ip "link add eth0 type dummy"
  host:ip "netns del blue"
  t:like(host:ip "link", "dev0: <BROADCAST,MULTICAST>")
end)

tap.test("a namespace that was deleted lives as long as its sockets", function(t)
  local host = net.host {}
  local blue = host:netns "blue"
  blue:ip "link set lo up"
  local a, b = blue:socket "udp", blue:socket "udp"
  a:bind(7)
  host:ip "netns del blue"
  b:sendto("still here", "127.0.0.1", 7)
  t:is((a:recv()), "still here")
  a:close()
  b:close()
  net.sleep "10ms"
  t:is(select(2, pcall(blue.socket, blue, "udp")):match "EINVAL", "EINVAL")
end)

tap.test("a bridge port that moves leaves its bridge; VLAN devices stay where they are", function(t)
  local host = net.host {}
  local blue = host:netns "blue"
  host:ip "link add br0 type bridge"
  host:ip "link set eth0 master br0"
  host:ip "link add link eth0 name eth0.5 type vlan id 5"
  host:ip "link set eth0 netns blue"
  t:is(host:bridge "link", "")
  t:like(host:ip "link show eth0.5", "eth0.5@if2:")
  blue:ip "link set eth0 up"
  host:ip "link set eth0.5 up"
  t:like(host:ip "link show eth0.5", "LOWER_UP")
end)

tap.test("a VLAN device moved into a namespace: macvlan's poor cousin", function(t)
  local host = net.host { addr = "192.0.2.1/24" }
  local peer = host.wire:peer { addr = "10.5.0.9", port = 5000 }
  local blue = host:netns "blue"
  host:ip "link add link eth0 name v type vlan id 5"
  host:ip "link set v netns blue"
  blue:ip "link set v up"
  blue:ip "addr add 10.5.0.1/24 dev v"
  blue:neigh { addr = "10.5.0.9", mac = peer.mac, dev = "v" }
  local s = blue:socket "udp"
  s:sendto("x", "10.5.0.9", 5000)
  local out = peer:expect(net.eth {} / net.vlan { id = 5 } / ip { src = "10.5.0.1" } / udp {} / "x",
    { defaults = false })
  t:is(out.vlan.id, 5)
end)

tap.test("goes wrong: no route back in the namespace; its counters tell, not the host's", function(t)
  local host = net.host {}
  local blue = host:netns "blue"
  host:ip "link add veth0 type veth peer name veth1 netns blue"
  host:ip "link set veth0 up"
  host:ip "addr add 10.0.0.1/24 dev veth0"
  blue:ip "link set veth1 up"
  blue:ip "addr add 10.0.0.2/32 dev veth1"
  host:neigh { addr = "10.0.0.2", mac = blue:dev "veth1".mac, dev = "veth0" }
  local before = blue:counters()
  host:socket "udp":sendto("x", "10.0.0.2", 7)
  net.sleep "1ms"
  t:is(blue:changes(before, "^UdpNoPorts"), { UdpNoPorts = 1 })
  t:is(blue:counter "IcmpOutDestUnreachs", 0)
  t:is(blue:changes(before, "^Drop"), { ["Drop.NO_SOCKET"] = 1 })
end)

tap.test("a packet that is still in the card's ring outlives its namespace", function(t)
  local host = net.host {}
  local peer = host.wire:peer { addr = "10.5.0.9" }
  local blue = host:netns "blue"
  host:ip "link add link eth0 name v type vlan id 5"
  host:ip "link set v netns blue"
  blue:ip "link set v up"
  blue:ip "addr add 10.5.0.1/24 dev v"
  blue:neigh { addr = "10.5.0.9", mac = peer.mac, dev = "v" }
  host:ethtool { tx_stall = 1 }
  peer:send(net.eth { dst = host.mac, src = peer.mac } / net.vlan { id = 5 } /
    ip { src = "10.5.0.9", dst = "10.5.0.1" } / icmp { type = "echo", id = 1, seq = 1 } / "late")
  net.sleep "1ms"
  host:ip "netns del blue"
  host:ethtool { tx_stall = 0 }
  net.sleep "1ms"
  peer:collect { during = "1ms" }
  t:is(host:counter "eth0.tx_packets", 1)
  host:link { up = false }
  t:is(host:drops "DEV_READY", 0)
end)

tap.test("a device that moves loses its queueing discipline and its filters", function(t)
  local host = net.host { addr = "192.0.2.1/24" }
  local red = host:netns "red"
  host:tc "qdisc replace dev eth0 root fq"
  host:tc "qdisc add dev eth0 clsact"
  host:ip "link set eth0 netns red"
  t:like(red:tc "qdisc show dev eth0", "^qdisc pfifo_fast 0: root refcnt 2 bands 3 priomap [ 0-9]+\n$")
end)

-- A thousand devices and the thousandth is found as the first: by name, and by number as iproute2 has it.
tap.test("one device is shown by its name or its number, among many", function(t)
  local host = net.host { up = false }
  local last
  for _ = 1, 200 do last = host:link_add { type = "dummy" } end
  t:is(last.name, "dummy199")
  local shown = host:proc "ip link show dev dummy199"
  t:like(shown, "^" .. last.ifindex .. ": dummy199: <BROADCAST,NOARP> mtu 1500 ")
  t:is(select(2, shown:gsub("\n", "")), 2)
  t:is(host:proc("ip link show dev if" .. last.ifindex), shown)
  t:is(host:dev("if" .. last.ifindex).name, "dummy199")
  t:is(host:proc "ip link show dev dummy200", 'Device "dummy200" does not exist.\n')
  host:ip "link del dummy7"
  t:is(host:link_add { type = "dummy" }.name, "dummy7")
end)

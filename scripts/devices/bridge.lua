-- SPDX-License-Identifier: MIT
-- The bridge: learning, ageing, flooding, the forwarding database (IEEE 802.1D-2004 7.7 to 7.9), as
-- net/bridge has them without spanning tree.
local tap = require "tap"
local net = require "net"
local eth, ip, udp, arp, raw = net.eth, net.ip, net.udp, net.arp, net.raw

-- A host with n cards on as many wires, all ports of br0; a station on each wire.
local function switch(n, o)
  local host = net.host { up = false }
  for _ = 2, n do host:nic { up = false } end
  host:link_add { type = "bridge", name = "br0" }
  local stations = {}
  for i, nic in ipairs(host.nics) do
    host:link { dev = nic, master = "br0", up = true }
    stations[i] = nic.wire:peer { addr = "192.0.2." .. i * 10, mac = ("02:00:00:00:05:%02x"):format(i), arp = false }
  end
  host:link { dev = "br0", up = true, ageing_time = o and o.ageing_time }
  return host, table.unpack(stations)
end

local function frame(from, to, data)
  return eth { dst = type(to) == "string" and to or to.mac, src = from.mac, type = 0x88b5 } / raw(data)
end

local function comes(t, station, data)
  local got = station:expect(eth {}, { defaults = false, within = "1ms" })
  t:is(got:bytes():sub(15, 14 + #data), data)
end

tap.test("an unknown destination is flooded to all ports but the one it came from", function(t)
  local _, a, b, c = switch(3)
  a:send(frame(a, "02:00:00:00:77:77", "where?"))
  comes(t, b, "where?")
  comes(t, c, "where?")
  a:expect_nothing { during = "1ms" }
end)

tap.test("an answer is learned from: the third port hears nothing", function(t)
  local host, a, b, c = switch(3)
  a:send(frame(a, b, "hello"))
  comes(t, b, "hello")
  comes(t, c, "hello")
  b:send(frame(b, a, "world"))
  comes(t, a, "world")
  c:expect_nothing { during = "1ms" }
  local learned = {}
  for _, entry in ipairs(host:fdbs "br0") do
    if not entry.permanent then learned[entry.addr] = entry.dev end
  end
  t:is(learned, { [a.mac] = "eth0", [b.mac] = "eth1" })
end)

tap.test("a station that moves is found behind its new port", function(t)
  local host, a, b, c = switch(3)
  a:send(frame(a, "ff:ff:ff:ff:ff:ff", "here"))
  comes(t, b, "here")
  comes(t, c, "here")
  c:send(frame(a, b, "now here"))
  comes(t, b, "now here")
  comes(t, a, "now here")
  t:like(host:bridge "fdb show br br0", a.mac .. " dev eth2 master br0")
end)

tap.test("entries age: 300 s after the last frame the address is flooded again", function(t)
  local host, a, b, c = switch(3)
  b:send(frame(b, "ff:ff:ff:ff:ff:ff", "x"))
  comes(t, a, "x")
  comes(t, c, "x")
  net.sleep "299s"
  a:send(frame(a, b, "still known"))
  comes(t, b, "still known")
  c:expect_nothing()
  net.sleep "2s"
  t:ok(not (host:bridge "fdb"):find(b.mac, 1, true))
  a:send(frame(a, b, "unknown"))
  comes(t, b, "unknown")
  comes(t, c, "unknown")
end)

tap.test("ageing_time can be set; 0 learns nothing", function(t)
  local host, a, b, c = switch(3, { ageing_time = 500 })
  a:send(frame(a, b, "1"))
  comes(t, b, "1")
  comes(t, c, "1")
  net.sleep "5.1s"
  t:ok(not (host:bridge "fdb"):find(a.mac, 1, true))
  host:ip "link set br0 type bridge ageing_time 0"
  a:send(frame(a, b, "2"))
  comes(t, b, "2")
  comes(t, c, "2")
  t:ok(not (host:bridge "fdb"):find(a.mac, 1, true))
end)

tap.test("the host talks by the bridge: its address is that of the lowest port", function(t)
  local host, a, b = switch(2)
  host:ip "addr add 192.0.2.1/24 dev br0"
  t:like(host:ip "link show br0", "link/ether " .. host.mac)
  a:send(eth { dst = "ff:ff:ff:ff:ff:ff", src = a.mac } /
    arp { op = "request", sha = a.mac, spa = "192.0.2.10", tha = "00:00:00:00:00:00", tpa = "192.0.2.1" })
  a:expect(arp { op = "reply", sha = host.mac }, { defaults = false })
  b:expect(arp { op = "request" }, { defaults = false, within = "1ms" })
  local s = host:socket "udp"
  s:bind(7)
  a:send(eth { dst = host.mac, src = a.mac } / ip { src = "192.0.2.10", dst = "192.0.2.1" } /
    udp { sport = 5, dport = 7 } / "up")
  t:is((s:recv()), "up")
  b:expect_nothing { during = "1ms" }
end)

tap.test("a static entry sends to its port before anything was heard", function(t)
  local host, _, b, c = switch(3)
  host:bridge "fdb add 02:00:00:00:66:66 dev eth2 master static"
  b:send(frame(b, "02:00:00:00:66:66", "static"))
  comes(t, c, "static")
  net.sleep "1000s"
  t:like(host:bridge "fdb show dev eth2", "02:00:00:00:66:66 dev eth2 master br0 static")
  t:error(function() host:bridge "fdb add 02:00:00:00:66:66 dev eth2 master static" end, "EEXIST")
  host:bridge "fdb del 02:00:00:00:66:66 dev eth2 master"
  t:error(function() host:bridge "fdb del 02:00:00:00:66:66 dev eth2 master" end, "ENOENT")
end)

tap.test("a static entry moves with its station, a sticky one does not", function(t)
  local host, a, b = switch(2)
  host:bridge("fdb add " .. a.mac .. " dev eth1 master static")
  a:send(frame(a, "ff:ff:ff:ff:ff:ff", "x"))
  comes(t, b, "x")
  t:like(host:bridge "fdb", a.mac .. " dev eth0 ")
  host:bridge("fdb replace " .. a.mac .. " dev eth1 master static sticky")
  a:send(frame(a, "ff:ff:ff:ff:ff:ff", "y"))
  comes(t, b, "y")
  t:like(host:bridge "fdb", a.mac .. " dev eth1 sticky ")
end)

tap.test("port flags: no learning, no flooding, isolated", function(t)
  local host, a, b, c = switch(3)
  host:bridge "link set dev eth0 learning off"
  a:send(frame(a, "02:00:00:00:77:77", "1"))
  comes(t, b, "1")
  comes(t, c, "1")
  t:ok(not (host:bridge "fdb"):find(a.mac, 1, true), "nothing was learned")
  host:bridge "link set dev eth1 flood off"
  a:send(frame(a, "02:00:00:00:77:77", "2"))
  comes(t, c, "2")
  b:expect_nothing { during = "1ms" }
  host:bridge "link set dev eth1 bcast_flood off"
  a:send(frame(a, "ff:ff:ff:ff:ff:ff", "3"))
  comes(t, c, "3")
  host:bridge "link set dev eth0 isolated on"
  host:bridge "link set dev eth2 isolated on"
  a:send(frame(a, "ff:ff:ff:ff:ff:ff", "4"))
  b:expect_nothing { during = "1ms" }
  c:expect_nothing()
  t:is(host:drops "NO_TX_TARGET", 0)
  a:send(frame(a, "02:00:00:00:77:77", "5"))
  c:expect_nothing { during = "1ms" }
  t:is(host:drops "NO_TX_TARGET", 1)
end)

tap.test("hairpin: back out of the port it came in by", function(t)
  local host, a = switch(1)
  host:bridge "link set dev eth0 hairpin on"
  a:send(frame(a, "02:00:00:00:77:77", "echo"))
  comes(t, a, "echo")
end)

tap.test("addresses of one link (01-80-C2-00-00-0X): 802.1D-2004 7.12.6", function(t)
  local host, a, b = switch(2)
  -- without spanning tree its frames pass, pause frames never do, LLDP goes up to the port
  a:send(frame(a, "01:80:c2:00:00:00", "bpdu"))
  comes(t, b, "bpdu")
  a:send(frame(a, "01:80:c2:00:00:01", "pause"))
  a:send(frame(a, "01:80:c2:00:00:0e", "lldp"))
  b:expect_nothing { during = "1ms" }
  t:is(host:drops "MAC_IEEE_MAC_CONTROL", 1)
  t:is(host:drops "UNHANDLED_PROTO" > 0, true)
  t:error(function() host:ip "link set br0 type bridge group_fwd_mask 7" end, "EINVAL")
  host:link { dev = "br0", group_fwd_mask = 0x4000 }
  a:send(frame(a, "01:80:c2:00:00:0e", "lldp"))
  comes(t, b, "lldp")
end)

tap.test("a limit of learned addresses", function(t)
  local host, a, b = switch(2)
  host:ip "link set br0 type bridge fdb_max_learned 3"
  for i = 1, 5 do
    a:send(eth { dst = "ff:ff:ff:ff:ff:ff", src = ("02:00:00:00:09:%02x"):format(i), type = 0x88b5 } / raw "x")
    comes(t, b, "x")
  end
  t:like(host:ip "-d link show br0", "fdb_n_learned 3 fdb_max_learned 3")
  host:bridge "fdb flush dev br0"
  t:like(host:ip "-d link show br0", "fdb_n_learned 0")
end)

tap.test("goes wrong: a group's address as source; a port that is down; the host's own address", function(t)
  local host, a, b = switch(2)
  a:send(eth { dst = b.mac, src = "03:00:00:00:00:01", type = 0x88b5 } / raw "group")
  b:expect_nothing { during = "1ms" }
  t:is(host:drops "MAC_INVALID_SOURCE", 1)
  a:send(eth { dst = b.mac, src = host.nics[1].mac, type = 0x88b5 } / raw "own")
  comes(t, b, "own")
  t:like(host:bridge "fdb", host.nics[1].mac .. " dev eth0 master br0 permanent")
  host:link { dev = "eth1", up = false }
  t:like(host:bridge "link", "eth1: <BROADCAST,MULTICAST> mtu 1500 master br0 state disabled")
  a:send(frame(a, b, "nobody"))
  b:expect_nothing { during = "1ms" }
  t:is(host:drops "NO_TX_TARGET", 1)
  host:bridge "link set dev eth0 state 4"
  a:send(frame(a, b, "blocked"))
  b:expect_nothing { during = "1ms" }
  t:is(host:drops "BRIDGE_INGRESS_STP_STATE", 1)
end)

tap.test("the bridge takes carrier and MTU from its ports", function(t)
  local host = switch(2)
  t:like(host:ip "link show br0", "LOWER_UP.* mtu 1500 .* state UP")
  host:link { dev = "eth1", mtu = 1400 }
  t:like(host:ip "link show br0", "mtu 1400")
  host:link { dev = "eth0", up = false }
  host:link { dev = "eth1", up = false }
  t:like(host:ip "link show br0", "NO%-CARRIER.* state DOWN")
  t:error(function() host:ip "link set lo master br0" end, "EINVAL")
  host:link_add { type = "bridge", name = "br1" }
  t:error(function() host:ip "link set br1 master br0" end, "ELOOP")
  t:error(function() host:ip "link set eth0 master lo" end, "EOPNOTSUPP")
end)

tap.test("a port leaves: its addresses go with it, it is a card of the host again", function(t)
  local host, a, b = switch(2)
  a:send(frame(a, b, "x"))
  comes(t, b, "x")
  host:ip "link set eth0 nomaster"
  t:ok(not (host:bridge "fdb"):find("dev eth0", 1, true))
  t:like(host:ip "-d link show eth0", " promiscuity 0 ")
  host:ip "link del br0"
  t:ok(not (host:ip "link"):find("master", 1, true))
end)

tap.test("containers: two namespaces on a bridge reach each other and the wire", function(t)
  local host = net.host { up = false }
  local outside = host.wire:peer { addr = "192.0.2.200", port = 9 }
  host:ip "link add br0 type bridge"
  host:ip "link set eth0 master br0"
  host:ip "link set eth0 up"
  local ns = {}
  for i = 1, 2 do
    ns[i] = host:netns("c" .. i)
    host:link_add { type = "veth", name = "port" .. i, peer = { name = "eth0", netns = ns[i] }, master = "br0", up = true }
    ns[i]:ip "link set eth0 up"
    ns[i]:ip("addr add 192.0.2." .. i .. "/24 dev eth0")
  end
  host:ip "link set br0 up"
  local s, c = ns[2]:socket "udp", ns[1]:socket "udp"
  s:bind(7)
  c:bind(8)
  c:sendto("inside", "192.0.2.2", 7)
  t:is((s:recv()), "inside")
  outside:expect(arp { op = "request", spa = "192.0.2.1", tpa = "192.0.2.2" }, { defaults = false, within = "1ms" })
  c:sendto("outside", "192.0.2.200", 9)
  local out = outside:expect(ip { src = "192.0.2.1", dst = "192.0.2.200" } / udp { sport = 8, dport = 9 } / "outside",
    { defaults = false, within = "1ms" })
  outside:send(eth { dst = out.eth.src, src = outside.mac } / ip { src = "192.0.2.200", dst = "192.0.2.1" } /
    udp { sport = 9, dport = 8 } / "back")
  t:is((c:recv()), "back")
end)

tap.test("a VLAN device on a bridge, a tagged frame through a bridge", function(t)
  local host, a, b = switch(2)
  host:link_add { type = "vlan", name = "br0.5", link = "br0", id = 5, up = true, addr = "10.5.0.1/24" }
  a:send(eth { dst = "ff:ff:ff:ff:ff:ff", src = a.mac } / net.vlan { id = 5 } /
    arp { op = "request", sha = a.mac, spa = "10.5.0.9", tha = "00:00:00:00:00:00", tpa = "10.5.0.1" })
  a:expect(eth {} / net.vlan { id = 5 } / arp { op = "reply" }, { defaults = false })
  local passed = b:expect(eth {} / net.vlan { id = 5 } / arp { op = "request" }, { defaults = false, within = "1ms" })
  t:is(passed.vlan.id, 5)
end)

-- SPDX-License-Identifier: MIT
-- "My frames vanish": on devices between two ends: bridges, groups, namespaces, listeners; and the
-- one that never ends (docs/machine-room.md).
local tap = require "tap"
local net = require "net"
local station = require "suite.station"
local lost = require "_lost"
local eth, ip, udp, arp = net.eth, net.ip, net.udp, net.arp

-- A host that bridges its two cards, and who is on either wire. o.mtu: of the second.
local function bridge(o)
  local host = net.host()
  local second = host:nic { mtu = o and o.mtu }
  host:ip "link add br0 type bridge"
  host:ip "link set br0 up"
  host:ip "link set eth0 master br0"
  host:ip "link set eth1 master br0"
  return host, host.wire:peer { addr = "192.0.2.9" }, second.wire:peer { addr = "192.0.2.10" }
end

local function frame(from, to, data)
  return eth { dst = to.mac, src = from.mac } / ip { src = from.addr, dst = to.addr } / udp { sport = 1, dport = 2 } / data
end

-- Bridges -------------------------------------------------------------------------------------------

tap.test("a loop: one broadcast goes round for ever; counters race though nobody sends, the sender seems to be elsewhere", function(t)
  local host, peer, second = bridge()
  host:ip "link add br1 type bridge"
  host:ip "link set br1 up"
  for i = 1, 2 do -- two cables between the same two bridges
    host:ip(("link add a%d type veth peer name b%d"):format(i, i))
    for name, master in pairs { a = "br0", b = "br1" } do
      host:link { dev = name .. i, master = master, up = true }
    end
  end
  host:cost { rx_packet = "10us" }
  peer:send(eth { dst = "ff:ff:ff:ff:ff:ff", src = peer.mac } / arp { op = "request", spa = peer.addr, tpa = "192.0.2.77" })
  local ports, before = {}, 0
  for _ = 1, 10 do
    net.sleep "1ms"
    local packets = lost.link(host, "a1").rx.packets + lost.link(host, "a2").rx.packets
    t:ok(packets >= before + 20, ("%d frames of one"):format(packets))
    before = packets
    for _, entry in ipairs(host:fdbs "br0") do
      if entry.addr == peer.mac then ports[entry.dev] = true end
    end
  end
  t:is(ports.eth0, nil) -- where it is
  t:ok(ports.a1 or ports.a2)
  host:ip "link set a2 down" -- one cable is pulled out
  net.sleep "1ms"
  local quiet = lost.link(host, "a1").rx.packets
  net.sleep "1s"
  t:is(lost.link(host, "a1").rx.packets, quiet)
  t:ok(#peer:collect() + #second:collect() > 400, "and all of it on every wire")
end)

tap.test("a station has moved and says nothing: its frames leave by the old port until its entry ages", function(t)
  local host, a, b = bridge()
  b:send(frame(b, a, "I am here"))
  a:collect { during = "1ms" }
  b:collect()
  -- It is on a's wire now.
  a:send(frame(a, b, "where?"))
  t:is(#b:collect { during = "1ms" }, 1)
  net.sleep "200s"
  t:like(host:bridge "-s fdb show br br0", b.mac .. " dev eth1 used %d+/200 master br0")
  host:bridge "fdb flush dev br0"
  t:is(host:bridge("fdb show br br0"):find(b.mac, 1, true), nil)
end)

tap.test("a frame longer than the MTU of the port it is to leave by: dropped by the bridge, and no device counts it", function(t)
  local host, a, b = bridge { mtu = 1000 }
  b:send(frame(b, a, "I am here"))
  a:collect { during = "1ms" }
  for _, size in ipairs { 900, 972, 973, 1400 } do a:send(frame(a, b, ("x"):rep(size))) end
  local sizes = {}
  for i, f in ipairs(b:collect { during = "1ms" }) do sizes[i] = #f.payload end
  t:is(sizes, { 900, 972 })
  t:is({ lost.link(host, "eth1").tx.dropped, lost.link(host, "eth1").tx.errors, lost.link(host, "eth0").rx.dropped },
    { 0, 0, 0 })
  local reasons = 0
  for name, n in pairs(host:changes({}, "^Drop%.")) do reasons = reasons + n end
  t:is(reasons, 2)
end)

-- Groups --------------------------------------------------------------------------------------------

local function to_group(peer, group)
  return eth { dst = "01:00:5e:01:01:01", src = peer.mac } / ip { src = peer.addr, dst = group } / udp { sport = 1, dport = 7 } / "x"
end

tap.test("a group that nobody has joined is the card's to drop; of all groups, IP knows none it was not asked for", function(t)
  local host, peer, socket = station.udp()
  peer:send(to_group(peer, "224.1.1.1"))
  net.sleep "1ms"
  t:is({ host:counter "eth0.hw_rx_filtered", host:counter "IpExtInMcastPkts" }, { 1, 0 })
  host:link { allmulti = true }
  peer:send(to_group(peer, "224.1.1.1"))
  net.sleep "1ms"
  t:is({ lost.link(host).rx.mcast, host:counter "IpInDelivers" }, { 1, 0 })
  socket:option("IP_ADD_MEMBERSHIP", "\xe0\1\1\1\xc0\0\2\1")
  peer:send(to_group(peer, "224.1.1.1"))
  t:is((socket:recv()), "x")
  peer:collect { during = "30s" } -- IGMP
end)

tap.test("joined on the other interface: what comes by this one is nobody's", function(t)
  local host, peer, socket = station.udp()
  local other = host:nic { addr = "198.51.100.1/24" }
  socket:option("IP_ADD_MEMBERSHIP", "\xe0\1\1\1\xc6\x33\x64\1") -- 224.1.1.1 by 198.51.100.1
  peer:send(to_group(peer, "224.1.1.1"))
  net.sleep "1ms"
  t:is(host:counter "eth0.hw_rx_filtered", 1)
  t:is({ socket:try("recv", { flags = "dontwait" }) }, { nil, "EAGAIN" })
  other.wire:peer { addr = "198.51.100.9" }:collect { during = "30s" }
end)

-- Namespaces, listeners -----------------------------------------------------------------------------

tap.test("127.0.0.1 does not answer in a new namespace: lo is down, its address is not there", function(t)
  local host = net.host { up = false }
  local ns = host:netns "red"
  local socket = ns:socket "udp"
  t:is({ socket:try("sendto", "x", "127.0.0.1", 9) }, { nil, "ENETUNREACH" })
  t:is(ns:nstat "IpOutNoRoutes", "#kernel\nIpOutNoRoutes                   1                  0.0\n")
  t:like(ns:ip "addr show dev lo", "<LOOPBACK> .* state DOWN ")
  ns:ip "link set lo up"
  t:is(socket:sendto("x", "127.0.0.1", 9), 1)
end)

tap.test("a listener that does not accept: SYNs are dropped; ListenOverflows, Recv-Q above Send-Q in ss -tl", function(t)
  local host, peer = station.pair()
  host:socket "tcp":listen(80, 1)
  for port = 4001, 4005 do
    local client = host.wire:peer { addr = "192.0.2." .. port - 3900, port = port }:to(80)
    host:neigh { addr = client.addr, mac = client.mac }
    client:send "S 0:0(0) win 65535 <mss 1000>"
    if port <= 4002 then
      client:expect "S. 0:0(0) ack 1"
      client:send ". 1:1(0) ack 1 win 65535"
    else
      client:expect_nothing { during = "10ms" }
    end
  end
  t:is(host:counter "TcpExtListenOverflows", 3)
  t:is(host:counter "TcpExtListenDrops", host:counter "TcpExtListenOverflows")
  t:like(host:ss "-tlnH", "LISTEN +2 +1 +0.0.0.0:80 ")
end)

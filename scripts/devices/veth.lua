-- SPDX-License-Identifier: MIT
-- veth: pairs of devices, within a host and between namespaces (drivers/net/veth.c).
local tap = require "tap"
local net = require "net"

-- A host and a namespace "blue" of it, with a pair between them: 10.0.0.1 and 10.0.0.2.
local function pair(o)
  local host = net.host(o or {})
  local blue = host:netns "blue"
  host:ip "link add veth0 address 02:00:00:00:00:a1 type veth peer name veth1 netns blue"
  blue:link { dev = "veth1", address = "02:00:00:00:00:a2", up = true }
  host:link { dev = "veth0", up = true }
  host:addr_add("10.0.0.1/24", { dev = "veth0" })
  blue:addr_add("10.0.0.2/24", { dev = "veth1" })
  return host, blue
end

tap.test("a datagram goes through a pair into a namespace, and its answer comes back", function(t)
  local host, blue = pair()
  local server, client = blue:socket "udp", host:socket "udp"
  server:bind(7)
  client:sendto("hello", "10.0.0.2", 7)
  local data, from = server:recv()
  t:is({ data, from.addr }, { "hello", "10.0.0.1" })
  server:sendto("world", from.addr, from.port)
  t:is((client:recv()), "world")
  t:like(host:ip "neigh", "10.0.0.2 dev veth0 lladdr 02:00:00:00:00:a2 REACHABLE")
end)

tap.test("what one end has sent the other has received", function(t)
  local host, blue = pair()
  local client = host:socket "udp"
  local server = blue:socket "udp"
  server:bind(7)
  for _ = 1, 10 do client:sendto(("x"):rep(100), "10.0.0.2", 7) end
  net.sleep "1ms"
  for _, name in ipairs { "packets", "bytes" } do
    t:is(host:counter("veth0.tx_" .. name), blue:counter("veth1.rx_" .. name))
    t:is(host:counter("veth0.rx_" .. name), blue:counter("veth1.tx_" .. name))
  end
  -- ten datagrams, and one ARP exchange
  t:is(host:counter "veth0.tx_packets", 11)
end)

tap.test("the carrier is there while both ends are up", function(t)
  local host = net.host {}
  host:ip "link add a type veth peer name b"
  t:like(host:ip "link show a", "<BROADCAST,MULTICAST,M%-DOWN> .* state DOWN")
  host:ip "link set a up"
  t:like(host:ip "link show a", "<NO%-CARRIER,BROADCAST,MULTICAST,UP,M%-DOWN> .* state LOWERLAYERDOWN")
  host:ip "link set b up"
  t:like(host:ip "link show a", "a@b: <BROADCAST,MULTICAST,UP,LOWER_UP> .* state UP")
  host:ip "link set b down"
  t:like(host:ip "link show a", "NO%-CARRIER")
end)

tap.test("goes wrong: the peer is down, packets are dropped and counted at the sender", function(t)
  local host, blue = pair()
  host:neigh { addr = "10.0.0.2", mac = "02:00:00:00:00:a2", dev = "veth0" }
  blue:link { dev = "veth1", up = false }
  local before = host:counters()
  local client = host:socket "udp"
  client:sendto("lost", "10.0.0.2", 7)
  net.sleep "1ms"
  t:is(host:changes(before, "^Drop%."), { ["Drop.DEV_READY"] = 1 })
  t:is(host:changes(before, "^veth0%."), { ["veth0.tx_dropped"] = 1 })
  t:is(blue:counter "veth1.rx_dropped", 1)
end)

tap.test("goes wrong: a frame longer than the peer's MTU is dropped by the peer", function(t)
  local host, blue = pair()
  host:neigh { addr = "10.0.0.2", mac = "02:00:00:00:00:a2", dev = "veth0" }
  blue:link { dev = "veth1", mtu = 1000 }
  local client = host:socket "udp"
  client:sendto(("x"):rep(1200), "10.0.0.2", 7)
  net.sleep "1ms"
  t:is(host:drops "PKT_TOO_BIG", 1)
  t:is({ host:counter "veth0.tx_dropped", blue:counter "veth1.rx_dropped" }, { 1, 1 })
end)

tap.test("a TCP stream passes in super-segments: nobody cuts them, nobody sums them", function(t)
  local host, blue = pair()
  local server = blue:socket "tcp"
  server:listen(80)
  local sent = ("0123456789"):rep(20000)
  local task = net.spawn(function()
    return (server:accept():recv { size = #sent, flags = "waitall" })
  end)
  local client = host:socket "tcp"
  client:connect("10.0.0.2", 80)
  net.spawn(function() client:send(sent) end)
  t:is(task:join(), sent)
  t:ok(host:counter "veth0.tx_packets" < 60, "packets are larger than the MTU")
end)

tap.test("a pair within one namespace: its own addresses are local, whoever asks", function(t)
  local host = net.host {}
  host:ip "link add a type veth peer name b"
  host:ip "link set a up"
  host:ip "link set b up"
  host:ip "addr add 10.0.0.1/24 dev a"
  host:ip "addr add 10.0.0.2/24 dev b"
  t:like(host:ip "route get 10.0.0.2", "^local 10.0.0.2 dev lo")
end)

tap.test("deleting one end takes the other along, wherever it is", function(t)
  local host, blue = pair()
  blue:ip "link del veth1"
  t:error(function() host:ip "link show veth0" end, 'Cannot find device "veth0"')
  t:is(host:ip "route", "")
end)

tap.test("packets that wait in the backlog go with the device", function(t)
  local host, blue = pair()
  host:cost { rx_packet = "1ms" }
  host:neigh { addr = "10.0.0.2", mac = "02:00:00:00:00:a2", dev = "veth0" }
  local client = host:socket "udp"
  for _ = 1, 5 do client:sendto("x", "10.0.0.2", 7) end
  host:ip "link del veth0"
  t:is(blue:drops "DEV_DELETED" > 0, true)
end)

tap.test("two hosts of a world can be joined by a pair, too", function(t)
  local a, b = net.host {}, net.host {}
  a:link_add { type = "veth", name = "v", peer = { name = "v", netns = b }, addr = "10.0.0.1/24", up = true }
  b:link { dev = "v", up = true }
  b:addr_add("10.0.0.2/24", { dev = "v" })
  local server, client = b:socket "udp", a:socket "udp"
  server:bind(7)
  client:sendto("over", "10.0.0.2", 7)
  t:is((server:recv()), "over")
end)

tap.test("names: taken ones are refused, patterns are filled in", function(t)
  local host = net.host {}
  t:is(host:link_add { type = "veth" }.name, "veth1")
  t:error(function() host:ip "link add veth0 type dummy" end, "EEXIST")
  t:error(function() host:ip "link add x type token-ring" end, "unknown type")
  t:error(function() host:ip "link add a/b type dummy" end, "EINVAL")
  host:ip "link set veth0 name left"
  t:like(host:ip "link show left", "left@veth1:")
  host:ip "link set left up"
  t:error(function() host:ip "link set left name right" end, "EBUSY")
end)

tap.test("dummy: takes all, keeps nothing, its address answers", function(t)
  local host = net.host {}
  host:ip "link add dummy0 type dummy"
  host:ip "link set dummy0 up"
  host:ip "addr add 10.9.9.9/24 dev dummy0"
  t:like(host:ip "link show dummy0", "<BROADCAST,NOARP,UP,LOWER_UP> .* state UNKNOWN")
  local s = host:socket "udp"
  s:sendto("into the void", "10.9.9.1", 7)
  t:is({ host:counter "dummy0.tx_packets", host:counter "dummy0.tx_bytes" }, { 1, 14 + 28 + 13 })
  local server = host:socket "udp"
  server:bind("10.9.9.9", 9)
  s:sendto("local", "10.9.9.9", 9)
  t:is((server:recv()), "local")
end)

-- SPDX-License-Identifier: MIT
-- Filters of tc on the way in and out of a device (clsact, ingress): u32, fw and matchall, with the
-- actions gact and mirred; what they print, and what a user sees who forgot that they are there.
local tap = require "tap"
local net = require "net"
local qdisc = require "_qdisc"
local ip, udp, icmp = net.ip, net.udp, net.icmp

local station, complains = qdisc.station, qdisc.complains

local function echo(peer) peer:send(icmp{ type = "echo", id = 1, seq = 1 } / "ping") end

tap.test("a drop on the way in: a tap sees the packet, IP does not; TC_INGRESS tells", function(t)
  local host, peer = station()
  local packets = host:socket("packet", { dev = "eth0" })
  host:tc "qdisc add dev eth0 clsact"
  host:tc "filter add dev eth0 ingress protocol ip prio 1 u32 match ip protocol 1 0xff action drop"
  local before = host:counters()
  echo(peer)
  peer:expect_nothing { during = "1ms" }
  t:ok(packets:recv(), "tcpdump shows it")
  t:is(host:changes(before, "^IpIn"), {})
  t:is(host:drops "TC_INGRESS", 1)
  t:like(host:tc "-s filter show dev eth0 ingress", "gact action drop\n.*Sent 60 bytes 1 pkt %(dropped 1,")
  host:tc "filter del dev eth0 ingress"
  echo(peer)
  peer:expect(icmp{ type = "echo-reply" }, { within = "1ms" })
end)

tap.test("a drop on the way out: the sender hears of it, a tap does not; TC_EGRESS tells", function(t)
  local host, peer, socket = station()
  local packets = host:socket("packet", { dev = "eth0" })
  host:tc "qdisc add dev eth0 clsact"
  host:tc "filter add dev eth0 egress protocol ip prio 1 u32 match ip dport 9 0xffff action drop"
  socket:sendto("x", peer.addr, 9)
  socket:sendto("y", peer.addr, 10)
  peer:expect(udp{ dport = 10 } / "y")
  t:is(host:drops "TC_EGRESS", 1)
  t:is((packets:recv()):sub(-1), "y")
  t:like(host:tc "-s qdisc show dev eth0", "clsact ffff: parent ffff:fff1 \n Sent 86 bytes 2 pkt %(dropped 1,")
end)

tap.test("priorities: pass ends the search, continue goes on, pipe runs the next action", function(t)
  local host, peer, socket = station()
  host:tc "qdisc add dev eth0 clsact"
  host:tc "filter add dev eth0 egress protocol ip prio 1 u32 match ip dport 9 0xffff action pass"
  host:tc "filter add dev eth0 egress protocol ip prio 2 u32 match ip dport 10 0xffff action continue"
  host:tc "filter add dev eth0 egress protocol ip prio 3 u32 match ip dport 11 0xffff action pipe action drop"
  host:tc "filter add dev eth0 egress protocol ip prio 4 u32 match ip dport 10 0xffff action drop"
  for port = 9, 12 do socket:sendto("x", peer.addr, port) end
  local seen = {}
  for _, p in ipairs(peer:collect { during = "1ms" }) do seen[#seen + 1] = p.udp.dport end
  t:is(seen, { 9, 12 })
end)

tap.test("matchall has one filter, fw looks at the mark, arp is another protocol", function(t)
  local host, peer, socket = station()
  host:tc "qdisc add dev eth0 clsact"
  host:tc "filter add dev eth0 egress protocol ip prio 1 handle 0x6/0xff fw action drop"
  socket:option("SO_MARK", 0x106)
  socket:sendto("x", peer.addr, 9)
  socket:option("SO_MARK", 7)
  socket:sendto("y", peer.addr, 9)
  peer:expect(udp{} / "y")
  t:like(host:tc "filter show dev eth0 egress", "fw chain 0 handle 0x6/0xff ")
  host:tc "filter add dev eth0 ingress protocol arp prio 2 matchall action drop"
  t:error(function() host:tc "filter add dev eth0 ingress protocol arp prio 2 matchall action pass" end,
    "RTNETLINK answers: File exists")
  peer:send(net.arp{ op = "request" })
  peer:expect_nothing { during = "1ms" }
  echo(peer)
  peer:expect(icmp{ type = "echo-reply" }, { within = "1ms" })
end)

local function two_cards()
  local host, peer, socket = station()
  local other = host:nic { addr = "10.8.8.1/24" }
  return host, peer, socket, other.wire:peer { addr = "10.8.8.2" }
end

tap.test("mirred: what comes in goes out elsewhere, or a copy of it", function(t)
  local host, peer, _, watcher = two_cards()
  host:tc "qdisc add dev eth0 clsact"
  host:tc "filter add dev eth0 ingress protocol ip prio 1 u32 match ip protocol 1 0xff action mirred egress mirror dev eth1"
  echo(peer)
  peer:expect(icmp{ type = "echo-reply" }, { within = "1ms" })
  local copy = watcher:expect(ip{ src = "192.0.2.9", dst = "192.0.2.1" } / icmp{ type = "echo" }, { defaults = false, within = "1ms" })
  t:is(copy.eth.dst, host.mac)
  host:tc "filter del dev eth0 ingress prio 1"
  host:tc "filter add dev eth0 ingress protocol ip prio 1 u32 match ip protocol 1 0xff action mirred egress redirect dev eth1"
  echo(peer)
  peer:expect_nothing { during = "1ms" }
  watcher:expect(icmp{ type = "echo" }, { defaults = false, within = "1ms" })
  t:like(host:tc "filter show dev eth0 ingress", "mirred %(Egress Redirect to device eth1%) stolen\n\tindex 2 ref 1 bind 1\n")
end)

tap.test("mirred ingress: what is sent arrives at another device of the host", function(t)
  local host, peer, socket = station()
  host:ip "link add v0 type veth peer name v1"
  host:ip "link set v0 up"
  host:ip "link set v1 up"
  local packets = host:socket("packet", { dev = "v1" })
  host:tc "qdisc add dev eth0 clsact"
  host:tc "filter add dev eth0 egress protocol ip prio 1 u32 match ip dport 9 0xffff action mirred ingress redirect dev v1"
  socket:sendto("turned", peer.addr, 9)
  peer:expect_nothing { during = "1ms" }
  local frame, from = packets:recv()
  t:is({ frame:sub(-6), from.pkttype }, { "turned", "host" })
end)

tap.test("a device that redirects to itself for ever is stopped at the fourth turn", function(t)
  local host, peer, socket = station()
  host:tc "qdisc add dev eth0 clsact"
  host:tc "filter add dev eth0 egress protocol ip prio 1 matchall action mirred egress redirect dev eth0"
  socket:sendto("round", peer.addr, 9)
  peer:expect_nothing { during = "1ms" }
  t:is(host:drops "TC_EGRESS", 1)
  t:like(host:tc "-s filter show dev eth0 egress", "Sent 188 bytes 4 pkt %(dropped 0, overlimits 1 ")
end)

tap.test("a device that is gone, or down, gets nothing", function(t)
  local host, peer = station()
  host:ip "link add v0 type veth peer name v1"
  host:tc "qdisc add dev eth0 clsact"
  host:tc "filter add dev eth0 ingress protocol ip prio 1 matchall action mirred egress redirect dev v0"
  echo(peer)
  host:ip "link del v0"
  echo(peer)
  peer:expect_nothing { during = "1ms" }
  t:is(host:drops "TC_INGRESS", 2)
  t:like(host:tc "filter show dev eth0 ingress", "Redirect to device %*%)")
end)

tap.test("what u32 looks at, as tc prints it", function(t)
  local host = station()
  for match, key in pairs {
    ["u32 10 ff at 4"] = "0000000a/000000ff at 4", ["u16 10 ff at 2"] = "0000000a/000000ff at 0",
    ["u8 10 ff at 3"] = "0000000a/000000ff at 0", ["ip dport 0x10 ff"] = "00000010/000000ff at 20",
    ["ip protocol 11 ff"] = "000b0000/00ff0000 at 8", ["ip df"] = "00004000/00004000 at 4",
    ["ip firstfrag"] = "00002000/00003fff at 4", ["ip nofrag"] = "00000000/00003fff at 4",
    ["ip icmp_type 8 0xff"] = "08000000/ff000000 at 20", ["tcp dst 80 0xffff"] = "00000050/0000ffff at nexthdr+0",
    ["ip6 protocol 58 0xff"] = "00003a00/0000ff00 at 4", ["ip src 0/0"] = "00000000/00000000 at 12",
    ["ip dst 1.2.3.4/20"] = "01020000/fffff000 at 16",
    ["ip6 src fe80::1/40"] = "fe800000/ffffffff at 8\n  match 00000000/ff000000 at 12",
  } do
    host:tc "qdisc add dev eth0 clsact"
    host:tc("filter add dev eth0 egress protocol ip u32 match " .. match .. " flowid 1:1")
    t:is(host:tc "filter show dev eth0 egress", "filter protocol ip pref 49152 u32 chain 0 \n" ..
      "filter protocol ip pref 49152 u32 chain 0 fh 800: ht divisor 1 \n" ..
      "filter protocol ip pref 49152 u32 chain 0 fh 800::800 order 2048 key ht 800 bkt 0 *flowid 1:1 not_in_hw \n" ..
      "  match " .. key .. "\n", match)
    host:tc "qdisc del dev eth0 clsact"
  end
end)

tap.test("what goes wrong is said as Linux says it", function(t)
  local host = station()
  complains(t, host, "filter add dev eth0 ingress protocol ip u32 match u32 0 0", "Error: Parent Qdisc doesn't exists.")
  host:tc "qdisc add dev eth0 clsact"
  complains(t, host, "qdisc add dev eth0 clsact", "Error: Exclusivity flag on, cannot modify.")
  complains(t, host, "qdisc del dev eth0 ingress", "Error: Invalid qdisc name: must match existing qdisc.")
  complains(t, host, "qdisc add dev eth0 root clsact", "\"clsact\" is a duplicate parent ID")
  complains(t, host, "filter add dev eth0 parent 1: u32 match u32 0 0", "Parent Qdisc doesn't exists.")
  host:tc "qdisc add dev eth0 root handle 1: prio"
  host:tc "qdisc add dev eth0 parent 1:1 handle 10: pfifo"
  complains(t, host, "filter add dev eth0 parent 10: protocol ip u32 match u32 0 0", "Error: Qdisc not classful.")
  host:tc "filter add dev eth0 parent 1: protocol ip prio 1 u32 match u32 0 0 flowid 1:1"
  complains(t, host, "filter add dev eth0 parent 1: protocol ipv6 prio 1 u32 match u32 0 0", "Protocol mismatch for filter with specified priority.")
  complains(t, host, "filter change dev eth0 parent 1: protocol ip prio 9 u32 match u32 0 0",
    "Need both RTM_NEWTFILTER and NLM_F_CREATE to create a new filter.")
  complains(t, host, "filter del dev eth0 parent 1: protocol ip prio 9", "Filter with specified priority/protocol not found.")
  complains(t, host, "filter del dev eth0 parent 1: prio 1 matchall", "Specified filter kind does not match existing one.")
  complains(t, host, "filter del dev eth0 parent 1: prio 1 handle 800::805", "Specified filter handle not found.")
  complains(t, host, "filter add dev eth0 parent 1: protocol ip", "Filter kind and protocol must be specified.")
  complains(t, host, "filter add dev eth0 parent 1: protocol ip flower", "TC classifier not found.")
  complains(t, host, "filter add dev eth0 parent 1: protocol ip u32 match ip dprt 5", "Illegal \"match\"")
  complains(t, host, "filter add dev eth0 parent 1: protocol ip matchall action jump", "bad action parsing")
  complains(t, host, "filter show dev eth7", "Cannot find device \"eth7\"")
end)

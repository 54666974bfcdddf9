-- SPDX-License-Identifier: MIT
-- "My frames vanish": on the way out, from the call to the wire. What send() returns, and who knows
-- what became of the packet when it returned success (docs/machine-room.md). The numbers are those
-- of Linux 6.18 on the same machine.
local tap = require "tap"
local net = require "net"
local station = require "suite.station"
local lost = require "_lost"
local udp = net.udp

-- n datagrams, sent without waiting: how many calls succeeded, and the errors of the others.
local function send(socket, n, size, addr)
  local sent, errors = 0, {}
  for _ = 1, n do
    local done, why = socket:try("sendto", ("x"):rep(size or 500), addr or "192.0.2.9", 9, { flags = "dontwait" })
    if done then sent = sent + 1 else errors[#errors + 1] = why end
  end
  return sent, errors
end

local function grown(host, names)
  local list = {}
  for name, value in host:nstat(names):gmatch "(%w+) +(%d+) +0%.0" do list[name] = tonumber(value) end
  return list
end

-- A column of /proc/net/stat/arp_cache.
local function arp_cache(host, name)
  local names, values = host:proc("/proc/net/stat/arp_cache"):match "^([^\n]*)\n([^\n]*)"
  local value = values:gmatch "%x+"
  for column in names:gmatch "%S+" do
    local n = tonumber(value(), 16)
    if column == name then return n end
  end
end

local COUNTERS = "IpOut* UdpOutDatagrams UdpSndbufErrors"

-- Queueing discipline -------------------------------------------------------------------------------

tap.test("the discipline is full: send() succeeds; tc -s and UdpSndbufErrors know better, ip -s link does not", function(t)
  local host, peer = station.pair()
  host:tc "qdisc replace dev eth0 root tbf rate 8kbit burst 1600 limit 1600"
  local socket = host:socket "udp"
  t:is({ send(socket, 8) }, { 8, {} })
  t:is(grown(host, COUNTERS), { IpOutRequests = 8, IpOutTransmits = 8, IpOutDiscards = 4, UdpOutDatagrams = 4,
    UdpSndbufErrors = 4 })
  local qdisc = lost.qdisc(host)
  t:is({ qdisc.dropped, qdisc.packets, qdisc.backlog }, { 4, 2, 2 })
  t:is({ lost.link(host).tx.dropped, lost.link(host).tx.errors }, { 0, 0 })
  t:is(host:drops "QDISC_DROP", 4)
  -- IP_RECVERR is what makes send() say it.
  socket:option("IP_RECVERR", 1)
  local sent, errors = send(socket, 2)
  t:is({ sent, errors }, { 0, { "ENOBUFS", "ENOBUFS" } })
  peer:collect { during = "10s" }
end)

tap.test("a loss that netem makes: the sender learns nothing at all, tc -s does", function(t)
  local host, peer = station.pair()
  host:tc "qdisc replace dev eth0 root netem loss 100%"
  t:is({ send(host:socket "udp", 5) }, { 5, {} })
  peer:expect_nothing { during = "1s" }
  t:is(grown(host, COUNTERS), { IpOutRequests = 5, IpOutTransmits = 5, UdpOutDatagrams = 5 })
  t:is(lost.qdisc(host).dropped, 5)
end)

tap.test("a filter drops: the counter is the filter's action's", function(t)
  local host, peer = station.pair()
  host:tc "qdisc add dev eth0 clsact"
  host:tc "filter add dev eth0 egress protocol ip u32 match ip dport 9 0xffff action drop"
  t:is((send(host:socket "udp", 3)), 3)
  peer:expect_nothing { during = "1ms" }
  t:like(host:tc "-s filter show dev eth0 egress", "Sent %d+ bytes 3 pkt %(dropped 3,")
  t:is(host:drops "TC_EGRESS", 3)
  t:is(lost.qdisc(host).packets, 0)
end)

-- Device --------------------------------------------------------------------------------------------

tap.test("the cable is out: send() succeeds, the packet waits for no one; NO-CARRIER and the changes tell", function(t)
  local host, peer = station.pair()
  local socket = host:socket "udp"
  host:link { carrier = false }
  net.sleep "1ms"
  t:is((send(socket, 2)), 2)
  t:like(host:ip "link show dev eth0", "<NO%-CARRIER,BROADCAST,MULTICAST,UP> .* state DOWN ")
  t:is(host:drops "DEV_READY", 2)
  host:link { carrier = true }
  net.sleep "1ms"
  peer:expect_nothing { during = "1s" }
  t:is({ host:ip("-s -s link show dev eth0"):match "(%d+) *\n$" }, { "3" })
  t:is((send(socket, 1)), 1)
  t:is(#peer:collect { during = "10us" }, 1)
end)

tap.test("the other end of a veth is down: dropped and counted at the sender, whose calls succeed", function(t)
  local host = net.host { up = false }
  host:ip "link add veth0 type veth peer name veth1"
  host:ip "addr add 192.0.2.1/24 dev veth0"
  host:ip "link set veth0 up"
  host:ip "link set veth1 up"
  host:ip "neigh add 192.0.2.9 lladdr 02:00:00:00:00:99 dev veth0"
  host:ip "link set veth1 down"
  t:is((send(host:socket "udp", 2)), 2)
  t:is(lost.link(host, "veth0").tx.dropped, 2)
  t:is(grown(host, COUNTERS), { IpOutRequests = 2, IpOutTransmits = 2, UdpOutDatagrams = 2 })
end)

tap.test("the card is slow: nothing is lost, it waits; the backlog of tc -s and Send-Q tell where", function(t)
  local host, peer, socket = station.udp { wire = net.wire { rate = 1000000 }, tx_ring = 8, model = "ring" }
  host:ethtool { tx_csum = 0, tso = 0 } -- a descriptor a packet
  t:is((send(socket, 40)), 40)
  t:is(lost.qdisc(host).backlog, 40 - 7) -- a ring of 8 takes 7
  t:ok(tonumber(host:ss("-uanH"):match "UNCONN +%d+ +(%d+) ") > 20 * 500)
  t:is(#peer:collect { during = "1s" }, 40)
  t:is({ lost.qdisc(host).dropped, lost.qdisc(host).backlog }, { 0, 0 })
end)

tap.test("the send buffer is full: EAGAIN, and nothing is dropped", function(t)
  local host, peer, socket = station.udp { wire = net.wire { rate = 100000 } }
  socket:option("SO_SNDBUF", 4608)
  local sent, errors = send(socket, 20, 1000)
  t:ok(sent > 0 and sent < 20)
  t:is(errors[1], "EAGAIN")
  t:is(grown(host, COUNTERS), { IpOutRequests = sent, IpOutTransmits = sent, UdpOutDatagrams = sent,
    UdpSndbufErrors = 20 - sent })
  t:is(#peer:collect { during = "10s" }, sent)
end)

-- Routes, neighbours --------------------------------------------------------------------------------

tap.test("no route, and routes that refuse: each its errno; only the missing one is counted", function(t)
  local host = station.pair()
  host:ip "route add blackhole 203.0.113.0/24"
  host:ip "route add unreachable 203.0.114.0/24"
  host:ip "route add prohibit 203.0.115.0/24"
  local socket, got = host:socket "udp", {}
  for i = 113, 116 do
    local _, errors = send(socket, 1, 1, ("203.0.%d.1"):format(i))
    got[#got + 1] = errors[1]
  end
  t:is(got, { "EINVAL", "EHOSTUNREACH", "EACCES", "ENETUNREACH" })
  t:is(grown(host, "-z IpOutNoRoutes IpOutRequests"), { IpOutNoRoutes = 1, IpOutRequests = 0 })
  -- What `ip route get` says is what a call would be told.
  t:is(host:ip "route get 203.0.114.1", "RTNETLINK answers: No route to host\n")
end)

tap.test("nobody answers ARP: send() succeeds for ever; who has IP_RECVERR is told; FAILED, and NEIGH_FAILED", function(t)
  local host, peer = station.pair()
  local socket, asks = host:socket "udp", host:socket "udp"
  asks:option("IP_RECVERR", 1)
  for _, s in ipairs { socket, asks } do
    s:connect("192.0.2.77", 9)
    t:is(s:send "1", 1)
  end
  t:like(host:ip "neigh show 192.0.2.77", "INCOMPLETE")
  peer:collect { during = "4s" }
  t:like(host:ip "-s neigh show 192.0.2.77", "probes 6 FAILED")
  t:is(host:drops "NEIGH_FAILED", 2)
  t:is(arp_cache(host, "res_failed"), 1)
  t:is({ asks:try("send", "2") }, { nil, "EHOSTUNREACH" })
  t:is(socket:send "2", 1)
  t:like(host:ip "neigh show 192.0.2.77", "INCOMPLETE") -- asked for once more
  peer:collect { during = "4s" }
end)

tap.test("more waits for a neighbour than unres_qlen_bytes: the oldest go, one by one; IP has sent them all", function(t)
  local host, peer = station.pair()
  host:sysctl("net.ipv4.neigh.eth0.unres_qlen_bytes", 3000)
  local socket = host:socket "udp"
  for i = 1, 6 do socket:sendto(tostring(i), "192.0.2.77", 9) end
  local queued = 6 - host:drops "NEIGH_QUEUEFULL"
  t:is(queued, 3) -- of buffers, not of octets
  t:is(arp_cache(host, "unresolved_discards"), 6 - queued)
  t:is(grown(host, "IpOutRequests IpOutTransmits IpOutDiscards"), { IpOutRequests = 6, IpOutTransmits = 6 })
  local late = host.wire:peer { addr = "192.0.2.77" }
  peer:collect { during = "10ms" }
  late:send(net.arp { op = "reply", spa = "192.0.2.77", tpa = "192.0.2.1" })
  local list = {}
  for i, frame in ipairs(late:collect { during = "1ms" }) do list[i] = frame.payload end
  t:is(list[#list], "6")
  t:is(#list, queued)
end)

tap.test("unres_qlen_bytes counts whole buffers: so many of each size wait, as on Linux 6.18", function(t)
  local waits = {}
  for _, size in ipairs { 1, 200, 500, 700, 1000 } do
    local host, peer = station.pair()
    host:sysctl("net.ipv4.neigh.eth0.unres_qlen_bytes", 3000)
    t:is((send(host:socket "udp", 6, size, "192.0.2.77")), 6)
    waits[size] = 6 - host:drops "NEIGH_QUEUEFULL"
    peer:collect { during = "5s" }
    t:is(host:drops "NEIGH_FAILED", waits[size])
  end
  t:is(waits, { [1] = 3, [200] = 2, [500] = 2, [700] = 1, [1000] = 1 })
end)

tap.test("the neighbour table is full: ENOBUFS, or silence; gc_thresh3 is the limit", function(t)
  local host, peer = station.pair { sysctl = { ["net.ipv4.neigh.default.gc_thresh3"] = 4,
    ["net.ipv4.neigh.default.gc_thresh2"] = 4, ["net.ipv4.neigh.default.gc_thresh1"] = 1 } }
  local socket, refused = host:socket "udp", 0
  for i = 100, 109 do
    local sent, errors = send(socket, 1, 1, "192.0.2." .. i)
    if sent == 0 then refused = refused + 1 end
    t:ok(sent == 1 or errors[1] == "ENOBUFS", errors[1])
  end
  peer:collect { during = "1ms" }
  t:is(host:drops "NEIGH_CREATEFAIL", 10 - select(2, host:ip("neigh show nud incomplete"):gsub("\n", "")))
  t:ok(host:drops "NEIGH_CREATEFAIL" > 0)
  t:is(arp_cache(host, "table_fulls"), host:drops "NEIGH_CREATEFAIL")
  t:is(arp_cache(host, "entries"), 4 + 1) -- a permanent one does not count
  peer:collect { during = "5s" }
end)

-- SPDX-License-Identifier: MIT
-- "My frames vanish": on the way in, from the wire to the socket. Each case builds one failure and
-- reads it where a user would: in what ethtool, ip, ss, nstat and /proc say (docs/machine-room.md).
local tap = require "tap"
local net = require "net"
local card = require "suite.card"
local station = require "suite.station"
local lost = require "_lost"
local eth, ip, udp, icmp = net.eth, net.ip, net.udp, net.icmp

local drain, softnet = card.drain, lost.softnet

-- Card ----------------------------------------------------------------------------------------------

tap.test("ring full: the card counts what found no descriptor; IP has never heard of it", function(t)
  local host, peer, socket = station.udp { rx_ring = 64 }
  host:cost { rx_packet = "10us" }
  for i = 1, 300 do peer:send(udp{} / tostring(i)) end
  net.sleep "10ms"
  local missed = 300 - #drain(socket)
  t:ok(missed > 100)
  t:is(lost.ethtool(host, "hw_rx_missed"), missed)
  t:is(lost.link(host).rx.missed, missed)
  t:is(host:counter "IpInReceives", 300 - missed)
  t:is({ softnet(host, 0).dropped, host:counter "UdpRcvbufErrors" }, { 0, 0 })
end)

tap.test("for another hardware address: the card's filter; promiscuous, IP drops it as somebody else's", function(t)
  local host, peer, socket = station.udp()
  local foreign = eth { dst = "02:00:00:00:00:77", src = peer.mac } / ip { src = peer.addr, dst = host.addr } /
    udp { sport = 1, dport = 7 } / "x"
  peer:send(foreign)
  net.sleep "1ms"
  t:is(lost.link(host).rx.packets, 0)
  t:is(host:counter "eth0.hw_rx_filtered", 1)
  host:link { promisc = true }
  peer:send(foreign)
  net.sleep "1ms"
  t:is({ lost.link(host).rx.packets, host:drops "OTHERHOST", host:counter "IpInReceives" }, { 1, 1, 0 })
  t:is(drain(socket), {})
end)

tap.test("the sender's MTU is larger: small ones pass, large ones are length errors", function(t)
  local host, peer, socket = station.udp()
  -- A card has room for a tag behind the MTU: four octets more go through.
  for _, size in ipairs { 100, 1472, 1476, 1477, 8000 } do peer:send(udp{} / ("x"):rep(size)) end
  net.sleep "1ms"
  t:is(#drain(socket), 3)
  t:is({ lost.link(host).rx.errors, lost.ethtool(host, "hw_rx_length_errors") }, { 2, 2 })
  host:link { mtu = 9000 }
  peer:send(udp{} / ("x"):rep(8000))
  t:is(#socket:recv(), 8000)
end)

tap.test("the interrupt is lost: frames lie in the ring, neither delivered nor dropped; its number stands still",
  function(t)
    local host, peer, socket = station.udp { model = "ring" }
    local function irqs() return host:proc("/proc/interrupts"):match "0: +(%d+) [^\n]*eth0" end
    peer:send(udp{} / "1")
    t:is((socket:recv()), "1")
    local before = irqs()
    host:ethtool { irq_lost = 1 }
    peer:send(udp{} / "2")
    net.sleep "1s"
    t:is({ drain(socket), irqs() }, { {}, before })
    t:is({ host:counter "eth0.hw_rx_frames", lost.link(host).rx.packets, lost.link(host).rx.missed }, { 2, 1, 0 })
    host:ethtool { irq_spurious = 1 } -- what `ip link set eth0 down; ... up` would do to it, without the loss
    net.sleep "1ms"
    t:is(drain(socket), { "2" })
  end)

-- CPU -----------------------------------------------------------------------------------------------

tap.test("softnet_stat's third column: turns that used up the budget; late, not lost", function(t)
  local host, peer, socket = station.udp { sysctl = { ["net.core.netdev_budget"] = 16 } }
  socket:option("SO_RCVBUF", 200000)
  for i = 1, 150 do peer:send(udp{} / tostring(i)) end
  net.sleep "10ms"
  t:is(#drain(socket), 150)
  t:ok(softnet(host, 0).squeezed >= 3)
  t:is({ softnet(host, 0).processed, softnet(host, 0).dropped, lost.link(host).rx.missed }, { 150, 0, 0 })
  host:sysctl("net.core.netdev_budget", 300)
  local before = softnet(host, 0).squeezed
  for i = 1, 60 do peer:send(udp{} / tostring(i)) end
  net.sleep "10ms"
  t:is({ #drain(socket), softnet(host, 0).squeezed }, { 60, before })
end)

tap.test("softnet_stat's second column: the backlog of the CPU that RPS chose is full; CPU_BACKLOG, RX dropped", function(t)
  local host, peer, socket = station.udp { cpus = 2, sysctl = { ["net.core.netdev_max_backlog"] = 20 } }
  host:ethtool { rps_cpus = 2 }
  host:cost { rx_packet = "100us" }
  for i = 1, 60 do peer:send(udp{} / tostring(i)) end
  net.sleep "100ms"
  local dropped = 60 - #drain(socket)
  t:ok(dropped > 0)
  -- Counted in the line of the CPU whose backlog it was, as the last but one column names it.
  t:is({ softnet(host, 1).dropped, softnet(host, 0).dropped, softnet(host, 1).cpu }, { dropped, 0, 1 })
  t:is({ lost.link(host).rx.dropped, host:drops "CPU_BACKLOG" }, { dropped, dropped })
  t:is(lost.link(host).rx.missed, 0)
end)

tap.test("rps_cpus names a CPU that is not there: no error, and no RPS", function(t)
  local host, peer, socket = station.udp { cpus = 2 }
  host:ethtool { rps_cpus = 0x10 }
  for i = 1, 20 do peer:send(udp{ sport = i } / "x") end
  net.sleep "1ms"
  t:is(#drain(socket), 20)
  t:is({ softnet(host, 0).processed, softnet(host, 1).processed, softnet(host, 1).received_rps }, { 20, 0, 0 })
end)

tap.test("one flow is dropped where others are not: flow_limit_count beside dropped", function(t)
  local host, peer = station.udp { cpus = 2, rx_ring = 512,
    sysctl = { ["net.core.netdev_max_backlog"] = 200, ["net.core.flow_limit_cpu_bitmap"] = 1 } }
  local small = host:socket "udp"
  small:bind(8)
  host:ethtool { rps_cpus = 2 }
  host:softirq("tasklet", { cpu = 1, cost = "10ms" }) -- as long as they come
  for i = 1, 300 do
    peer:send(udp{ sport = 1 } / "large")
    if i % 30 == 0 then peer:send(udp{ sport = i, dport = 8 } / "small") end
    net.sleep "20us"
  end
  net.sleep "1s"
  t:is(#drain(small), 10)
  t:ok(softnet(host, 1).dropped > 100)
  -- Limited by the CPU that put them there, dropped at the one that was to have them.
  t:is({ softnet(host, 0).flow_limit, softnet(host, 1).flow_limit }, { softnet(host, 1).dropped, 0 })
end)

-- Socket --------------------------------------------------------------------------------------------

tap.test("the receive buffer counts whole buffers: small datagrams fill it long before their octets do", function(t)
  local host, peer, socket = station.udp()
  socket:option("SO_RCVBUF", 16384) -- doubled, as ever
  for i = 1, 200 do peer:send(udp{} / "eleven byte") end
  net.sleep "1ms"
  local waiting = lost.udp(host, 7)
  local memory = socket:meminfo()
  local told = host:ss "-uanm"
  local kept = #drain(socket)
  t:ok(kept * 11 < memory.rcvbuf // 20, ("%d datagrams of 11 octets fill %d"):format(kept, memory.rcvbuf))
  t:is(waiting, { recv_q = memory.rmem, drops = 200 - kept })
  t:is({ memory.drops, host:drops "SOCKET_RCVBUFF" }, { 200 - kept, 200 - kept })
  t:like(told, ("skmem:%%(r%d,rb%d,.*,d%d%%)"):format(memory.rmem, memory.rcvbuf, 200 - kept))
  t:like(host:nstat "-a UdpRcvbufErrors UdpInErrors", ("UdpInErrors +%d .*UdpRcvbufErrors +%d "):format(200 - kept, 200 - kept))
  -- The card, the CPU and IP have nothing to complain about.
  t:is({ lost.link(host).rx.dropped, lost.link(host).rx.missed, softnet(host, 0).dropped }, { 0, 0, 0 })
  t:is(host:counter "IpInDelivers", 200)
end)

tap.test("the receive buffer at its limit: one more than fits is the first that is dropped", function(t)
  local function kept(size, sent)
    local host, peer, socket = station.udp()
    socket:option("SO_RCVBUF", size)
    for _ = 1, sent do peer:send(udp{} / ("x"):rep(1000)) end
    net.sleep "1ms"
    return #drain(socket), host:counter "UdpRcvbufErrors"
  end
  local fits = kept(16384, 100)
  t:is({ kept(16384, fits) }, { fits, 0 })
  t:is({ kept(16384, fits + 1) }, { fits, 1 })
  t:is({ kept(0, 100) }, { kept(1, 100) }, "there is a least buffer")
end)

tap.test("a wrong checksum: which layer's counter it is tells who damaged it", function(t)
  local host, peer, socket = station.udp()
  peer:send(ip{ checksum = 0xbad } / udp{} / "x")
  peer:send(udp{ checksum = 0xbad } / "x")
  net.sleep "1ms"
  t:is(drain(socket), {})
  t:is(host:nstat "Ip*Csum* IpInHdrErrors Udp*Csum* UdpInErrors", "#kernel\n" ..
    ("%-32s%-16d   0.0\n"):rep(4):format("IpInHdrErrors", 1, "UdpInErrors", 1, "UdpInCsumErrors", 1, "IpExtInCsumErrors", 1))
  t:is({ host:drops "IP_CSUM", host:drops "UDP_CSUM" }, { 1, 1 })
end)

tap.test("nobody listens: NoPorts, and the sender is told; bound to another address: the same", function(t)
  local host, peer, socket = station.udp()
  host:ip "addr add 192.0.2.2/24 dev eth0"
  host:socket "udp":bind("192.0.2.2", 8)
  for _, port in ipairs { 8, 99 } do
    peer:send(udp{ dport = port } / "x")
    peer:expect(icmp{ type = "dest-unreach", code = "port" }, { within = "1ms" })
  end
  t:is({ host:counter "UdpNoPorts", host:drops "NO_SOCKET" }, { 2, 2 })
  t:like(host:ss "-uln", "UNCONN +0 +0 +192.0.2.2:8 ")
end)

tap.test("fragments that do not come: ReasmFails after ipfrag_time; sockstat shows them waiting", function(t)
  local host, peer, socket = station.udp()
  local pieces = net.fragments(ip{ src = peer.addr, dst = host.addr, id = 5 } / udp{ sport = 5000, dport = 7 } /
    ("x"):rep(100), { 40, 80 })
  peer:send(pieces[1])
  peer:send(pieces[3])
  net.sleep "1s"
  t:like(host:proc "/proc/net/sockstat", "FRAG: inuse 1 memory %d%d%d+\n")
  peer:collect { during = "40s" }
  t:like(host:proc "/proc/net/sockstat", "FRAG: inuse 0 memory 0\n")
  t:is({ host:counter "IpReasmTimeout", host:counter "IpReasmFails", host:drops "FRAG_REASM_TIMEOUT" }, { 1, 1, 2 })
  t:is(drain(socket), {})
end)

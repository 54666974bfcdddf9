-- SPDX-License-Identifier: MIT
-- When did it leave? SO_TIMESTAMPING of what is sent: queued, given to the driver, on the wire by the
-- card's own clock, told through the error queue.
local tap = require "tap"
local net = require "net"
local C = net.C

local TX_HW, TX_SW, TX_SCHED = C.SOF_TIMESTAMPING_TX_HARDWARE, C.SOF_TIMESTAMPING_TX_SOFTWARE, C.SOF_TIMESTAMPING_TX_SCHED
local REPORT = C.SOF_TIMESTAMPING_SOFTWARE | C.SOF_TIMESTAMPING_RAW_HARDWARE
local ID, TSONLY, CMSG, SWHW = C.SOF_TIMESTAMPING_OPT_ID, C.SOF_TIMESTAMPING_OPT_TSONLY, C.SOF_TIMESTAMPING_OPT_CMSG,
  C.SOF_TIMESTAMPING_OPT_TX_SWHW
local SND, SCHED = 0, 1

local function station(o)
  o = o or {}
  local host = net.host { addr = "192.0.2.1/24", model = o.model or "ring", rate = o.rate, mtu = o.mtu }
  local peer = host.wire:peer { addr = "192.0.2.9", port = 7 }
  host:neigh { addr = peer.addr, mac = peer.mac }
  if o.card ~= false then host:ethtool { tx_timestamp = 1 } end
  local socket = host:socket "udp"
  socket:bind(5000)
  socket:connect(peer.addr, 7)
  if o.flags then socket:option("SO_TIMESTAMPING", o.flags | REPORT) end
  net.sleep "1ms"
  return host, peer, socket
end

-- What the error queue has: { stage, number, "hw" or "sw", when, length }.
local function stamps(socket)
  local list = {}
  while true do
    local data, info = socket:try("recv", { flags = "errqueue" })
    if not data then return list end
    local e, c = info.cmsg.IP_RECVERR or info.cmsg.PACKET_TX_TIMESTAMP, info.cmsg
    list[#list + 1] = { stage = e.info, id = e.data, errno = e.errno, origin = e.origin, pktinfo = c.IP_PKTINFO,
      kind = c.SO_TIMESTAMPING_HARDWARE and "hw" or c.SO_TIMESTAMPING and "sw",
      at = c.SO_TIMESTAMPING_HARDWARE or c.SO_TIMESTAMPING, data = data }
  end
end

local function brief(list)
  local text = {}
  for i, s in ipairs(list) do text[i] = ("%s %d %d"):format(s.kind, s.stage, s.id) end
  return table.concat(text, ", ")
end

tap.test("software: queued and given to the driver, numbered from 0 by datagram, with the frame", function(t)
  local host, peer, socket = station { flags = TX_SW | TX_SCHED | ID }
  for i = 1, 3 do socket:send(("x"):rep(i)) end
  local list = stamps(socket)
  t:is(brief(list), "sw 1 0, sw 0 0, sw 1 1, sw 0 1, sw 1 2, sw 0 2")
  t:is({ list[1].errno, list[1].origin, list[1].at }, { 42, C.SO_EE_ORIGIN_TIMESTAMPING, t:now() })
  t:is(#list[5].data, 14 + 20 + 8 + 3)
  t:is(#peer:collect { during = "1ms" }, 3)
end)

tap.test("hardware: when it went onto the wire, however long it waited for that", function(t)
  local host, peer, socket = station { flags = TX_HW | ID, rate = 10000000 }
  local other = host:socket "udp"
  other:sendto(("y"):rep(1000), peer.addr, 9)
  local begun = t:now()
  socket:send "hello"
  net.sleep "10ms"
  local list = stamps(socket)
  t:is(brief(list), "hw 0 0")
  t:is(list[1].at - begun, (1000 + 42) * 8 * 100, "behind 1,042 octets at 10 Mbit/s")
  peer:collect { during = "1ms" }
end)

tap.test("both wanted: the card's is enough; OPT_TX_SWHW: both", function(t)
  local host, peer, socket = station { flags = TX_HW | TX_SW | ID }
  socket:send "a"
  net.sleep "1ms"
  t:is(brief(stamps(socket)), "hw 0 0")
  socket:option("SO_TIMESTAMPING", TX_HW | TX_SW | ID | SWHW | REPORT)
  socket:send "b"
  net.sleep "1ms"
  t:is(brief(stamps(socket)), "sw 0 1, hw 0 1")
  peer:collect { during = "1ms" }
end)

tap.test("the card's clock is off, or it has none: no stamp; the software's comes in its place", function(t)
  for _, o in ipairs { { card = false }, { card = false, model = "virtio" } } do
    o.flags = TX_HW | ID
    local host, peer, socket = station(o)
    socket:send "a"
    net.sleep "1ms"
    t:is(brief(stamps(socket)), "")
    socket:option("SO_TIMESTAMPING", TX_HW | TX_SW | ID | REPORT)
    socket:send "b"
    net.sleep "1ms"
    t:is(brief(stamps(socket)), "sw 0 1")
    peer:collect { during = "1ms" }
  end
end)

tap.test("OPT_TSONLY: no frame; OPT_CMSG: which device, which source; not both", function(t)
  local host, peer, socket = station { flags = TX_SW | TX_HW | SWHW | TSONLY }
  socket:option("IP_PKTINFO", 1)
  socket:send "a"
  net.sleep "1ms"
  local list = stamps(socket)
  t:is({ brief(list), list[1].data, list[2].data, list[2].pktinfo }, { "sw 0 0, hw 0 0", "", "" })
  socket:option("SO_TIMESTAMPING", TX_HW | CMSG | REPORT)
  socket:send "b"
  net.sleep "1ms"
  list = stamps(socket)
  t:is(list[1].pktinfo, { ifindex = 2, spec_dst = "192.0.2.1", addr = "192.0.2.9" })
  socket:option("SO_TIMESTAMPING", TX_HW | CMSG | TSONLY | REPORT)
  socket:send "c"
  net.sleep "1ms"
  t:is(stamps(socket)[1].pktinfo, nil)
  peer:collect { during = "1ms" }
end)

tap.test("for one send only: SO_TIMESTAMPING as a control message, a number of one's own", function(t)
  local host, peer, socket = station { flags = ID }
  socket:send "a"
  socket:send("b", { control = { SO_TIMESTAMPING = TX_SW } })
  socket:send("c", { control = { SO_TIMESTAMPING = TX_SCHED, SCM_TS_OPT_ID = 4711 } })
  socket:send("d", { control = { SO_TIMESTAMPING = TX_HW } })
  net.sleep "1ms"
  t:is(brief(stamps(socket)), "sw 0 0, sw 1 4711, hw 0 1", "only what is stamped is numbered")
  local function refused(control) return select(2, socket:try("send", "x", { control = control })) end
  t:is(refused { SO_TIMESTAMPING = ID }, "EINVAL")
  socket:option("SO_TIMESTAMPING", TX_SW | REPORT)
  t:is(refused { SCM_TS_OPT_ID = 1 }, "EINVAL")
  t:is(select(2, socket:try("option", "SO_TIMESTAMPING", C.SOF_TIMESTAMPING_BIND_PHC)), "EOPNOTSUPP")
  peer:collect { during = "1ms" }
end)

tap.test("fragments: the first is stamped; a corked datagram: as its first part wished", function(t)
  local host, peer, socket = station { flags = TX_SW | ID }
  socket:send(("x"):rep(4000))
  t:is(brief(stamps(socket)), "sw 0 0")
  socket:send("a", { flags = "more", control = { SO_TIMESTAMPING = TX_SCHED } })
  socket:send("b")
  t:is(brief(stamps(socket)), "sw 1 1")
  t:is(#peer:collect { during = "1ms" }, 4)
end)

tap.test("datagrams cut by the card or by software: one stamp for the call", function(t)
  for tso = 0, 1 do
    local host, peer, socket = station { flags = TX_HW | ID, rate = 100000000 }
    host:ethtool { tx_csum = 1, tx_udp_segmentation = tso }
    socket:option("UDP_SEGMENT", 100)
    local begun = t:now()
    socket:send(("x"):rep(1000))
    net.sleep "1ms"
    local list = stamps(socket)
    t:is(brief(list), "hw 0 0")
    t:is(list[1].at - begun, tso * 9 * 142 * 80, "the card: of the last one")
    t:is(#peer:collect { during = "1ms" }, 10)
  end
end)

-- TCP ------------------------------------------------------------------------------------------------

local function stream(flags, o)
  local host, client = station(o)
  local server = host:socket "tcp":listen(80)
  client:to(80)
  client:send "S 0:0(0) win 65535 <mss 1000>"
  client:expect("S. 0:0(0) ack 1", { within = "1ms" })
  client:send ". 1:1(0) ack 1 win 65535"
  local conn = server:accept()
  conn:option("SO_TIMESTAMPING", flags | ID | REPORT)
  return host, client, conn
end

for _, tso in ipairs { 0, 1 } do
  tap.test("TCP: the octet that a call ended with, tso " .. tso, function(t)
    local host, client, conn = stream(TX_HW, { rate = 100000000 })
    host:ethtool { tx_csum = 1, tso = tso }
    local begun = t:now()
    conn:send(("x"):rep(2500))
    net.sleep "1ms"
    local list = stamps(conn)
    t:is(brief(list), "hw 0 2499")
    t:is(list[1].at - begun, 2 * 1054 * 80)
    client:collect { during = "1ms" }
    client:send ". 1:1(0) ack 2501 win 65535"
    conn:send("abc", { control = { SO_TIMESTAMPING = TX_SW } })
    net.sleep "1ms"
    t:is(brief(stamps(conn)), "sw 0 2502", "for this call in place of the socket's wish")
    client:collect { during = "1ms" }
    t:is(select(2, conn:try("send", "x", { control = { SCM_TS_OPT_ID = 1 } })), "EINVAL")
  end)
end

tap.test("a packet socket: numbered frames, told as PACKET_TX_TIMESTAMP", function(t)
  local host, peer = station()
  local tapped = host:socket("packet", { dev = "eth0", protocol = "ip" })
  tapped:option("SO_TIMESTAMPING", TX_HW | TX_SCHED | ID | REPORT)
  for _ = 1, 2 do
    tapped:send((net.eth{ src = host.mac, dst = peer.mac } / net.ip{ src = "192.0.2.1", dst = peer.addr } /
      net.udp{ sport = 1, dport = 9 } / "x"):bytes())
    net.sleep "1ms"
  end
  local list = stamps(tapped)
  t:is(brief(list), "sw 1 0, hw 0 0, sw 1 1, hw 0 1")
  peer:collect { during = "1ms" }
end)

-- What goes wrong ------------------------------------------------------------------------------------

tap.test("what a user sees: two frames at once, one place for a stamp: tx_hwtstamp_skipped", function(t)
  local host, peer, socket = station { flags = TX_HW | TX_SW | ID, rate = 10000000 }
  host:socket "udp":sendto(("y"):rep(1000), peer.addr, 9)
  for _ = 1, 3 do socket:send "a" end
  net.sleep "10ms"
  t:is(brief(stamps(socket)), "sw 0 1, sw 0 2, hw 0 0")
  t:is(host:counter "eth0.tx_hwtstamp_skipped", 2)
  peer:collect { during = "1ms" }
end)

tap.test("what a user sees: a frame that never left: no stamp, tx_hwtstamp_timeouts after 15 s, then it goes on", function(t)
  local host, peer, socket = station { flags = TX_HW | ID }
  host:ethtool { tx_bad_desc = 1 }
  socket:send "a"
  net.sleep "14s"
  socket:send "b"
  t:is(host:counter "eth0.tx_hwtstamp_skipped", 1)
  net.sleep "2s"
  t:is(host:counter "eth0.tx_hwtstamp_timeouts", 1)
  socket:send "c"
  net.sleep "1ms"
  t:is(brief(stamps(socket)), "hw 0 2")
  peer:collect { during = "1ms" }
end)

tap.test("a reset while a stamp is awaited: none, and nothing is left", function(t)
  local host, peer, socket = station { flags = TX_HW | ID }
  host:ethtool { tx_stall = 1 }
  socket:send "a"
  host:ethtool { tx_ring = 64 }
  socket:send "b"
  net.sleep "20s"
  t:is(brief(stamps(socket)), "hw 0 1")
  t:is(host:counter "eth0.tx_hwtstamp_timeouts", 0)
  peer:collect { during = "1ms" }
end)

tap.test("what a user sees: nobody reads the error queue: it fills up, the data goes on", function(t)
  local host, peer, socket = station { flags = TX_SW | ID }
  socket:option("SO_RCVBUF", 2304)
  for _ = 1, 10 do socket:send "a" end
  local told = #stamps(socket)
  t:ok(told > 0 and told < 10, told)
  t:is(host:counter "Drop.SOCKET_RCVBUFF", 10 - told)
  t:is(#peer:collect { during = "1ms" }, 10)
end)

tap.test("ethtool -T: what the card can", function(t)
  local host = station()
  t:like(host:ethtool "-T eth0", "^Time stamping parameters for eth0:\nCapabilities:\n\thardware%-transmit\n\tsoftware%-transmit\n")
  t:like(host:ethtool "-T eth0", "\nHardware Transmit Timestamp Modes:\n\toff\n\ton\nHardware Receive Filter Modes:\n\tnone\n\tall\n$")
  t:like(host:ethtool "-T lo", "\nHardware Transmit Timestamp Modes: none\n")
  local virtio = station { model = "virtio", card = false }
  t:like(virtio:ethtool "-T eth0", "Capabilities:\n\tsoftware%-transmit\n\tsoftware%-receive\n\tsoftware%-system%-clock\nPTP")
end)

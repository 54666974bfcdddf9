-- SPDX-License-Identifier: MIT
-- Stations that a script plays on the free end of a wire: they send packets, and expect them field
-- by field and at their time.
local _, native = ...
local near = require "near"
local util = require "net.util"
local segment = require "net.segment"

local C, raise = util.C, util.raise
local options, set, duration, address = util.options, util.set, util.duration, util.address

local peer_lib = {}

-- The end where no host is, or nil.
local function free_end(wire)
  if not wire.ends[1] then return 1 end
  if not wire.ends[0] then return 0 end
  return nil
end

local Peer = {}
Peer.__index = Peer
Peer.__name = "peer"

local peer_options = set "addr mac port arp isn"
local peers = 0

function peer_lib.new(wire, o)
  o = options("wire:peer", o, peer_options)
  local side = free_end(wire)
  if not side then raise("wire:peer: a host is at either end of this wire") end
  local nic = wire.ends[1 - side]
  if not nic then raise("wire:peer: there is no host on this wire") end
  local layer = util.ip_layer(o.addr)
  if layer == "ip6" and not nic.raw then
    raise("wire:peer: IPv6 needs a card without neighbours (model = \"tun\"): there is no neighbour discovery")
  end
  peers = peers + 1
  wire.peers = wire.peers + 1
  local peer = setmetatable({ wire = wire, nic = nic, side = side, addr = o.addr, port = o.port,
    tcp = segment.conversation(o.isn) }, Peer)
  peer.tcp.layer = layer
  peer.mac = o.mac or ("02:00:00:01:%02x:%02x"):format(peers // 256, peers % 256)
  peer.number = native.peer(wire.id, side, address(peer.mac, 6, "mac"),
    o.addr and layer == "ip" and address(o.addr, 4, "addr") or "\0\0\0\0",
    o.addr ~= nil and layer == "ip" and o.arp ~= false)
  return peer
end

-- The port that this peer's segments and datagrams go to.
function Peer:to(port)
  self.to_port = port
  return self
end

local above_ip = set "icmp icmp6 igmp udp tcp"
local link_layers = set "eth"

-- The MAC address that an IPv4 destination has on the wire (RFC 894, RFC 1112 6.4).
local function mac_of(nic, addr, unicast)
  local bytes = addr and native.address(addr)
  if not bytes or #bytes ~= 4 then return unicast end
  local a, b, c, d = bytes:byte(1, 4)
  if addr == "255.255.255.255" or nic.broadcasts[addr] then return "ff:ff:ff:ff:ff:ff" end
  if a >= 224 and a < 240 then return ("01:00:5e:%02x:%02x:%02x"):format(b & 127, c, d) end
  return unicast
end

-- Fills in what the notation leaves out, for a packet from one station to another.
local function fill(packet, src, dst)
  local first = native.first(packet)
  if above_ip[first] then native.prepend(packet, util.ip_layer(src.addr)) end
  if not link_layers[first] and not src.raw then native.prepend(packet, "eth") end
  native.default(packet, "eth", "src", src.mac)
  native.default(packet, "ip", "src", src.addr)
  native.default(packet, "ip", "dst", dst.addr)
  native.default(packet, "ip6", "src", src.addr)
  native.default(packet, "ip6", "dst", dst.addr)
  for _, proto in ipairs { "udp", "tcp" } do
    native.default(packet, proto, "sport", src.port)
    native.default(packet, proto, "dport", dst.port)
  end
  return packet
end

local function check_packet(packet, what)
  if type(packet) ~= "userdata" then raise(what .. " needs a packet") end
  return packet:clone()
end

-- From the peer to the host, ready to be sent.
local function outgoing(peer, packet)
  local src = { mac = peer.mac, addr = peer.addr, port = peer.port, raw = peer.nic.raw }
  local dst = { mac = peer.nic.mac, addr = peer.nic.addr, port = peer.to_port }
  packet = fill(check_packet(packet, "peer:send"), src, dst)
  local arp = packet.arp
  if arp then
    native.default(packet, "arp", "op", "request")
    local request = arp.op == 1
    native.default(packet, "arp", "sha", src.mac)
    native.default(packet, "arp", "spa", src.addr)
    native.default(packet, "arp", "tha", request and "00:00:00:00:00:00" or dst.mac)
    native.default(packet, "arp", "tpa", dst.addr)
    native.default(packet, "eth", "dst", request and "ff:ff:ff:ff:ff:ff" or dst.mac)
  end
  native.default(packet, "eth", "dst", mac_of(peer.nic, packet.ip and packet.ip.dst, dst.mac))
  return packet
end

-- From the host to the peer, as it must be.
local function incoming(peer, packet)
  local src = { mac = peer.nic.mac, addr = peer.nic.addr, port = peer.to_port, raw = peer.nic.raw }
  local dst = { mac = peer.mac, addr = peer.addr, port = peer.port }
  packet = fill(check_packet(packet, "peer:expect"), src, dst)
  local arp = packet.arp
  if arp then
    native.default(packet, "arp", "sha", src.mac)
    native.default(packet, "arp", "spa", src.addr)
    if arp.op == 2 then
      native.default(packet, "arp", "tha", dst.mac)
      native.default(packet, "arp", "tpa", dst.addr)
      native.default(packet, "eth", "dst", dst.mac)
    end
  elseif packet.ip then
    native.default(packet, "eth", "dst", mac_of(peer.nic, packet.ip.dst, dst.mac))
  end
  return packet
end

local function inject(peer, bytes, bad_fcs)
  util.op("frame", { wire = peer.wire.id, ["end"] = peer.side,
    flags = bad_fcs and C.FRAME_BAD_FCS or 0, bytes = bytes })
end

local peer_send_options = set "fcs pad data auth"

-- The segment that the short notation stands for, as a packet that the script may change and send.
function Peer:segment(text, data)
  return segment.outgoing(self.tcp, text, data)
end

-- Another conversation: what is known of the host's numbers is forgotten.
function Peer:fresh(o)
  o = options("peer:fresh", o, set "port isn to")
  self.port, self.to_port = o.port or self.port, o.to or self.to_port
  local layer = self.tcp.layer
  self.tcp = segment.conversation(o.isn or self.tcp.isn)
  self.tcp.layer = layer
  return self
end

-- From now on what it sends is signed (net.tcp_ao, net.tcp_md5; false: no more).
function Peer:auth(with)
  self.auth_with = with
  return self
end

-- The initial sequence numbers that TCP-AO's traffic keys are made of.
function Peer:numbers()
  return { isn = self.tcp.isn, peer_isn = self.tcp.host_isn }
end

-- A packet with addresses, ports and signature, for a script that changes it before it goes
-- (peer:send(packet, { auth = false })). numbers: what of the signature is to be otherwise.
function Peer:signed(packet, numbers, data)
  if type(packet) == "string" then packet = self:segment(packet, data) end
  if not self.auth_with then raise "peer:signed: peer:auth(net.tcp_ao { ... }) comes first" end
  local n = self:numbers()
  for key, value in pairs(numbers or {}) do n[key] = value end
  return self.auth_with:sign(outgoing(self, packet), n)
end

-- Is the host's frame signed as it must be? With TCP-AO also its KeyID and RNextKeyID.
function Peer:verify(frame, with)
  with = with or self.auth_with
  if not with then raise "peer:verify: peer:auth(net.tcp_ao { ... }) comes first" end
  return with:verify(frame, { isn = self.tcp.host_isn, peer_isn = self.tcp.isn })
end

-- Sends a packet now. Frames are padded to 60 bytes as on a real wire (pad = false: they are not).
function Peer:send(packet, o)
  o = options("peer:send", o, peer_send_options)
  if type(packet) == "string" then packet = self:segment(packet, o.data) end
  packet = outgoing(self, packet)
  local auth = o.auth == nil and self.auth_with or o.auth
  if auth and packet.tcp then auth:sign(packet, self:numbers()) end
  local bytes = packet:bytes()
  if #bytes < 60 and o.pad ~= false and not self.nic.raw then bytes = bytes .. ("\0"):rep(60 - #bytes) end
  inject(self, bytes, o.fcs == "bad")
end

-- Sends these bytes, from the destination MAC on, as they are.
function Peer:send_raw(bytes, o)
  o = options("peer:send_raw", o, peer_send_options)
  if type(bytes) ~= "string" then raise("peer:send_raw needs a string") end
  inject(self, bytes, o.fcs == "bad")
end

-- The frame's bytes, when it arrived and when it was sent; nothing when none came in time.
local function wait_frame(peer, deadline)
  while true do
    local bytes, time, sent = native.take(peer.wire.id, peer.number)
    if bytes then return bytes, time, sent end
    if not native.wait(deadline, true) then
      return native.take(peer.wire.id, peer.number)
    end
  end
end

local function parsed(peer, bytes, time, sent)
  return native.parse(bytes, peer.nic.raw and 101 or 1, { time = time, sent = sent })
end

local expect_options = set "within at defaults data"

-- When the frame must leave the host (nil: any time up to the deadline), and until when to wait.
local function timing(peer, o, what)
  local wire = peer.wire.id
  if o.within and o.at then raise(what .. ": either within or at") end
  if o.within then return nil, native.now() + duration(o.within, "within") end
  local sent = native.anchor(wire)
  if type(o.at) == "string" and o.at:sub(1, 1) == "+" then
    sent = sent + duration(o.at:sub(2), "at")
  elseif o.at then
    sent = duration(o.at, "at")
  end
  return sent, sent + native.delay(wire, 1 - peer.side)
end

local LATE = 2000000000

-- Waits for a frame as long as it can be in time.
local function wait_expected(peer, o, sent, deadline)
  while true do
    local bytes, time, left = wait_frame(peer, deadline)
    if bytes or o.at or not sent then return bytes, time, left end
    local later = native.anchor(peer.wire.id) + native.delay(peer.wire.id, 1 - peer.side)
    if later <= deadline then return nil end
    deadline = later
  end
end

-- Nothing came in time. What comes a little later tells much: look for it, the test fails anyway.
local function fail_missing(peer, expect, sent, deadline)
  local bytes, time, late = wait_frame(peer, deadline + LATE)
  local got = "(no frame)"
  local diff
  if bytes then
    got = parsed(peer, bytes, time, late):text()
    diff = ("the next frame left the host at %d ns"):format(late)
    if sent then diff = diff .. (", %d ns after it was due"):format(late - sent) end
  end
  native.asserted()
  native.fail("the expected frame did not come in time", got, expect, diff)
end

-- The instant that is due may move while we wait: an ARP request that the peer answered comes first.
local function check_time(peer, o, frame, sent, expect)
  if not sent or frame.sent == sent then return end
  if not o.at and frame.sent == native.anchor(peer.wire.id) then return end
  native.asserted()
  native.fail("the frame came at another time",
    ("sent at %d ns\n%s"):format(frame.sent, frame:text()),
    ("sent at %d ns\n%s"):format(sent, expect),
    ("%d ns too %s"):format(math.abs(frame.sent - sent), frame.sent < sent and "early" or "late"))
end

-- What is expected, as a function that gives the template; with a frame, as it is compared with that
-- one: the short notation leaves some things to the frame.
local function expected(peer, template, o)
  if type(template) ~= "string" then
    local wanted = o.defaults == false and check_packet(template, "peer:expect") or
      incoming(peer, template)
    return function() return wanted end
  end
  local read = segment.read(template)
  if type(o.data) == "string" and #o.data ~= read.len then
    raise(("'%s': the data has %d octets"):format(template, #o.data))
  end
  return function(frame)
    return incoming(peer, segment.incoming(peer.tcp, read, frame, o.data))
  end, read
end

-- A segment in short has matched: what it tells of the conversation.
local function learn(peer, read, frame)
  if not read then return end
  local known = segment.learned(peer.tcp, read, frame)
  peer.tcp.host_isn, peer.tcp.host_ts = known.host_isn, known.host_ts
  peer.to_port = peer.to_port or frame.tcp.sport
end

-- The next frame must match, at its exact time unless `within` says otherwise. Returns it.
function Peer:expect(template, o)
  o = options("peer:expect", o, expect_options)
  local wanted_for, read = expected(self, template, o)
  local sent, deadline = timing(self, o, "peer:expect")
  local bytes, arrived, left = wait_expected(self, o, sent, deadline)
  if not bytes then fail_missing(self, wanted_for():text(), sent, deadline) end
  local frame = parsed(self, bytes, arrived, left)
  local wanted = wanted_for(frame)
  local same, diff = native.match(wanted, frame)
  if not same then
    native.asserted()
    native.fail("another frame came than the expected one", frame:text(), wanted:text(), diff)
  end
  check_time(self, o, frame, sent, wanted:text())
  learn(self, read, frame)
  native.anchor(self.wire.id, left)
  return native.proof(frame)
end

-- As many frames as there are templates, in any order. Returns them in the templates' order.
function Peer:expect_all(templates, o)
  o = options("peer:expect_all", o, expect_options)
  local wanted, reads, frames = {}, {}, {}
  for i, template in ipairs(templates) do wanted[i], reads[i] = expected(self, template, o) end
  local sent, deadline = timing(self, o, "peer:expect_all")
  for _ = 1, #templates do
    local bytes, arrived, left = wait_expected(self, o, sent, deadline)
    local missing = {}
    for i = 1, #templates do
      if not frames[i] then missing[#missing + 1] = wanted[i]():text() end
    end
    if not bytes then fail_missing(self, table.concat(missing, "or\n"), sent, deadline) end
    local frame = parsed(self, bytes, arrived, left)
    local found
    for i = 1, #templates do
      if not found and not frames[i] and native.match(wanted[i](frame), frame) then found = i end
    end
    if not found then
      native.asserted()
      native.fail("a frame came that is none of the expected ones", frame:text(),
        table.concat(missing, "or\n"))
    end
    check_time(self, o, frame, sent, wanted[found](frame):text())
    learn(self, reads[found], frame)
    frames[found] = native.proof(frame)
  end
  return frames
end

local nothing_options = set "during"

-- No frame comes to this peer for so long; without `during`: none is here now.
function Peer:expect_nothing(o)
  o = options("peer:expect_nothing", o, nothing_options)
  local deadline = native.now() + (o.during and duration(o.during, "during") or 0)
  local bytes, arrived, left = wait_frame(self, deadline)
  if bytes then
    native.asserted()
    native.fail("a frame came where none was expected", parsed(self, bytes, arrived, left):text(),
      "(no frame)", ("it left the host at %d ns"):format(left))
  end
  return native.proof({})
end

-- Takes every frame that comes to this peer for so long, whatever it is.
function Peer:collect(o)
  o = options("peer:collect", o, nothing_options)
  local deadline = native.now() + (o.during and duration(o.during, "during") or 0)
  local frames = {}
  while true do
    local bytes, arrived, left = wait_frame(self, deadline)
    if not bytes then return frames end
    frames[#frames + 1] = parsed(self, bytes, arrived, left)
  end
end

near.functions("peer:", Peer)

return peer_lib

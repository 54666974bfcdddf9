-- SPDX-License-Identifier: MIT
-- Packet sockets (AF_PACKET) and filters of all sockets. Reference: docs/lua.md, "Packet sockets".
local _, native = ...
local tap = require "tap"
local util = require "net.util"
local link = require "net.link"
local bpf = require "net.bpf"

local C, raise, options, set, address = util.C, util.raise, util.options, util.set, util.address

local packet = {}

local protocols = { all = 3, ip = 0x0800, arp = 0x0806, ipv6 = 0x86dd, ["802.1Q"] = 0x8100, ["802.2"] = 4,
  none = 0 }
local pkttypes = { [0] = "host", "broadcast", "multicast", "otherhost", "outgoing", "loopback" }

function packet.protocol(value)
  local number = value == nil and 3 or protocols[value] or math.tointeger(value)
  if not number then
    raise(("packet socket: %s is no protocol (\"all\", \"ip\", \"arp\", \"ipv6\", a number)"):format(tap.repr(value)))
  end
  return number
end

-- The fields of a sys call that name a device (and an address, and a protocol).
function packet.name(s, dev, protocol, mac)
  local addr = mac and address(mac, 6, "mac") or ""
  return { family = C.AF_PACKET, port = protocol, scope = dev and link.ifindex(s.host, dev) or 0,
    addr = addr .. ("\0"):rep(11 - #addr) .. string.char(#addr) .. ("\0"):rep(4) }
end

-- What came, as a table.
function packet.from(result)
  local addr = result.addr
  local hatype, pkttype, halen = (">I2BB"):unpack(addr, 9)
  return { ifindex = result.scope, protocol = result.port, hatype = hatype, pkttype = pkttypes[pkttype],
    addr = halen > 0 and native.address_text(addr:sub(1, halen)) or nil }
end

local auxdata_bits = { csum_not_ready = C.TP_STATUS_CSUMNOTREADY, csum_valid = C.TP_STATUS_CSUM_VALID }

-- struct tpacket_auxdata
function packet.auxdata(data)
  local status, len, snaplen, _, offset, tci, tpid = ("<I4I4I4I2I2I2I2"):unpack(data)
  local aux = { status = status, len = len, snaplen = snaplen, net = offset }
  for name, bit in pairs(auxdata_bits) do aux[name] = status & bit ~= 0 end
  if status & C.TP_STATUS_VLAN_VALID ~= 0 then aux.vlan_tci, aux.vlan_tpid = tci, tpid end
  return aux
end

-- Methods of sockets -----------------------------------------------------------------------------

local memberships = { promisc = C.PACKET_MR_PROMISC, allmulti = C.PACKET_MR_ALLMULTI,
  multicast = C.PACKET_MR_MULTICAST, unicast = C.PACKET_MR_UNICAST }
local fanouts = { hash = 0, lb = 1, cpu = 2, rollover = 3, rnd = 4, qm = 5 }
local fanout_names = {}
for name, number in pairs(fanouts) do fanout_names[number] = name end
local fanout_options = set "rollover unique ignore_outgoing max"
local membership_options = set "dev addr drop"

function packet.methods(calls)
  -- A filter for what the socket is to hear: a program, or false to take it off.
  function calls:filter(program)
    if not program then return calls.option(self, "SO_DETACH_FILTER", 0) end
    return calls.option(self, "SO_ATTACH_FILTER", bpf.assemble(program))
  end

  -- Which socket of an SO_REUSEPORT group a flow is for: the number that the program returns.
  function calls:reuseport_filter(program)
    if not program then return calls.option(self, "SO_DETACH_REUSEPORT_BPF", 0) end
    return calls.option(self, "SO_ATTACH_REUSEPORT_CBPF", bpf.assemble(program))
  end

  -- { packets, drops } since it was asked last.
  function calls:statistics()
    local data, err = calls.option(self, "PACKET_STATISTICS")
    if not data then return nil, err end
    local packets, drops = ("<I4I4"):unpack(data)
    return { packets = packets, drops = drops }
  end

  -- PACKET_FANOUT: shares the packets with the other sockets of this id. Without an id: { id, type }.
  function calls:fanout(id, kind, o)
    if not id then
      local value, err = calls.option(self, "PACKET_FANOUT")
      if not value then return nil, err end
      return { id = value & 0xffff, type = fanout_names[value >> 16 & 0xff] }
    end
    o = options("fanout", o, fanout_options)
    local type = fanouts[kind or "hash"]
    if not type then raise(("fanout: there is no %s"):format(tap.repr(kind))) end
    local flags = (o.rollover and 0x1000 or 0) | (o.unique and 0x2000 or 0) | (o.ignore_outgoing and 0x4000 or 0)
    return calls.option(self, "PACKET_FANOUT", ("<I2I2I4"):pack(id, type | flags, o.max or 0))
  end

  -- Of a socket whose packets go to others when it has no room.
  function calls:rollover_statistics()
    local data, err = calls.option(self, "PACKET_ROLLOVER_STATS")
    if not data then return nil, err end
    local all, huge, failed = ("<I8I8I8"):unpack(data)
    return { all = all, huge = huge, failed = failed }
  end

  -- PACKET_ADD_MEMBERSHIP, or with drop = true PACKET_DROP_MEMBERSHIP.
  function calls:membership(kind, o)
    o = options("membership", o, membership_options)
    if not memberships[kind] then raise(("membership: there is no %s"):format(tap.repr(kind))) end
    local addr = o.addr and address(o.addr, 6, "addr") or ""
    return calls.option(self, o.drop and "PACKET_DROP_MEMBERSHIP" or "PACKET_ADD_MEMBERSHIP",
      ("<I4I2I2"):pack(link.ifindex(self.host, o.dev), memberships[kind], #addr) .. addr .. ("\0"):rep(8 - #addr))
  end
end

return packet

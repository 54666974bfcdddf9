-- SPDX-License-Identifier: MIT
-- Control messages of sockets: struct cmsghdr as Linux x86-64 lays it out, to and from Lua values.
local _, native = ...
local util = require "net.util"
local packet = require "net.packet"

local C, raise, address = util.C, util.raise, util.address

local cmsg = {}

local function number(value) return ("<i4"):pack(value) end

-- ipi_ifindex, ipi_spec_dst (the source to send from, or what the packet was for), ipi_addr.
local function pktinfo(value)
  return ("<I4"):pack(value.ifindex or 0) ..
    (value.spec_dst and address(value.spec_dst, 4, "spec_dst") or "\0\0\0\0") ..
    (value.addr and address(value.addr, 4, "addr") or "\0\0\0\0")
end

local function bytes(value) return value end

local writers = { IP_TTL = number, IP_TOS = number, IP_PKTINFO = pktinfo, IP_RETOPTS = bytes,
  SO_MARK = number, SO_PRIORITY = number, SO_TIMESTAMPING = number, SCM_TS_OPT_ID = number, UDP_SEGMENT = function(value) return ("<I2"):pack(value) end }

local function level_of(name)
  if name:sub(1, 4) == "TCP_" then return C.SOL_TCP end
  if name:sub(1, 4) == "UDP_" then return C.SOL_UDP end
  if name:sub(1, 7) == "PACKET_" then return C.SOL_PACKET end
  local socket = name:sub(1, 3) == "SO_" or name:sub(1, 4) == "SCM_"
  return socket and C.SOL_SOCKET or C.SOL_IP
end

-- The bytes of { IP_TTL = 9, ... }, in the order of the names; what is a string already stays.
function cmsg.pack(control)
  if type(control) ~= "table" then return control end
  local parts = {}
  for name, value in pairs(control) do
    local write = writers[name]
    if not write then raise(("control: '%s' can not be sent"):format(tostring(name))) end
    local data = write(value)
    parts[#parts + 1] = ("<i8i4i4"):pack(16 + #data, level_of(name), C[name]) .. data ..
      ("\0"):rep(-#data % 8)
  end
  return table.concat(parts)
end

local function read_number(data) return (("<I" .. #data):unpack(data)) end

local function read_address(data) return native.address_text(data) end

local function read_pktinfo(data)
  return { ifindex = ("<I4"):unpack(data), spec_dst = read_address(data:sub(5, 8)),
    addr = read_address(data:sub(9, 12)) }
end

-- struct sock_extended_err and the address of who reported it.
local function read_recverr(data)
  local errno, origin, kind, code, _, info, extra = ("<I4I1I1I1I1I4I4"):unpack(data)
  return { errno = errno, origin = origin, type = kind, code = code, info = info, data = extra,
    offender = origin == C.SO_EE_ORIGIN_ICMP and read_address(data:sub(21, 24)) or nil }
end

local function read_tx_timestamp(data)
  local errno, origin, _, _, _, info, extra = ("<I4I1I1I1I1I4I4"):unpack(data)
  return { errno = errno, origin = origin, info = info, data = extra }
end

local function read_sockaddr(data)
  return { addr = read_address(data:sub(5, 8)), port = (">I2"):unpack(data, 3) }
end

local function read_timeval(scale)
  return function(data)
    local sec, fraction = ("<i8i8"):unpack(data)
    return sec * 1000000000 + fraction * scale
  end
end

-- struct scm_timestamping: the software stamp; a second result where the device has stamped, too.
local function read_timestamping(data)
  local sec, ns = ("<i8i8"):unpack(data, 33)
  return read_timeval(1)(data), sec * 1000000000 + ns
end

-- SCM_TIMESTAMPING_OPT_STATS: the attributes TCP_NLA_* by their number.
local function read_opt_stats(data)
  local stats, at = {}, 1
  while at + 4 <= #data do
    local len, kind = ("<I2I2"):unpack(data, at)
    stats[kind] = ("<I" .. len - 4):unpack(data, at + 4)
    at = at + (len + 3) // 4 * 4
  end
  return stats
end

local readers = { IP_TTL = read_number, IP_TOS = read_number, IP_PKTINFO = read_pktinfo,
  IP_RECVERR = read_recverr, IP_RECVORIGDSTADDR = read_sockaddr, IP_RECVOPTS = bytes,
  IP_RETOPTS = bytes, SO_TIMESTAMP = read_timeval(1000), SO_TIMESTAMPNS = read_timeval(1),
  SO_TIMESTAMPING = read_timestamping, SCM_TIMESTAMPING_OPT_STATS = read_opt_stats, SO_RXQ_OVFL = read_number, TCP_INQ = read_number,
  UDP_GRO = read_number, SO_MARK = read_number, SO_PRIORITY = read_number, IP_RECVFRAGSIZE = read_number,
  SO_TIMESTAMP_NEW = read_timeval(1000), SO_TIMESTAMPNS_NEW = read_timeval(1), SO_TIMESTAMPING_NEW = read_timestamping,
  PACKET_AUXDATA = packet.auxdata, PACKET_TX_TIMESTAMP = read_tx_timestamp }

local names = {}
for name in pairs(readers) do
  local level = level_of(name)
  names[level] = names[level] or {}
  names[level][C[name]] = name
end

-- A table by name of what came: { IP_TTL = 64, ... }.
function cmsg.unpack(control)
  local result = {}
  local at = 1
  while at + 15 <= #control do
    local len, level, kind = ("<i8i4i4"):unpack(control, at)
    if len < 16 then break end
    local name = names[level] and names[level][kind]
    if name then
      local value, hardware = readers[name](control:sub(at + 16, at + len - 1))
      result[name] = value
      if hardware and hardware > 0 then result[name .. "_HARDWARE"] = hardware end
    end
    at = at + (len + 7) // 8 * 8
  end
  return result
end

return cmsg

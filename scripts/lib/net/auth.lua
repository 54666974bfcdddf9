-- SPDX-License-Identifier: MIT
-- Signed TCP segments: the structures of TCP_MD5SIG and TCP_AO_*, and the other side of them for a
-- script that is the peer. Reference: docs/lua.md, "Signed segments".
local _, native = ...
local tap = require "tap"
local util = require "net.util"

local C, raise, options, set = util.C, util.raise, util.options, util.set

local auth = {}

-- Structures of the socket options ---------------------------------------------------------------

-- struct sockaddr_storage; nil: nobody.
local function sockaddr(addr, what)
  local bytes = ""
  if addr then
    local a = util.ip_address(addr, what)
    bytes = #a == 4 and ("<I2"):pack(C.AF_INET) .. "\0\0" .. a or
      ("<I2"):pack(C.AF_INET6) .. ("\0"):rep(6) .. a
  end
  return bytes .. ("\0"):rep(128 - #bytes)
end

local function bits(o, names)
  local v = 0
  for i, name in ipairs(names) do if o[name] then v = v | 1 << i - 1 end end
  return v
end

local function padded(text, size, what)
  if type(text) ~= "string" or #text > size then
    raise(("%s: %s is no text of at most %d bytes"):format(what, tap.repr(text), size))
  end
  return text .. ("\0"):rep(size - #text)
end

local md5_options = set "addr key prefix ifindex"

-- struct tcp_md5sig; prefix and ifindex are for TCP_MD5SIG_EXT. No key: it is taken away.
local function md5sig(o, what)
  o = options(what, o, md5_options)
  local key = o.key or ""
  return sockaddr(o.addr, what) .. ("<I1I1I2i4"):pack((o.prefix and 1 or 0) | (o.ifindex and 2 or 0),
    o.prefix or 0, #key, o.ifindex or 0) .. padded(key, 80, what)
end

local function prefix_of(o) return o.prefix or (o.addr and (o.addr:find(":", 1, true) and 128 or 32) or 0) end

local add_options = set [[addr prefix key alg sndid rcvid maclen keyflags ifindex set_current set_rnext
  exclude_options]]

-- struct tcp_ao_add. addr false or without: any IPv4 peer ("::" any IPv6 one).
local function ao_add(o, what)
  o = options(what, o, add_options)
  local addr, prefix = o.addr or "0.0.0.0", o.addr and prefix_of(o) or o.prefix or 0
  if not o.prefix and (addr == "0.0.0.0" or addr == "::") then prefix = 0 end
  return sockaddr(addr, what) .. padded(o.alg or "hmac(sha1)", 64, what) ..
    ("<i4I4I2BBBBBB"):pack(o.ifindex or 0, bits(o, { "set_current", "set_rnext" }), 0, prefix,
      o.sndid or 100, o.rcvid or o.sndid or 100, o.maclen or 0,
      (o.keyflags or 0) | (o.exclude_options and 2 or 0), #(o.key or "")) .. padded(o.key or "", 80, what)
end

local del_options = set "addr prefix sndid rcvid current rnext async keyflags ifindex"

-- struct tcp_ao_del; current, rnext: the keys that take over.
local function ao_del(o, what)
  o = options(what, o, del_options)
  local addr = o.addr or "0.0.0.0"
  local prefix = o.addr and addr ~= "::" and addr ~= "0.0.0.0" and prefix_of(o) or o.prefix or 0
  return sockaddr(addr, what) .. ("<i4I4I2BBBBBB"):pack(o.ifindex or 0,
    bits({ o.current, o.rnext, o.async }, { 1, 2, 3 }), 0, prefix, o.sndid or 100,
    o.rcvid or o.sndid or 100, o.current or 0, o.rnext or 0, o.keyflags or 0)
end

local counter_names = { "pkt_good", "pkt_bad", "pkt_key_not_found", "pkt_ao_required", "pkt_dropped_icmp" }
local info_options = set("current rnext ao_required accept_icmps " .. table.concat(counter_names, " "))

-- struct tcp_ao_info_opt; a counter that is named sets them all.
local function ao_info(o, what)
  o = options(what, o, info_options)
  local counters, flags = {}, bits({ o.current, o.rnext, o.ao_required, false, o.accept_icmps }, { 1, 2, 3, 4, 5 })
  for i, name in ipairs(counter_names) do
    counters[i] = o[name] or 0
    if o[name] then flags = flags | 8 end
  end
  return ("<I4I2BBi8i8i8i8i8"):pack(flags, 0, o.current or 0, o.rnext or 0, table.unpack(counters))
end

auth.structs = { TCP_MD5SIG = md5sig, TCP_MD5SIG_EXT = md5sig, TCP_AO_ADD_KEY = ao_add,
  TCP_AO_DEL_KEY = ao_del, TCP_AO_INFO = ao_info }

local function c_string(bytes) return bytes:match("^[^\0]*") end

local query_options = set "addr prefix sndid rcvid current rnext"
local GET_SIZE = 304

-- struct tcp_ao_getsockopt, as a question for `room` keys.
local function ao_query(o, room)
  local all = next(o) == nil
  local flags = all and 4 or bits({ o.current, o.rnext }, { 1, 2 })
  return sockaddr(o.addr, "ao_keys") .. ("\0"):rep(144) .. ("<I4I2BBBBBBi4i8i8"):pack(room, flags,
    o.sndid or 0, o.rcvid or 0, o.addr and prefix_of(o) or 0, 0, 0, 0, 0, 0, 0)
end

local function read_key(data, at)
  local family = ("<I2"):unpack(data, at)
  local good, bad = ("<i8i8"):unpack(data, at + 288)
  local flags, sndid, rcvid, prefix, maclen, keyflags, keylen = ("<I2BBBBBB"):unpack(data, at + 276)
  local addr = family == C.AF_INET and data:sub(at + 4, at + 7) or data:sub(at + 8, at + 23)
  return { addr = native.address_text(addr), prefix = prefix, sndid = sndid, rcvid = rcvid,
    alg = c_string(data:sub(at + 128, at + 191)), key = data:sub(at + 192, at + 191 + keylen),
    maclen = maclen, exclude_options = keyflags & 2 ~= 0, current = flags & 1 ~= 0,
    rnext = flags & 2 ~= 0, pkt_good = good, pkt_bad = bad }
end

-- Methods of sockets; get(self, name, question): what getsockopt() writes over it.
function auth.methods(calls, get)
  -- TCP_AO_INFO as a table.
  function calls:ao_info()
    local data, err = get(self, "TCP_AO_INFO", ("\0"):rep(48))
    if not data then return nil, err end
    local flags, _, current, rnext, n1, n2, n3, n4, n5 = ("<I4I2BBi8i8i8i8i8"):unpack(data)
    local info = { current = flags & 1 ~= 0 and current or nil, rnext = flags & 2 ~= 0 and rnext or nil,
      ao_required = flags & 4 ~= 0, accept_icmps = flags & 16 ~= 0 }
    for i, n in ipairs { n1, n2, n3, n4, n5 } do info[counter_names[i]] = n end
    return info
  end

  -- TCP_AO_GET_KEYS: all keys, or those of a peer, the current one, the next one.
  function calls:ao_keys(o)
    o = options("ao_keys", o, query_options)
    local room = 64
    local data, err = get(self, "TCP_AO_GET_KEYS", ao_query(o, room) .. ("\0"):rep(GET_SIZE * (room - 1)))
    if not data then return nil, err end
    local keys = {}
    for i = 1, math.min(("<I4"):unpack(data, 273), room) do
      keys[i] = read_key(data, GET_SIZE * (i - 1) + 1)
    end
    return keys
  end
end

-- The peer's side --------------------------------------------------------------------------------

-- Addresses and the TCP part of a packet, its lengths as they are on the wire.
local function parts(packet)
  local bytes = packet:bytes()
  local at = packet.eth and 15 or 1
  if packet.vlan then at = at + 4 end
  if packet.ip then
    local ihl, total = (bytes:byte(at) & 15) * 4, (">I2"):unpack(bytes, at + 2)
    return bytes:sub(at + 12, at + 15), bytes:sub(at + 16, at + 19), bytes:sub(at + ihl, at + total - 1)
  end
  local len = (">I2"):unpack(bytes, at + 4)
  return bytes:sub(at + 8, at + 23), bytes:sub(at + 24, at + 39), bytes:sub(at + 40, at + 39 + len)
end

local function pseudo_header(src, dst, len)
  return src .. dst .. (#src == 4 and (">BBI2"):pack(0, 6, len) or (">I4I4"):pack(len, 6))
end

local function header(tcp, doff) return tcp:sub(1, 16) .. "\0\0" .. tcp:sub(19, doff) end

-- The option's place among the bytes of the segment (of its kind); nil: not there.
local function find_option(tcp, kind)
  local at, stop = 21, (tcp:byte(13) >> 4) * 4
  while at <= stop do
    local k = tcp:byte(at)
    if k == 0 then return nil end
    if k == kind then return at end
    at = at + (k == 1 and 1 or math.max(tcp:byte(at + 1) or 2, 2))
  end
  return nil
end

local MD5, AO = 19, 29

local Md5 = {}
Md5.__index = Md5
Md5.__name = "tcp_md5"

function auth.md5(key)
  if type(key) ~= "string" then raise "net.tcp_md5 needs a key" end
  return setmetatable({ key = key }, Md5)
end

-- RFC 2385 2.0.
local function md5_digest(self, packet)
  local src, dst, tcp = parts(packet)
  return native.md5(pseudo_header(src, dst, #tcp) .. header(tcp, 20) ..
    tcp:sub((tcp:byte(13) >> 4) * 4 + 1) .. self.key), tcp
end

local function put_first(packet, option, pad)
  local list = {}
  for _ = 1, pad[1] do list[#list + 1] = "nop" end
  list[#list + 1] = option
  for _ = 1, pad[2] do list[#list + 1] = "nop" end
  for _, o in ipairs(packet.tcp.options or {}) do list[#list + 1] = o end
  packet.tcp.options = list
end

function Md5:sign(packet)
  local option = { "md5", data = ("\0"):rep(16) }
  put_first(packet, option, { 2, 0 })
  local list = packet.tcp.options
  list[3] = { "md5", data = (md5_digest(self, packet)) }
  packet.tcp.options = list
  return packet
end

function Md5:verify(packet)
  local digest, tcp = md5_digest(self, packet)
  local at = find_option(tcp, MD5)
  return at ~= nil and tcp:sub(at + 2, at + 17) == digest
end

local Ao = {}
Ao.__index = Ao
Ao.__name = "tcp_ao"

local key_options = set "key alg sndid rcvid maclen exclude_options"

function auth.ao(o)
  o = options("net.tcp_ao", o, key_options)
  local alg, key = o.alg or "hmac(sha1)", o.key or ""
  if alg ~= "hmac(sha1)" and alg ~= "cmac(aes128)" then
    raise(("net.tcp_ao: there is no algorithm %s: hmac(sha1), cmac(aes128)"):format(tap.repr(alg)))
  end
  local cmac = alg == "cmac(aes128)"
  if cmac and #key ~= 16 then key = native.aes_cmac(("\0"):rep(16), key) end
  return setmetatable({ key = key, mac = cmac and native.aes_cmac or native.hmac_sha1,
    bits = cmac and 128 or 160, sndid = o.sndid or 100, rcvid = o.rcvid or o.sndid or 100,
    maclen = o.maclen or 12, exclude_options = o.exclude_options }, Ao)
end

-- RFC 5926 3.1, RFC 5925 5.1. numbers: sisn, disn, sne; `at`: of the option.
local function ao_mac(self, src, dst, tcp, at, numbers)
  local doff = (tcp:byte(13) >> 4) * 4
  local traffic_key = self.mac(self.key, "\1TCP-AO" .. src .. dst .. tcp:sub(1, 4) ..
    (">I4I4I2"):pack(numbers.sisn, numbers.disn, self.bits))
  local head = header(tcp, doff)
  if self.exclude_options then
    head = head:sub(1, 20) .. head:sub(at, at + 3) .. ("\0"):rep(self.maclen)
  else
    head = head:sub(1, at + 3) .. ("\0"):rep(self.maclen) .. head:sub(at + 4 + self.maclen)
  end
  return self.mac(traffic_key, (">I4"):pack(numbers.sne) .. pseudo_header(src, dst, #tcp) .. head ..
    tcp:sub(doff + 1)):sub(1, self.maclen)
end

-- The extension of seq in a connection that began with isn (RFC 5925 6.2), for the first 2 GiB.
local function sne(seq, isn)
  local ahead = seq - isn & 0xffffffff
  return ahead < 0x80000000 and isn + ahead >> 32 or 0
end

-- What the numbers of a segment from isn's side are, the other side's being peer_isn.
local function numbers_of(tcp, isn, peer_isn, o)
  local seq = (">I4"):unpack(tcp, 5)
  local syn = tcp:byte(14) & 0x12 == 2
  return { sisn = o.sisn or (syn and seq or isn), disn = o.disn or (syn and 0 or peer_isn or 0),
    sne = o.sne or (syn and 0 or sne(seq, isn)) }
end

local sign_options = set "sisn disn sne isn peer_isn keyid rnext"

function Ao:sign(packet, o)
  o = options("sign", o, sign_options)
  local ids = string.char(o.keyid or self.sndid, o.rnext or self.rcvid)
  local option = { "ao", data = ids .. ("\0"):rep(self.maclen) }
  put_first(packet, option, { 0, -self.maclen % 4 })
  local src, dst, tcp = parts(packet)
  local list = packet.tcp.options
  list[1] = { "ao", data = ids .. ao_mac(self, src, dst, tcp, 21,
    numbers_of(tcp, o.isn or 0, o.peer_isn, o)) }
  packet.tcp.options = list
  return packet
end

-- True and the KeyID and RNextKeyID; false where the option is not there, or wrong.
function Ao:verify(packet, o)
  o = options("verify", o, sign_options)
  local src, dst, tcp = parts(packet)
  local at = find_option(tcp, AO)
  if not at or tcp:byte(at + 1) ~= 4 + self.maclen then return false end
  local mac = ao_mac(self, src, dst, tcp, at, numbers_of(tcp, o.isn or 0, o.peer_isn, o))
  if tcp:sub(at + 4, at + 3 + self.maclen) ~= mac then return false end
  return true, tcp:byte(at + 2), tcp:byte(at + 3)
end

return auth

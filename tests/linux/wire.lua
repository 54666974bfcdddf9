-- SPDX-License-Identifier: MIT
-- A station behind a device of a world, and the TCP segments that it sends and gets: what crafted
-- frames do is held against the kernel with it. Everything about a segment can be wrong; what is not
-- said is right.
local HOST, STATION = "\192\0\2\1", "\192\0\2\9"
local FLAGS = { F = 1, S = 2, R = 4, P = 8, A = 16, U = 32, E = 64, C = 128 }

local function sum(bytes, start)
  local total = start or 0
  if #bytes % 2 == 1 then bytes = bytes .. "\0" end
  for i = 1, #bytes, 2 do total = total + (">I2"):unpack(bytes, i) end
  while total > 0xffff do total = (total & 0xffff) + (total >> 16) end
  return total
end

local function flag_bits(text)
  local bits = 0
  for c in text:gmatch "%a" do bits = bits | FLAGS[c] end
  return bits
end

local function flag_text(bits)
  local text = ""
  for c in ("SFRPAUEC"):gmatch "." do
    if bits & FLAGS[c] ~= 0 then text = text .. c end
  end
  return text == "" and "-" or text
end

-- Fields of s: sport dport seq ack flags win urg options payload; doff, checksum (added to the right
-- one), ttl, tos, proto, short (octets of the datagram that are missing).
local function packet(s)
  local options, payload = s.options or "", s.payload or ""
  options = options .. ("\0"):rep(-#options % 4)
  local doff = s.doff or 5 + #options // 4
  local tcp = (">I2I2I4I4I1I1I2I2I2"):pack(s.sport, s.dport, s.seq & 0xffffffff, (s.ack or 0) & 0xffffffff,
    doff << 4 | (s.ae and 1 or 0), flag_bits(s.flags), s.win or 65535, 0, s.urg or 0) .. options .. payload
  local pseudo = STATION .. HOST .. (">I2I2"):pack(6, #tcp)
  local check = (~sum(tcp, sum(pseudo)) + (s.checksum or 0)) & 0xffff
  tcp = tcp:sub(1, 16) .. (">I2"):pack(check) .. tcp:sub(19)
  tcp = tcp:sub(1, #tcp - (s.short or 0))
  local ip = (">I1I1I2I2I2I1I1I2"):pack(0x45, s.tos or 0, 20 + #tcp, 1, 0x4000, s.ttl or 64, 6, 0) .. STATION .. HOST
  ip = ip:sub(1, 10) .. (">I2"):pack(~sum(ip) & 0xffff) .. ip:sub(13)
  return ip .. tcp
end

local function parse_options(bytes)
  local list, at = {}, 1
  while at <= #bytes do
    local kind = bytes:byte(at)
    local len = kind <= 1 and 1 or bytes:byte(at + 1)
    if kind == 0 then break end
    if kind ~= 1 then list[#list + 1] = { kind = kind, data = bytes:sub(at + 2, at + len - 1) } end
    at = at + len
  end
  return list
end

-- The TCP segment in a packet, nil when it is none.
local function parse(bytes)
  if bytes:byte(1) ~= 0x45 or bytes:byte(10) ~= 6 then return end
  local ip = bytes:sub(1, (">I2"):unpack(bytes, 3))
  local s, doff = { tos = ip:byte(2), ttl = ip:byte(9) }, nil
  s.sport, s.dport, s.seq, s.ack, doff, s.bits, s.win, s.check, s.urg = (">I2I2I4I4I1I1I2I2I2"):unpack(ip, 21)
  s.flags, s.ae = flag_text(s.bits), doff & 1 == 1
  s.options = parse_options(ip:sub(41, 20 + (doff >> 4) * 4))
  s.payload = ip:sub(21 + (doff >> 4) * 4)
  return s
end

return function(w)
  w.tun()
  for _, words in ipairs { "link set tun0 up", "addr add 192.0.2.1/24 dev tun0" } do
    local text, good = w.command("ip " .. words)
    if not good then error(words .. ": " .. text) end
  end
  local station = { HOST = HOST, STATION = STATION, option = {} }
  local option = station.option

  function option.mss(n) return (">I1I1I2"):pack(2, 4, n) end
  function option.wscale(n) return (">I1I1I1I1"):pack(1, 3, 3, n) end
  option.sack_ok = "\4\2"
  function option.ts(value, echo) return (">I1I1I4I4"):pack(8, 10, value & 0xffffffff, echo & 0xffffffff) end
  function option.sack(...)
    local text = (">I1I1I1I1"):pack(1, 1, 5, 2 + 4 * select("#", ...))
    for _, edge in ipairs { ... } do text = text .. (">I4"):pack(edge & 0xffffffff) end
    return text
  end

  function station.send(segment) w.inject(packet(segment)) end

  -- The segments that the host has sent since the last call; from a port, or all.
  function station.take(port)
    local list = {}
    for bytes in w.take do
      local segment = parse(bytes)
      if segment and (not port or segment.sport == port) then list[#list + 1] = segment end
    end
    return list
  end

  return station
end

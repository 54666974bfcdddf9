-- SPDX-License-Identifier: MIT
-- The short notation of TCP segments, as packetdrill has it, and the numbers of a conversation that
-- it stands for. Reference: docs/lua.md, "TCP in short".
--
-- A conversation belongs to a peer: { isn, host_isn, host_ts }. Numbers in the notation count from
-- the initial sequence number of the side that sent them; the host's is learned from its SYN.
local _, native = ...
local util = require "net.util"

local raise = util.raise

local segment = {}

local DEFAULT_ISN = 1000000
local WRAP = 0xffffffff

function segment.conversation(isn)
  if isn ~= nil and (math.type(isn) ~= "integer" or isn < 0 or isn > WRAP) then
    raise("wire:peer: isn is a number of 32 bits")
  end
  return { isn = isn or DEFAULT_ISN }
end

-- Text to table ----------------------------------------------------------------------------------

local ecn_names = { noecn = 0, ect1 = 1, ect0 = 2, ce = 3 }

local function bytes_of(hex, text)
  if #hex % 2 ~= 0 then raise(("'%s': '%s' is no row of bytes in hex"):format(text, hex)) end
  return (hex:gsub("%x%x", function(pair) return string.char(tonumber(pair, 16)) end))
end

-- "*" (whatever the frame has) or a number.
local function number_or_any(word) return word == "*" and word or tonumber(word) end

local function sack_edges(list, text)
  local option = { "sack" }
  for left, right in list:gmatch("(%d+):(%d+)") do
    option[#option + 1] = tonumber(left)
    option[#option + 1] = tonumber(right)
  end
  if #option == 1 or #option > 9 then raise(("'%s': sack has one to four A:B"):format(text)) end
  return option
end

local function read_option(word, text)
  local name, rest = word:match("^(%S+)%s*(.-)$")
  if rest == "" and (name == "nop" or name == "eol") then return { name } end
  if rest == "" and name == "sackOK" then return { "sackok" } end
  if (name == "mss" or name == "wscale") and rest:find("^%d+$") then
    return { name, tonumber(rest) }
  end
  if name == "TS" then
    local val, ecr = rest:match("^val ([%d*]+) ecr ([%d*]+)$")
    if val then return { "ts", number_or_any(val), number_or_any(ecr) } end
  end
  if name == "sack" and rest:find("^[%d: ]+$") then return sack_edges(rest, text) end
  if name == "FO" and rest:find("^%x*$") then
    return { "fastopen", data = bytes_of(rest, text) }
  end
  if name == "FOEXP" and rest:find("^%x*$") then -- RFC 7413 appendix A.1
    return { "exp", data = "\xf9\x89" .. bytes_of(rest, text) }
  end
  if name == "kind" then
    local kind, hex = rest:match("^(%d+) ?(%x*)$")
    if kind then return { tonumber(kind), data = bytes_of(hex, text) } end
  end
  raise(("'%s': '%s' is no TCP option in short"):format(text, word))
end

local function read_options(list, text)
  local options = {}
  for word in list:gmatch("[^,]+") do
    options[#options + 1] = read_option(word:match("^%s*(.-)%s*$"), text)
  end
  return options
end

-- Takes what the pattern finds at the beginning of the rest; nothing where it does not.
local function taker(text)
  local rest = text:match("^%s*(.-)%s*$")
  return function(pattern)
    local found = table.pack(rest:find("^" .. pattern .. "%s*"))
    if not found[1] then return nil end
    rest = rest:sub(found[2] + 1)
    return table.unpack(found, 3, found.n)
  end, function() return rest end
end

local function check(s, text)
  if s.stop and s.stop - s.start ~= s.len then
    raise(("'%s': %d:%d is not %d octets"):format(text, s.start, s.stop, s.len))
  end
  if s.flags:find "[.A]" and not s.ack then
    raise(("'%s': a segment with the flag '.' says 'ack N'"):format(text))
  end
end

-- Reads "[ect0] P. 1:101(100) ack 1 win 65535 urg 3 <nop,nop,TS val 1 ecr 2>".
function segment.read(text)
  local take, rest = taker(text)
  local s = {}
  local ecn = take "%[(%w+)%]"
  if ecn and not ecn_names[ecn] then raise(("'%s': there is no [%s]"):format(text, ecn)) end
  s.ecn = ecn and ecn_names[ecn]
  local flags = take "([SFRPUEWCAN.]+)%f[%s]" or take "(%-)%f[%s]"
  local start, stop, len = take "(%d+):(%d+)%((%d+)%)"
  if not flags or not start then
    raise(("'%s': a segment in short is FLAGS FIRST:NEXT(LENGTH) [ack N] [win N] [urg N] [<options>]")
      :format(text))
  end
  s.flags = flags == "-" and "" or flags
  s.start, s.stop, s.len = tonumber(start), tonumber(stop), tonumber(len)
  s.ack = tonumber((take "ack (%d+)"))
  s.window = tonumber((take "win (%d+)"))
  s.urg = tonumber((take "urg (%d+)"))
  local options = take "<([^>]*)>"
  if options then s.options = read_options(options, text) end
  if rest() ~= "" then raise(("'%s': what is '%s'?"):format(text, rest())) end
  check(s, text)
  return s
end

-- Data -------------------------------------------------------------------------------------------

local FIRST, COUNT = 33, 94 -- the printable characters
local letters = {}
for i = 0, COUNT - 1 do letters[i + 1] = string.char(FIRST + i) end
local alphabet = table.concat(letters)

-- What a stream carries from octet `start` on when the script does not say: octet n is always the
-- same, and neighbours differ.
function segment.pattern(start, len)
  local skip = (start - 1) % COUNT
  return alphabet:rep((skip + len) // COUNT + 1):sub(skip + 1, skip + len)
end

-- Numbers ----------------------------------------------------------------------------------------

local function add(isn, number) return (isn or 0) + number & WRAP end

-- Options with the numbers of the wire. `from` is the side that sends, `to` the other; `seen` the
-- options of the frame that is being compared.
local function live_options(options, numbers, seen)
  local live = {}
  for i, option in ipairs(options) do
    local o = { table.unpack(option) }
    o.data = option.data
    if o[1] == "ts" then
      local is = seen and seen[i] and seen[i][1] == "ts" and seen[i] or { "ts", 0, 0 }
      o[2] = o[2] == "*" and is[2] or add(numbers.ts, o[2])
      o[3] = o[3] == "*" and is[3] or add(numbers.ecr, o[3])
    elseif o[1] == "sack" then
      for n = 2, #o do o[n] = add(numbers.ack, o[n]) end
    end
    live[i] = o
  end
  return live
end

local function packet(s, numbers, seen, data)
  local fields = {
    flags = s.flags == "" and 0 or s.flags, seq = add(numbers.seq, s.start),
    ack = s.ack and add(numbers.ack, s.ack), window = s.window, urg = s.urg,
    options = s.options and live_options(s.options, numbers, seen),
  }
  local p = native.packet(numbers.layer or "ip", s.ecn and { ecn = s.ecn } or {}) / native.packet("tcp", fields)
  if data then p = p / data end
  return p
end

-- The segment that a peer sends.
function segment.outgoing(conversation, text, data)
  local s = segment.read(text)
  local acks = s.flags:find "[.A]" ~= nil
  s.options = s.options or {}
  if not s.ack then s.ack = 0 end
  if data and #data ~= s.len then
    raise(("'%s': the data has %d octets"):format(text, #data))
  end
  if s.len > 0 then data = data or segment.pattern(s.start, s.len) end
  return packet(s, { seq = conversation.isn, ack = acks and conversation.host_isn or 0,
    ecr = acks and conversation.host_ts or 0, layer = conversation.layer }, nil, data)
end

local function find_ts(options)
  for i, option in ipairs(options or {}) do
    if option[1] == "ts" then return option, i end
  end
  return nil
end

-- What the frame tells of the host's numbers, where they are not known yet: the initial sequence
-- number in a SYN, the origin of its time stamps in the first that carries one.
function segment.learned(conversation, s, frame)
  local known = { host_isn = conversation.host_isn, host_ts = conversation.host_ts }
  local tcp = frame and frame.tcp
  if not tcp then return known end
  if not known.host_isn and s.flags:find "S" and tcp.flags:find "S" then
    known.host_isn = tcp.seq - s.start & WRAP
  end
  local ts, at = find_ts(tcp.options)
  if not known.host_ts and ts and not tcp.flags:find "R" then
    local named = s.options and s.options[at] and s.options[at][1] == "ts" and s.options[at][2]
    known.host_ts = ts[2] - (math.type(named) == "integer" and named or 0) & WRAP
  end
  return known
end

-- What the host must send, as a template; where the text leaves it to the frame (the first
-- sequence number, "*", data that is not given), what this frame has.
function segment.incoming(conversation, s, frame, data)
  local known = segment.learned(conversation, s, frame)
  local tcp = frame and frame.tcp
  local payload = frame and frame.payload or ""
  if data == true then data = segment.pattern(s.start, s.len) end
  if s.len == 0 then
    data = ""
  elseif frame and not data then
    data = #payload == s.len and payload or segment.pattern(s.start, s.len)
  end
  return packet(s, { seq = known.host_isn, ack = conversation.isn, ts = known.host_ts,
    layer = conversation.layer },
    tcp and tcp.options, data)
end

return segment

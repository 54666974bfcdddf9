-- SPDX-License-Identifier: MIT
-- make: captures made from packets. A test each: the file in the folder is what is made here; with
-- `tapline run --make` the file is written. Reference: docs/capture-cases.md.
local _, native = ...
local tap = require "tap"
local util = require "net.util"
local frames = require "net.frames"
local segment = require "net.segment"

local make = {}
local raise = util.raise

-- 2023-11-14 22:13:20 UTC: a fixed time, so that a file depends on nothing but its script.
local EPOCH = 1700000000 * 1000000000
local ETHERNET, RAW = 1, 101
local MIN_FRAME = 60

local Capture = {}
Capture.__index = Capture
Capture.__name = "capture"

-- The frames from now on are at this time after the beginning.
function Capture:at(time)
  local ns = util.duration(time, "capture:at")
  if ns < self.now then raise("capture:at: time runs forwards only") end
  self.now = ns
end

local frame_options = util.set "pad"

-- Adds a frame at the present time. It is padded to what Ethernet carries at least.
function Capture:frame(packet, o)
  o = util.options("capture:frame", o, frame_options)
  if type(packet) ~= "userdata" and type(packet) ~= "string" then
    raise("capture:frame needs a packet, or a string of bytes")
  end
  local bytes = type(packet) == "string" and packet or packet:bytes()
  if self.link == ETHERNET and o.pad ~= false and #bytes < MIN_FRAME then
    bytes = bytes .. ("\0"):rep(MIN_FRAME - #bytes)
  end
  self[#self + 1] = { time = EPOCH + self.now, bytes = bytes }
end

-- What a packet between two stations ({ mac, ip, port, isn }) leaves out is filled in.
local function addressed(link, from, to, packet)
  packet = packet:clone()
  local first = native.first(packet)
  if first ~= "eth" then
    if first ~= "ip" and first ~= "arp" and first ~= "vlan" then native.prepend(packet, "ip") end
    if link == ETHERNET then native.prepend(packet, "eth") end
  end
  native.default(packet, "eth", "src", from.mac)
  native.default(packet, "eth", "dst", to.mac)
  native.default(packet, "ip", "src", from.ip)
  native.default(packet, "ip", "dst", to.ip)
  for _, proto in ipairs { "udp", "tcp" } do
    native.default(packet, proto, "sport", from.port)
    native.default(packet, proto, "dport", to.port)
  end
  return packet
end

-- A frame from one station to another. auth: what signs it (net.tcp_md5, net.tcp_ao).
local function send(self, from, to, packet, o, auth)
  packet = addressed(self.link, from, to, packet)
  if auth then auth:sign(packet, { isn = from.isn, peer_isn = to.isn }) end
  self:frame(packet, o)
end

function Capture:send(from, to, packet, o)
  if type(packet) ~= "userdata" then raise("capture:send needs a packet") end
  send(self, from, to, packet, o)
end

local segment_options = util.set "ip data auth"

-- A TCP segment in short; numbers count from the isn of the stations. `ip`: fields of the IP header;
-- `auth`: what signs it (net.tcp_md5, net.tcp_ao), with the isn of both stations.
function Capture:segment(from, to, text, o)
  o = util.options("capture:segment", o, segment_options)
  local packet = segment.outgoing({ isn = from.isn, host_isn = to.isn }, text, o.data)
  for key, value in pairs(o.ip or {}) do packet.ip[key] = value end
  send(self, from, to, packet, nil, o.auth)
end

local function fail(message, got, expect, diff)
  native.asserted()
  native.fail(message, got, expect, diff)
end

local function compare(name, made)
  local file = native.capture_file(name)
  local remedy = "`tapline run --make` writes the file anew"
  if not file then fail(("there is no %s; %s"):format(name, remedy)) end
  for i = 1, math.max(#made, #file) do
    local a, b = made[i], file[i]
    if not a or not b then
      fail(("%s has %d frames, %d are made here; %s"):format(name, #file, #made, remedy))
    end
    local diff = made.link ~= file.link and "the link types differ" or
      a.time ~= b.time and ("the times differ by %d ns"):format(b.time - a.time) or
      frames.compare(made.link, a.bytes, b.bytes)
    if diff then
      fail(("%s: frame %d is not the one that is made here; %s"):format(name, i, remedy),
        frames.text(file.link, b.bytes), frames.text(made.link, a.bytes), diff)
    end
  end
end

local capture_options = util.set "link"

-- Registers the making of NAME.pcap in the script's folder.
function make.capture(name, o, f)
  if f == nil then o, f = {}, o end
  o = util.options("make.capture", o, capture_options)
  if type(name) ~= "string" or not name:find("^[%w_-]+$") then
    raise("make.capture: the name is made of letters, digits, '-' and '_'")
  end
  if type(f) ~= "function" then raise("make.capture needs a function") end
  if o.link ~= nil and o.link ~= "raw" then raise("make.capture: link is \"raw\", or left out") end
  local file = name .. ".pcap"
  tap.test(file, function()
    local made = setmetatable({ link = o.link and RAW or ETHERNET, now = 0 }, Capture)
    f(made)
    if #made == 0 then fail("no frame was made for " .. file) end
    if native.making() then native.capture_write(file, made.link, made) end
    compare(file, made)
    native.asserted()
  end)
end

return make

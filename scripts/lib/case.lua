-- SPDX-License-Identifier: MIT
-- case: a capture is the test. Frames of the host under test are what it must send, byte for byte
-- or under a mask, at their times; all others are given to it at theirs. Reference:
-- docs/capture-cases.md.
local _, native = ...
local tap = require "tap"
local net = require "net"
local util = require "net.util"
local frames = require "net.frames"

local case = {}
local raise, op, C = util.raise, util.op, util.C

local RAW = 101
local MS = 1000000
local TCP_CLOCK = 1000 -- what the clock of time stamps shows in ms when the world begins
local LATE = 2000000000

-- What the host is pinned to -----------------------------------------------------------------------

local function is_host(self, packet)
  if self.link == RAW then return packet.ip ~= nil and self.addresses[packet.ip.src] == true end
  return packet.eth ~= nil and packet.eth.src == self.host.mac
end

local function find_ts(tcp)
  for _, option in ipairs(tcp and tcp.options or {}) do
    if option[1] == "ts" then return option[2] end
  end
  return nil
end

local function signed(number) return (number & 0xffffffff ~ 1 << 31) - (1 << 31) end

-- Numbers that a host may choose are those that it chose in the capture: where its identifications
-- begin, its initial sequence number, its time stamps, its ephemeral port.
local function pin(self)
  local id, isn, ts, port
  local heard = {} -- ports of the host that somebody sent to before
  for _, f in ipairs(self.frames) do
    local p = f.packet
    local ports = p.tcp or p.udp
    if not f.host then
      if ports and ports.dport then heard[ports.dport] = true end
    else
      if p.ip and p.ip.id ~= 0 then id = id or p.ip.id end
      if p.tcp and p.tcp.flags:find "S" then isn = isn or p.tcp.seq end
      local val = find_ts(p.tcp)
      if val then ts = ts or val - TCP_CLOCK - f.due // MS end
      if ports and ports.sport and not heard[ports.sport] then port = port or ports.sport end
    end
  end
  local host = self.host
  if id then
    host:sysctl("tapline.ip.id_pinned", 1)
    host:sysctl("tapline.ip.id", id)
  end
  if isn then
    host:sysctl("tapline.tcp.isn_pinned", 1)
    host:sysctl("tapline.tcp.isn", signed(isn))
  end
  if ts then
    host:sysctl("tapline.tcp.ts_offset_pinned", 1)
    host:sysctl("tapline.tcp.ts_offset", signed(ts))
  end
  if port and port < 1024 then host:sysctl("net.ipv4.ip_unprivileged_port_start", 0) end
  if port and port > 0 then host:sysctl("net.ipv4.ip_local_port_range", port .. " " .. port) end
end

-- Playing ------------------------------------------------------------------------------------------

local function fail(message, got, expect, diff)
  native.asserted()
  native.fail(message, got, expect, diff)
end

local function when(self, ns) return ("at %.6f s"):format((ns - self.zero) / 1e9) end

-- The next frame of the host: its bytes and when it left; nothing when none came in time.
local function next_frame(self, deadline)
  local last = false
  while true do
    local bytes, time = native.take(self.wire.id, -1)
    if bytes or last then return bytes, time end
    if not native.wait(deadline, true) then
      -- The host's program may have been due at the same instant: its turn, then the last look.
      native.wait(native.now(), true)
      last = true
    end
  end
end

local function sleep_until(deadline)
  while native.now() < deadline do native.wait(deadline, false) end
end

local function name_of(self, i) return ("frame %d of %s"):format(i, self.path) end

local function fail_missing(self, i, f)
  local bytes, time = next_frame(self, f.due + LATE)
  local came = bytes and not frames.compare(self.link, f.bytes, bytes, f.mask)
  fail(name_of(self, i) .. (came and " came at another time" or " did not come"),
    bytes and when(self, time) .. "\n" .. frames.text(self.link, bytes) or "(no frame)",
    when(self, f.due) .. "\n" .. frames.text(self.link, f.bytes),
    came and ("%d ns too late"):format(time - f.due) or nil)
end

local function expect(self, i, f)
  local bytes, time = next_frame(self, f.due + self.tolerance)
  if not bytes then fail_missing(self, i, f) end
  local diff = frames.compare(self.link, f.bytes, bytes, f.mask)
  local message = " is not what the host sent"
  if not diff and math.abs(time - f.due) > self.tolerance then
    message = " came at another time"
    diff = ("%d ns too %s"):format(math.abs(time - f.due), time < f.due and "early" or "late")
  end
  if diff then
    fail(name_of(self, i) .. message,
      when(self, time) .. "\n" .. frames.text(self.link, bytes),
      when(self, f.due) .. "\n" .. frames.text(self.link, f.bytes), diff)
  end
end

local function expect_no_more(self, deadline)
  local bytes, time = next_frame(self, deadline)
  if bytes then
    fail(("the host sent a frame that %s does not have"):format(self.path),
      when(self, time) .. "\n" .. frames.text(self.link, bytes), "(no frame)")
  end
end

local function play(self)
  for i, f in ipairs(self.frames) do
    if f.host then
      expect(self, i, f)
    else
      sleep_until(f.due)
      op("frame", { wire = self.wire.id, ["end"] = 1, bytes = f.bytes })
    end
  end
  expect_no_more(self, native.now() + self.after)
end

-- Setting up ---------------------------------------------------------------------------------------

local function addresses(addr)
  local set = {}
  for _, text in ipairs(type(addr) == "table" and addr or { addr }) do
    set[text:match("^[^/]*")] = true
  end
  return set
end

-- Frames with what is known of each: whose it is, when it is due, what of it does not count.
local function prepare(self, capture, o)
  local from_host, from_others = 0, 0
  local mask = frames.mask(o.mask, raise)
  for i, f in ipairs(capture) do
    local packet = native.parse(f.bytes, capture.link)
    local one = { bytes = f.bytes, packet = packet, due = self.zero + f.time - capture[1].time }
    one.host = is_host(self, packet)
    one.mask = o.masks and o.masks[i] and frames.mask(o.masks[i], raise) or mask
    if one.host then from_host = from_host + 1 else from_others = from_others + 1 end
    self.frames[i] = one
  end
  for i in pairs(o.masks or {}) do
    if not self.frames[i] or not self.frames[i].host then
      raise(("case.capture: masks[%s]: no frame of the host has this number"):format(tap.repr(i)))
    end
  end
  if from_host == 0 and not o.silent then
    raise(("no frame of %s is the host's (%s); a host that must not send says silent = true")
      :format(self.path, self.link == RAW and "its addresses" or self.host.mac))
  end
end

-- The host's program: it runs beside the frames, and must have ended when they have.
local Program = {}
Program.__index = Program
Program.__name = "program"

-- Waits for a time of the capture: so long after its first frame.
function Program:at(time)
  local due = self.zero + util.duration(time, "program:at")
  if due < native.now() then raise("program:at: this time is over") end
  sleep_until(due)
end

local function boot(self, o, capture)
  local host = {}
  for key, value in pairs(o.host) do host[key] = value end
  self.wire = net.wire { delay = 0 }
  host.wire = self.wire
  if self.link == RAW then host.model = "tun" end
  self.host = net.host(host)
  self.addresses = addresses(o.host.addr)
  self.zero = native.now() + (o.start and util.duration(o.start, "start") or 0)
  prepare(self, capture, o)
  pin(self)
  if o.setup then o.setup(self.host) end
  native.keep_capture(capture[1].time - self.zero)
end

local function run(t, o, capture)
  local self = { frames = {}, link = capture.link, path = capture.path,
    tolerance = o.tolerance and util.duration(o.tolerance, "tolerance") or 0,
    after = o.after and util.duration(o.after, "after") or 1000 * MS }
  boot(self, o, capture)
  local task
  if o.program then
    local program = setmetatable({ zero = self.zero, host = self.host, t = t }, Program)
    task = net.spawn(o.program, self.host, program, t)
    native.wait(native.now(), false) -- it is ready before the first frame comes
  end
  play(self)
  if task and not task.ended then fail("the host's program has not come to its end") end
  if o.check then o.check(self.host, t) end
  local proof = native.proof({})
  for _, id in ipairs(o.shows) do t:shows(id, proof) end
end

local known = util.set [[host setup program check shows mask masks tolerance start after silent]]

local function check_shows(shows)
  if type(shows) == "string" then shows = { shows } end
  if type(shows) ~= "table" or #shows == 0 then
    raise("case.capture: shows is the id of a requirement, or a list of such")
  end
  for _, id in ipairs(shows) do
    if type(id) ~= "string" or not native.shown(id) then
      raise(("case.capture: no requirement %s in the catalogue"):format(tap.repr(id)))
    end
  end
  return shows
end

-- Registers the case whose capture lies beside the script.
function case.capture(name, o)
  local given = util.options("case.capture", o, known)
  if type(given.host) ~= "table" or not given.host.addr then
    raise("case.capture: host is a table as for net.host, with an addr at least")
  end
  o = {}
  for key, value in pairs(given) do o[key] = value end
  o.shows = given.shows and check_shows(given.shows) or {}
  local capture = native.capture_beside()
  tap.test(name, function(t) run(t, o, capture) end)
end

return case

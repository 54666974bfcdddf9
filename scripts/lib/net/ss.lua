-- SPDX-License-Identifier: MIT
-- host:ss "-tan": the sockets of a host as ss(8) prints them. Reference: docs/lua.md.
local util = require "net.util"
local sockets = require "net.sockets"

local raise = util.raise

local ss = {}

local listening = { LISTEN = true, UNCONN = true }
local known = { t = true, u = true, a = true, n = true, l = true, o = true, H = true, ["4"] = true }

local function read_options(command)
  local o = {}
  for word in (command or ""):gmatch("%S+") do
    local letters = word:match("^%-(%w+)$")
    if not letters then raise(("ss %s: \"%s\" is not understood"):format(command, word)) end
    for letter in letters:gmatch(".") do
      if not known[letter] then raise(("ss %s: option -%s is not known: -t -u -a -l -n -o -H -4"):format(command, letter)) end
      o[letter] = true
    end
  end
  if not o.t and not o.u then o.t, o.u = true, true end
  return o
end

local function wanted(o, entry)
  if not (entry.proto == "tcp" and o.t or entry.proto == "udp" and o.u) then return false end
  return o.a or (listening[entry.state] or false) == (o.l or false)
end

local function endpoint(addr, port)
  return ("%s:%s"):format(addr, port == 0 and "*" or port)
end

local function timer(entry)
  if not entry.timer then return "" end
  local ms = entry.timer_ms
  local left = ms >= 60000 and ("%dmin%dsec"):format(ms // 60000, ms % 60000 // 1000) or
    ms >= 1000 and ("%.3gsec"):format(ms / 1000) or ms .. "ms"
  return (" timer:(%s,%s,%d)"):format(entry.timer, left, entry.retransmits)
end

-- Columns as wide as what stands in them.
local function columns(rows)
  local width, lines = {}, {}
  for _, row in ipairs(rows) do
    for i = 1, #row - 1 do width[i] = math.max(width[i] or 0, #row[i]) end
  end
  for n, row in ipairs(rows) do
    local parts = {}
    for i = 1, #row - 1 do
      -- addresses stand on the right, the rest on the left
      local pad = (" "):rep(width[i] - #row[i])
      parts[i] = i > #row - 3 and pad .. row[i] or row[i] .. pad
    end
    lines[n] = table.concat(parts, " ") .. " " .. row[#row] .. "\n"
  end
  return table.concat(lines)
end

function ss.ss(host, command)
  local o = read_options(command)
  local both = o.t and o.u
  local rows = {}
  if not o.H then
    rows[1] = { "State", "Recv-Q", "Send-Q", "Local Address:Port", "Peer Address:Port", "Process" }
  end
  for _, entry in ipairs(sockets.list(host)) do
    if wanted(o, entry) then
      rows[#rows + 1] = { entry.state, tostring(entry.recv_q), tostring(entry.send_q),
        endpoint(entry.laddr, entry.lport), endpoint(entry.raddr, entry.rport), o.o and timer(entry) or "" }
      if both then table.insert(rows[#rows], 1, entry.proto) end
    end
  end
  if both and not o.H then table.insert(rows[1], 1, "Netid") end
  return columns(rows)
end

function ss.methods(Host) Host.ss = ss.ss end

return ss

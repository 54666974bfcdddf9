-- SPDX-License-Identifier: MIT
-- host:nstat "-az": the counters of /proc/net/snmp, netstat and snmp6 as nstat(8) prints them; without -a
-- what they grew by since it was last asked. Reference: docs/lua.md.
local util = require "net.util"

local nstat = {}

local known = util.set "a z s n r"
-- Settings and gauges, which nstat leaves out.
local left_out = util.set "IpForwarding IpDefaultTTL TcpRtoAlgorithm TcpRtoMin TcpRtoMax TcpMaxConn TcpCurrEstab"

-- A list of { name, value }, as the files have them: a line of names, a line of values.
local function read(host)
  local list = {}
  for _, file in ipairs { "/proc/net/snmp", "/proc/net/netstat" } do
    for group, names, values in host:proc(file):gmatch "(%w+): ([^\n]*)\n%w+: ([^\n]*)\n" do
      local value = values:gmatch "%S+"
      for name in names:gmatch "%S+" do
        name = group .. name
        local n = math.tointeger(tonumber(value()))
        if not left_out[name] then list[#list + 1] = { name, n } end
      end
    end
  end
  for name, value in host:proc("/proc/net/snmp6"):gmatch "(%w+)%s+(%d+)\n" do
    list[#list + 1] = { name, math.tointeger(tonumber(value)) }
  end
  return list
end

-- Options and patterns ("Tcp*"), as the shell's.
local function read_options(command)
  local o, patterns = {}, {}
  for word in (command or ""):gmatch "%S+" do
    local letters = word:match "^%-(%a+)$"
    if not letters then
      patterns[#patterns + 1] = "^" .. word:gsub("[%^%$%(%)%%%.%[%]%+%-]", "%%%0"):gsub("%*", ".*"):gsub("%?", ".") .. "$"
    end
    for letter in (letters or ""):gmatch "." do
      if not known[letter] then util.raise(("nstat %s: option -%s is not known: -a -z -s -n -r"):format(command, letter)) end
      o[letter] = true
    end
  end
  return o, patterns
end

local function fits(name, patterns)
  for _, pattern in ipairs(patterns) do
    if name:find(pattern) then return true end
  end
  return #patterns == 0
end

function nstat.nstat(host, command)
  local o, patterns = read_options(command)
  local before = not o.r and host.nstat_seen or {}
  local lines, now = { "#kernel\n" }, {}
  for _, entry in ipairs(read(host)) do
    local name, value = entry[1], entry[2]
    local shown = o.a and value or value - (before[name] or 0)
    now[name] = value
    if not o.n and (shown ~= 0 or o.z) and fits(name, patterns) then
      lines[#lines + 1] = ("%-32s%-16d   0.0\n"):format(name, shown)
    end
  end
  if not o.s then host.nstat_seen = now end
  return o.n and "" or table.concat(lines)
end

function nstat.methods(Host) Host.nstat = nstat.nstat end

return nstat

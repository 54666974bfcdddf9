-- SPDX-License-Identifier: MIT
-- host:ss "-tan": the sockets of a host as ss(8) prints them. Reference: docs/lua.md.
local _, native = ...
local util = require "net.util"
local sockets = require "net.sockets"
local ss_info = require "net.ss_info"

local raise = util.raise

local ss = {}

-- Options and filters ----------------------------------------------------------------------------

local known = util.set "t u a n l o H i m O s"
known["4"] = true

local STATES = { established = "ESTAB", ["syn-sent"] = "SYN-SENT", ["syn-recv"] = "SYN-RECV",
  ["fin-wait-1"] = "FIN-WAIT-1", ["fin-wait-2"] = "FIN-WAIT-2", ["time-wait"] = "TIME-WAIT",
  closed = "UNCONN", ["close-wait"] = "CLOSE-WAIT", ["last-ack"] = "LAST-ACK", listening = "LISTEN",
  closing = "CLOSING" }

-- ss(8)'s names for several states: all but these.
local GROUPS = { all = {}, connected = { LISTEN = true, UNCONN = true },
  synchronized = { LISTEN = true, UNCONN = true, ["SYN-SENT"] = true } }

local function read_state(o, word, fail)
  o.states = o.states or {}
  local others = GROUPS[word]
  if not others and not STATES[word] then fail(("there is no state '%s'"):format(tostring(word))) end
  for _, state in pairs(STATES) do
    if others and not others[state] or state == STATES[word] then o.states[state] = true end
  end
end

-- "sport = :80", "dst 192.0.2.9", "src 192.0.2.1:80"
local function read_filter(o, word, words, fail)
  local value = words() or fail(("'%s' wants a value behind it"):format(word))
  if value == "=" or value == "==" or value == "eq" then value = words() or fail "a value is missing" end
  local addr, port = value:match "^([^:]*):?(%d*)$"
  if not addr then fail(("'%s' is no address and port"):format(value)) end
  local side = (word == "sport" or word == "src") and "l" or "r"
  o.filters[#o.filters + 1] = { addr = side .. "addr", port = side .. "port",
    wants_addr = addr ~= "" and addr or nil, wants_port = tonumber(port) }
end

local FILTERS = util.set "sport dport src dst"

local function read_options(command)
  local o = { filters = {} }
  local function fail(why) raise(("ss %s: %s"):format(command, why)) end
  local words = (command or ""):gmatch "%S+"
  for word in words do
    local letters = word:match "^%-(%w+)$"
    if letters then
      for letter in letters:gmatch "." do
        if not known[letter] then
          fail(("option -%s is not known: -t -u -a -l -n -o -i -m -s -O -H -4"):format(letter))
        end
        o[letter] = true
      end
    elseif word == "state" then
      read_state(o, words(), fail)
    elseif FILTERS[word] then
      read_filter(o, word, words, fail)
    elseif word ~= "and" then
      fail(("\"%s\" is not understood"):format(word))
    end
  end
  if not o.t and not o.u then o.t, o.u = true, true end
  return o
end

local listening = { LISTEN = true, UNCONN = true }

local function state_wanted(o, state)
  if o.states then return o.states[state] end
  return o.a or (listening[state] or false) == (o.l or false)
end

local function wanted(o, entry)
  if not (entry.proto == "tcp" and o.t or entry.proto == "udp" and o.u) then return false end
  for _, f in ipairs(o.filters) do
    if f.wants_addr and entry[f.addr] ~= f.wants_addr then return false end
    if f.wants_port and entry[f.port] ~= f.wants_port then return false end
  end
  return state_wanted(o, entry.state)
end

-- Columns ----------------------------------------------------------------------------------------

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

-- What -m and -i add, on a line of its own without -O.
local function details(o, entry)
  local text = (o.m and ss_info.skmem(entry) or "") .. (o.i and ss_info.tcp(entry, o.n) or "")
  if text == "" then return "" end
  return o.O and text or "\n\t" .. text
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

-- -s ---------------------------------------------------------------------------------------------

local function summary(host)
  local stat = host:proc "/proc/net/sockstat"
  local function count(name) return tonumber(stat:match(name .. " (%d+)")) end
  local estab, total = 0, { tcp = 0, udp = 0 }
  for _, entry in ipairs(sockets.list(host)) do
    if entry.proto == "udp" or entry.state ~= "TIME-WAIT" and entry.state ~= "SYN-RECV" then
      total[entry.proto] = total[entry.proto] + 1
    end
    if entry.state == "ESTAB" then estab = estab + 1 end
  end
  local orphans, tw, alloc = count "orphan", count "tw", count "alloc"
  local lines = { ("Total: %d"):format(count "used"),
    ("TCP:   %d (estab %d, closed %d, orphaned %d, timewait %d)"):format(alloc + tw, estab,
      alloc + tw - total.tcp, orphans, tw), "", "Transport Total     IP        IPv6" }
  local rows = { { "RAW", 0 }, { "UDP", total.udp }, { "TCP", total.tcp }, { "INET", total.tcp + total.udp },
    { "FRAG", count "FRAG: inuse" } }
  for _, row in ipairs(rows) do
    lines[#lines + 1] = ("%s\t  %-9d %-9d %-9d"):format(row[1], row[2], row[2], 0)
  end
  return table.concat(lines, "\n") .. "\n\n"
end

------------------------------------------------------------------------------------------------

function ss.ss(host, command)
  local o = read_options(command)
  if o.s then return summary(host) end
  local both = o.t and o.u
  local rows = {}
  if not o.H then
    rows[1] = { "State", "Recv-Q", "Send-Q", "Local Address:Port", "Peer Address:Port", "Process" }
  end
  for _, entry in ipairs(sockets.list(host, native.proc(host.id, "inet_diag"))) do
    if wanted(o, entry) then
      rows[#rows + 1] = { entry.state, tostring(entry.recv_q), tostring(entry.send_q),
        endpoint(entry.laddr, entry.lport), endpoint(entry.raddr, entry.rport),
        (o.o and timer(entry) or "") .. details(o, entry) }
      if both then table.insert(rows[#rows], 1, entry.proto) end
    end
  end
  if both and not o.H then table.insert(rows[1], 1, "Netid") end
  return columns(rows)
end

function ss.methods(Host) Host.ss = ss.ss end

return ss

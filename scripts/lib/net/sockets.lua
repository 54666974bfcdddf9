-- SPDX-License-Identifier: MIT
-- The sockets of a host as `ss -an` lists them, read from /proc/net/tcp and /proc/net/udp.
local sockets = {}

local states = { "ESTAB", "SYN-SENT", "SYN-RECV", "FIN-WAIT-1", "FIN-WAIT-2", "TIME-WAIT", "UNCONN",
  "CLOSE-WAIT", "LAST-ACK", "LISTEN", "CLOSING" }
local timers = { "on", "keepalive", "timewait", "persist" }

-- "0100007F": bytes of the address, the last first.
local function address(hex)
  local a, b, c, d = hex:match("^(%x%x)(%x%x)(%x%x)(%x%x)$")
  return ("%d.%d.%d.%d"):format(tonumber(d, 16), tonumber(c, 16), tonumber(b, 16), tonumber(a, 16))
end

local LINE = "^%s*%d+: (%x+):(%x+) (%x+):(%x+) (%x+) (%x+):(%x+) (%x+):(%x+) (%x+)"

local function entry(proto, line)
  local f = { line:match(LINE) }
  if not f[1] then return nil end
  for i = 2, #f do
    if i ~= 3 then f[i] = tonumber(f[i], 16) end
  end
  return {
    proto = proto, state = states[f[5]], laddr = address(f[1]), lport = f[2], raddr = address(f[3]),
    rport = f[4], send_q = f[6], recv_q = f[7], timer = timers[f[8]],
    timer_ms = f[8] ~= 0 and f[9] * 10 or nil, retransmits = f[10],
  }
end

local function before(a, b)
  if a.proto ~= b.proto then return a.proto < b.proto end
  if a.lport ~= b.lport then return a.lport < b.lport end
  if a.rport ~= b.rport then return a.rport < b.rport end
  if a.laddr ~= b.laddr then return a.laddr < b.laddr end
  return a.raddr < b.raddr
end

-- What the view "inet_diag" has of a socket besides.
local function add_diag(one, line)
  local rqueue, wqueue, mem, cong, info = line:match "^(%d+) (%d+) (%S+) (%S+) (%S+)$"
  one.recv_q, one.send_q = tonumber(rqueue), tonumber(wqueue)
  one.cong = cong ~= "-" and cong or nil
  if mem ~= "-" then
    one.mem = {}
    for value in mem:gmatch "%d+" do one.mem[#one.mem + 1] = value end
  end
  if info ~= "-" then
    one.tcp_info = info:gsub("%x%x", function(hex) return string.char(tonumber(hex, 16)) end)
  end
end

-- All of them, by protocol and ports. diag: the text of the view "inet_diag", or nil.
function sockets.list(host, diag)
  local list = {}
  local lines = (diag or ""):gmatch "[^\n]+"
  for _, proto in ipairs { "tcp", "udp" } do
    for line in host:proc("/proc/net/" .. proto):gmatch("[^\n]+") do
      local one = entry(proto, line)
      if one and diag then add_diag(one, lines()) end
      list[#list + 1] = one
    end
  end
  table.sort(list, before)
  return list
end

return sockets

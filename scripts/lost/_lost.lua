-- SPDX-License-Identifier: MIT
-- What a user reads when packets are gone, as numbers: out of the text of the views, which is what
-- there is on a real machine.
local lost = {}

-- A line of /proc/net/softnet_stat.
function lost.softnet(host, cpu)
  local n = -1
  for line in host:proc("/proc/net/softnet_stat"):gmatch "[^\n]+" do
    n = n + 1
    if n == cpu then
      local column = {}
      for hex in line:gmatch "%x+" do column[#column + 1] = tonumber(hex, 16) end
      return { processed = column[1], dropped = column[2], squeezed = column[3], received_rps = column[10],
        flow_limit = column[11], backlog = column[12], cpu = column[13] }
    end
  end
end

-- A counter of `ethtool -S`.
function lost.ethtool(host, name, dev)
  local text = host:ethtool("-S " .. (dev or "eth0"))
  return tonumber(text:match("\n +" .. name .. ": (%d+)\n"))
end

local function row(text, lead, names)
  local values, result = text:match(lead .. "[^\n]*\n([^\n]*)\n"):gmatch "%d+", {}
  for name in names:gmatch "%S+" do result[name] = tonumber(values()) end
  return result
end

-- `ip -s link`: its RX and TX lines.
function lost.link(host, dev)
  local text = host:ip("-s link show dev " .. (dev or "eth0"))
  return { rx = row(text, "RX: ", "bytes packets errors dropped missed mcast"),
    tx = row(text, "TX: ", "bytes packets errors dropped carrier collisions") }
end

-- `tc -s qdisc`: the first discipline of a device.
function lost.qdisc(host, dev)
  local text = host:tc("-s qdisc show dev " .. (dev or "eth0"))
  local bytes, packets, dropped, overlimits, requeues =
    text:match "Sent (%d+) bytes (%d+) pkt %(dropped (%d+), overlimits (%d+) requeues (%d+)%)"
  return { bytes = tonumber(bytes), packets = tonumber(packets), dropped = tonumber(dropped),
    overlimits = tonumber(overlimits), requeues = tonumber(requeues), backlog = tonumber((text:match "(%d+)p requeues")) }
end

-- The line of /proc/net/udp of a port: octets that wait, datagrams that were dropped.
function lost.udp(host, port)
  for line in host:proc("/proc/net/udp"):gmatch "[^\n]+" do
    local at, waits, drops = line:match "^ *%d+: %x+:(%x+) %x+:%x+ %x+ %x+:(%x+) .* (%d+) *$"
    if at and tonumber(at, 16) == port then
      return { recv_q = tonumber(waits, 16), drops = tonumber(drops) }
    end
  end
end

return lost

-- SPDX-License-Identifier: MIT
-- The way of packets through a host, as a kernel tracer prints it: functions, CPUs, queues, times, the
-- drop reason; of one flow or of all. Reference: docs/lua.md, "Traces".
local _, native = ...
local util = require "net.util"

local raise, options, set = util.raise, util.options, util.set

local skbtrace = {}

local Trace = {}
Trace.__index = Trace
Trace.__name = "trace"

local EVENTS = { "skb_path", "skb_flow", "netif_receive_skb", "net_dev_queue", "net_dev_xmit", "nf_hook",
  "udp_queue_rcv_skb", "ip_frag", "kfree_skb", "consume_skb" }
local protocols = { [1] = "icmp", [2] = "igmp", [6] = "tcp", [17] = "udp" }
local hooks = { [0] = "pre_routing", "local_in", "forward", "local_out", "post_routing" }
local verdicts = { [0] = "drop", "accept", "stolen", "queue", "repeat" }
local filter_options = set "src dst sport dport proto drops"

local function address(number)
  return native.address_text((">I4"):pack(number & 0xffffffff))
end

-- Begins; what net.trace() had chosen ends. With a table only packets that fit it are shown.
function skbtrace.start(host, filter)
  filter = options("host:trace", filter, filter_options)
  local names, mask = native.names "trace", 0
  for _, name in ipairs(EVENTS) do mask = mask | 1 << names[name] end
  native.trace(mask)
  native.traces()
  return setmetatable({ host = host, filter = filter, list = {}, by_id = {} }, Trace)
end

local function describe(record)
  local event = record.event
  if event == "skb_path" then return { func = record.func, ifindex = record.ifindex, queue = record.queue } end
  if event == "netif_receive_skb" or event == "net_dev_queue" then
    return { func = event == "net_dev_queue" and "dev_queue_xmit" or event, ifindex = record.ifindex, len = record.len }
  elseif event == "net_dev_xmit" then
    return { func = "ndo_start_xmit", ifindex = record.ifindex, len = record.len, rc = record.rc }
  elseif event == "nf_hook" then
    return { func = "nf_hook_slow", hook = hooks[record.hook], verdict = verdicts[record.verdict & 0xff] }
  elseif event == "udp_queue_rcv_skb" then
    return { func = "udp_queue_rcv_skb", rc = record.rc }
  elseif event == "ip_frag" then
    return { func = "ip_frag_queue" }
  end
  return { func = event, reason = record.reason }
end

local function collect(self)
  for _, record in ipairs(native.traces()) do
    if record.skb and record.host == (self.host.host or self.host).id then
      local packet = self.by_id[record.skb]
      if not packet then
        packet = { skb = record.skb, steps = {} }
        self.by_id[record.skb] = packet
        self.list[#self.list + 1] = packet
      end
      if record.event == "skb_flow" then
        packet.src, packet.dst = address(record.addrs >> 32), address(record.addrs)
        packet.proto = protocols[record.ports & 0xff] or record.ports & 0xff
        packet.sport, packet.dport = record.ports >> 24 & 0xffff, record.ports >> 8 & 0xffff
        packet.len = record.len
      else
        local step = describe(record)
        step.time, step.cpu = record.time, record.cpu ~= 0xffff and record.cpu or nil
        packet.steps[#packet.steps + 1] = step
        packet.reason = packet.reason or step.reason
      end
    end
  end
end

local function wanted(self, packet)
  local filter = self.filter
  for _, key in ipairs { "src", "dst", "sport", "dport", "proto" } do
    if filter[key] ~= nil and packet[key] ~= filter[key] then return false end
  end
  return not filter.drops or packet.reason ~= nil
end

-- The packets so far: { skb, proto, src, dst, sport, dport, len, reason, steps = { { time, cpu, func, ifindex, ... } } }.
function Trace:packets()
  collect(self)
  local list = {}
  for _, packet in ipairs(self.list) do
    if wanted(self, packet) then list[#list + 1] = packet end
  end
  return list
end

local function step_text(names, step)
  local text = { ("  %d.%09d  %s  %-26s"):format(step.time // 1000000000, step.time % 1000000000,
    step.cpu and ("[%03d]"):format(step.cpu) or "[---]", step.func) }
  if step.ifindex and step.ifindex > 0 then text[#text + 1] = names[step.ifindex] or "if" .. step.ifindex end
  if step.queue and step.queue > 0 then text[#text + 1] = "queue " .. step.queue end
  if step.len then text[#text + 1] = "len " .. step.len end
  if step.rc and step.rc ~= 0 then text[#text + 1] = "rc " .. step.rc end
  if step.hook then text[#text + 1] = ("%s %s"):format(step.hook, step.verdict or "?") end
  if step.reason then text[#text + 1] = "reason " .. step.reason end
  return (table.concat(text, " "):gsub("%s+$", ""))
end

-- All of it as text, a paragraph a packet.
function Trace:text()
  local names, lines = {}, {}
  for _, entry in ipairs(self.host:links()) do names[entry.ifindex] = entry.name end
  for _, packet in ipairs(self:packets()) do
    local flow = ""
    if packet.src then
      local ports = packet.sport ~= 0 or packet.dport ~= 0
      flow = (" %s %s%s > %s%s len %d"):format(packet.proto, packet.src, ports and ":" .. packet.sport or "",
        packet.dst, ports and ":" .. packet.dport or "", packet.len)
    end
    lines[#lines + 1] = ("skb %d%s"):format(packet.skb, flow)
    for _, step in ipairs(packet.steps) do lines[#lines + 1] = step_text(names, step) end
  end
  return table.concat(lines, "\n") .. (#lines > 0 and "\n" or "")
end

-- The way of a packet as a list of function names.
function Trace:way(packet)
  if not packet then raise "trace:way needs a packet of trace:packets()" end
  local list = {}
  for i, step in ipairs(packet.steps) do list[i] = step.func end
  return list
end

function Trace:stop() native.trace(0) end

function skbtrace.methods(Host)
  Host.trace = skbtrace.start
end

return skbtrace

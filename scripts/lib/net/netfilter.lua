-- SPDX-License-Identifier: MIT
-- Netfilter of a host: hooks in Lua, packets that a hook holds. Reference: docs/lua.md, "Netfilter".
local _, native = ...
local util = require "net.util"

local C, raise, options, set, op = util.C, util.raise, util.options, util.set, util.op

local netfilter = {}

local places = { pre_routing = C.NF_INET_PRE_ROUTING, local_in = C.NF_INET_LOCAL_IN,
  forward = C.NF_INET_FORWARD, local_out = C.NF_INET_LOCAL_OUT,
  post_routing = C.NF_INET_POST_ROUTING }
local families = { ipv4 = C.AF_INET, ipv6 = C.AF_INET6 }
local hook_ids = 0
local hook_options = set "priority family"

-- "EHOSTUNREACH" as NF_DROP_ERR has it.
local function drop_error(name)
  local number = name == nil and 0 or C[name]
  if not number or name ~= nil and not tostring(name):match("^E[A-Z0-9]+$") then
    raise(("a hook that drops may name an errno (\"EHOSTUNREACH\"), not '%s'"):format(tostring(name)))
  end
  return C.NF_DROP | number << 16
end

-- A packet that waits for a verdict ---------------------------------------------------------------

local Held = {}
Held.__index = Held
Held.__name = "held packet"

local function decide(held, verdict, packet)
  local hook = held.hook
  for i, other in ipairs(hook.queue) do
    if other == held then
      table.remove(hook.queue, i)
      op("nf_verdict", { host = hook.host, packet_id = held.id, verdict = verdict,
        bytes = packet and packet:bytes() or "" })
      return
    end
  end
  raise "this packet waits no longer"
end

-- It goes on behind the hook that held it, or the packet given does in its place.
function Held:accept(packet) decide(self, C.NF_ACCEPT, packet) end

-- It ends as NETFILTER_DROP.
function Held:drop(errno) decide(self, drop_error(errno)) end

-- It ends, and counts as no drop.
function Held:steal() decide(self, C.NF_STOLEN) end

-- The hook that held it sees it once more.
function Held:again(packet) decide(self, C.NF_REPEAT, packet) end

-- Hooks -------------------------------------------------------------------------------------------

local Hook = {}
Hook.__index = Hook
Hook.__name = "hook"

-- The packets that it holds, in order of arrival.
function Hook:queued()
  return table.move(self.queue, 1, #self.queue, 1, {})
end

local function run(hook, f, packet, iif, oif, id)
  local verdict, more = f(packet, { iif = iif ~= 0 and iif or nil, oif = oif ~= 0 and oif or nil,
    id = id, place = hook.place, family = hook.family })
  if verdict == nil then return "accept" end
  if type(verdict) ~= "string" then
    if type(verdict) == "userdata" then return "accept", verdict:bytes() end
    raise "a hook must return \"accept\", \"drop\", \"stolen\", \"queue\", \"repeat\" or a packet"
  end
  if verdict == "drop" then return drop_error(more) end
  if verdict == "queue" then
    hook.queue[#hook.queue + 1] = setmetatable({ hook = hook, id = id, packet = packet }, Held)
  end
  if more ~= nil then
    raise(("a hook that returns '%s' returns nothing else"):format(verdict))
  end
  return verdict
end

-- Calls f(packet, where) for every packet at that place.
local function hook(host, place, f, o)
  o = options("host:hook", o, hook_options)
  local number = places[place]
  if not number then raise(("host:hook: there is no place '%s'"):format(tostring(place))) end
  if type(f) ~= "function" then raise("host:hook needs a function") end
  local family = o.family or "ipv4"
  if not families[family] then
    raise(("host:hook: family is \"ipv4\" or \"ipv6\", not '%s'"):format(tostring(family)))
  end
  hook_ids = hook_ids + 1
  local h = setmetatable({ host = host.id, id = hook_ids, place = place, family = family, queue = {} },
    Hook)
  h.remove = function() op("hook_del", { host = h.host, id = h.id }) end
  native.hook(h.id, function(...) return run(h, f, ...) end)
  op("hook_add", { host = host.id, family = families[family], hook = number,
    priority = (o.priority or 0) + (1 << 31), id = h.id })
  return h
end

-- Commands ----------------------------------------------------------------------------------------

-- The words of iptables or ip6tables: does what they say, returns what they print.
local function tables(program, family)
  return function(host, command)
    if type(command) ~= "string" then raise(("host:%s needs a command (\"-A INPUT -j DROP\")"):format(program)) end
    local line = program .. " " .. command
    local done = native.op("iptables", { host = host.id, family = family, command = line })
    local text = done ~= 0 and native.proc(host.id, line) or ""
    if not done then raise((text:gsub("\n$", ""))) end
    return text
  end
end

local function save(program, family)
  return function(host, arguments)
    local line = ("%s-save %s"):format(program, arguments or "")
    local done = native.op("iptables", { host = host.id, family = family, command = line })
    local text = native.proc(host.id, line)
    if not done then raise((text:gsub("\n$", ""))) end
    return text
  end
end

-- The words of conntrack(8): returns what it prints, of -D and -F how many entries ended.
local function conntrack(host, command)
  command = command or "-L"
  local text = native.proc(host.id, "conntrack " .. command)
  if text:find("^conntrack v") then raise((text:gsub("\n$", ""))) end
  local words = " " .. command .. " "
  if words:find(" %-[DF] ") or words:find(" %-%-delete ") or words:find(" %-%-flush ") then
    return op("conntrack_delete", { host = host.id, filter = command })
  end
  return text
end

function netfilter.methods(Host)
  Host.hook = hook
  Host.iptables = tables("iptables", C.AF_INET)
  Host.ip6tables = tables("ip6tables", C.AF_INET6)
  Host.iptables_save = save("iptables", C.AF_INET)
  Host.ip6tables_save = save("ip6tables", C.AF_INET6)
  Host.conntrack = conntrack
end

return netfilter

-- SPDX-License-Identifier: MIT
-- host:ip "neigh ...". Reference: docs/lua.md, "Devices and namespaces".
local _, native = ...
local util = require "net.util"
local words = require "net.words"

local states = util.set "none incomplete reachable stale delay probe failed noarp permanent all"

local function read_neigh(w)
  local o = {}
  while w:peek() do
    local word = w:next()
    if word == "dev" then
      o.dev = w:value "dev"
    elseif word == "lladdr" then
      o.mac = w:value "lladdr"
    elseif word == "nud" then
      o.state = w:value "nud"
      if not states[o.state] then w:fail(("no such state: %s"):format(o.state)) end
    elseif word == "proxy" then
      o.proxy = true
    elseif not o.addr then
      o.addr = word == "to" and w:value "to" or word
    else
      w:fail(("\"%s\" is unknown to neigh"):format(word))
    end
  end
  return o
end

-- The entries that fit, each with its device.
local function wanted(host, o, flags)
  if o.proxy then o.state = nil end
  local view = o.proxy and "ip neigh show proxy" or ("ip %sneigh%s"):format(flags:match "^%-s " or "", o.state and " show nud all" or "")
  return words.filtered(native.proc(host.id, view), function(entry)
    return (not o.dev or entry:match " dev (%S+)" == o.dev) and (not o.addr or entry:match "^%S+" == o.addr) and
      (not o.state or o.state == "all" or entry:match "(%u+) \n" == o.state:upper())
  end)
end

local function flush(host, w, o)
  for addr, dev, rest in wanted(host, o, ""):gmatch "(%S+) dev (%S+)([^\n]*)\n" do
    if not rest:find("PERMANENT", 1, true) then w:told(host.neigh_del, host, addr, { dev = dev }) end
  end
end

return function(host, w, flags)
  local action = w:one_of(w:next() or "show",
    { "add", "replace", "change", "delete", "show", "list", "lst", "flush" }, "command")
  local o = read_neigh(w)
  if o.proxy and action == "flush" then w:fail("proxies are deleted one by one") end
  if action == "flush" then return flush(host, w, o) end
  if action == "show" or action == "list" or action == "lst" then
    return words.without_dev(wanted(host, o, flags), o.dev)
  end
  if not o.addr or not o.dev then w:fail("Device and destination are required arguments.") end
  if o.proxy then return w:told(host.neigh_proxy, host, o.addr, { dev = o.dev, remove = action == "delete" }) end
  if action == "delete" then return w:told(host.neigh_del, host, o.addr, { dev = o.dev }) end
  w:told(host.neigh, host, o)
end

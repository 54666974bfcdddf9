-- SPDX-License-Identifier: MIT
-- near: what a name that does not exist was most likely meant to be, for the errors of the libraries.
local _, native = ...

local near = {}

local function sorted(names)
  local list = {}
  if #names > 0 then table.move(names, 1, #names, 1, list) else
    for name in pairs(names) do list[#list + 1] = name end
  end
  table.sort(list)
  return list
end

-- "; did you mean 'x'?" for a list of names, or a table whose keys they are; "" where none is near.
function near.text(name, names)
  local found = native.suggest(tostring(name), sorted(names))
  return found and ("; did you mean '%s'?"):format(found) or ""
end

-- What other tools call a thing that has another name here.
local ELSEWHERE = {
  eq = "t:is", equal = "t:is", equals = "t:is", same = "t:is", ne = "t:isnt", assert = "t:ok",
  match = "t:like", raises = "t:error", log = "t:note", wait = "net.sleep", run = "net.sleep",
  delay = "net.sleep", time = "net.now", it = "tap.test", describe = "tap.test",
  tcpdump = "peer:collect", stats = "host:counters", nstat = "host:counters", netstat = "host:counters",
  cat = "host:proc", read = "host:proc", write = "host:sysctl or host:ethtool",
  echo = "host:sysctl or host:ethtool", arp = "host:ip \"neigh\"",
}

local owners = {}

-- Tells the functions of an object (`owner` as scripts write it: "host:", "net."), for near.call.
function near.functions(owner, names)
  owners[#owners + 1] = { owner = owner, names = names }
end

local function candidates(name, mark)
  local list = {}
  for _, o in ipairs(owners) do
    if o.owner:sub(-1) == mark then
      local found = native.suggest(name, sorted(o.names))
      if found then list[#list + 1] = o.owner .. found end
    end
  end
  return list
end

local function exact(list, name)
  local same = {}
  for _, text in ipairs(list) do
    if text:match "[%a_]+$" == name then same[#same + 1] = text end
  end
  return #same > 0 and same or list
end

-- What Lua's own error of a call of nothing leaves out.
function near.call(message)
  local kind, name = message:match "attempt to call a nil value %((%a+) '([%w_]+)'%)"
  if kind ~= "method" and kind ~= "field" then return nil end
  local list = exact(candidates(name, kind == "method" and ":" or "."), name)
  if #list == 0 then list = { ELSEWHERE[name] } end
  if #list == 0 then return "docs/lua.md has the names" end
  return ("did you mean %s?"):format(table.concat(list, " or "))
end

native.hint(near.call)

return near

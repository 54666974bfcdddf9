-- SPDX-License-Identifier: MIT
-- A command that a Linux user types, read word by word, and the text that a view answers with, read
-- entry by entry: what net.ip, net.ip_route and net.ip_neigh share.
local util = require "net.util"

local raise = util.raise

local words = {}

-- Words ------------------------------------------------------------------------------------------

-- A command as it is read, word by word.
local Words = {}
Words.__index = Words

function words.read(command, tool)
  if type(command) ~= "string" then raise(("host:%s takes a command as text"):format(tool)) end
  local list = setmetatable({ tool = tool, command = command, at = 1 }, Words)
  for word in command:gmatch("%S+") do list[#list + 1] = word end
  if list[1] == tool then list.at = 2 end
  return list
end

function Words:peek() return self[self.at] end

function Words:next()
  local word = self[self.at]
  self.at = self.at + 1
  return word
end

function Words:fail(why)
  raise(("%s %s: %s"):format(self.tool, self.command, why))
end

-- What must follow a keyword.
function Words:value(keyword)
  local word = self:next()
  if not word then self:fail(("\"%s\" wants a value behind it"):format(keyword)) end
  return word
end

function Words:number(keyword)
  local word = self:value(keyword)
  local number = math.tointeger(tonumber(word))
  if not number then self:fail(("\"%s %s\" is no number"):format(keyword, word)) end
  return number
end

function Words:onoff(keyword)
  local word = self:value(keyword)
  if word ~= "on" and word ~= "off" then self:fail(("\"%s\" is on or off"):format(keyword)) end
  return word == "on"
end

-- "1:2 3:4" as { [1] = 2, [3] = 4 }.
function Words:map()
  local map = {}
  while self:peek() and self:peek():find("^%d+:%d+$") do
    local from, to = self:next():match("^(%d+):(%d+)$")
    map[tonumber(from)] = tonumber(to)
  end
  return map
end

-- One of a list, or what begins like it (the first that does).
function Words:one_of(word, list, what)
  for _, name in ipairs(list) do
    if name:sub(1, #word) == word then return name end
  end
  self:fail(("%s \"%s\" is unknown; there are: %s"):format(what, word, table.concat(list, ", ")))
end

-- Runs f; what goes wrong is told with the command.
function Words:told(f, ...)
  local result = table.pack(pcall(f, ...))
  if not result[1] then self:fail((tostring(result[2]):gsub("^[^ ]*:%d+: ", ""))) end
  return table.unpack(result, 2, result.n)
end

-- Views ------------------------------------------------------------------------------------------

-- A view's entries: a line that begins without a blank, and those behind it that begin with one.
function words.entries(text)
  local list = {}
  for line in text:gmatch("[^\n]*\n") do
    if line:find("^%s") and #list > 0 then
      list[#list] = list[#list] .. line
    else
      list[#list + 1] = line
    end
  end
  return list
end

function words.filtered(text, wants)
  local kept = {}
  for _, entry in ipairs(words.entries(text)) do
    if wants(entry) then kept[#kept + 1] = entry end
  end
  return table.concat(kept)
end

-- A view of one device does not name it in each line.
function words.without_dev(text, dev)
  return dev and (text:gsub(" dev " .. dev:gsub("%p", "%%%0") .. " ", " ")) or text
end

-- An address is a prefix of its whole length.
function words.with_length(text)
  if text:find("/", 1, true) then return text end
  return text .. (text:find(":", 1, true) and "/128" or "/32")
end

return words

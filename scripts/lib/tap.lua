-- SPDX-License-Identifier: MIT
-- tap: registers tests and asserts. Reference: docs/lua.md.
--
-- An assertion that fails ends its test. One that holds returns an object, which t:shows ties to a
-- requirement of docs/requirements.
local _, native = ...
local near = require "near"

local tap = {}

-- Text of values ---------------------------------------------------------------------------------

local MAX_TEXT = 4000
local MAX_DEPTH = 8

local function quote(s)
  s = s:gsub('[%c"\\\128-\255]', function(c)
    if c == "\n" then return "\\n" end
    if c == '"' or c == "\\" then return "\\" .. c end
    return ("\\x%02x"):format(c:byte())
  end)
  if #s > MAX_TEXT then
    s = s:sub(1, MAX_TEXT) .. "..."
  end
  return '"' .. s .. '"'
end

local function has_text(value)
  local meta = getmetatable(value)
  return type(meta) == "table" and meta.__tostring ~= nil
end

local function is_name(key)
  return type(key) == "string" and key:find("^[%a_][%w_]*$") ~= nil
end

local repr

local function repr_table(value, depth, seen)
  if seen[value] then return "(a table that holds itself)" end
  if depth > MAX_DEPTH then return "{...}" end
  seen[value] = true
  local parts = {}
  local array = #value
  local length = 0
  for key, item in pairs(value) do
    local text = repr(item, depth + 1, seen)
    if not (math.type(key) == "integer" and key >= 1 and key <= array) then
      text = (is_name(key) and key or "[" .. repr(key, depth + 1, seen) .. "]") .. " = " .. text
    end
    parts[#parts + 1] = text
    length = length + #text
    if length > MAX_TEXT then
      parts[#parts + 1] = "..."
      break
    end
  end
  seen[value] = nil
  if #parts == 0 then return "{}" end
  return "{ " .. table.concat(parts, ", ") .. " }"
end

function repr(value, depth, seen)
  if type(value) == "string" then return quote(value) end
  if type(value) == "table" and not has_text(value) then
    return repr_table(value, depth or 0, seen or {})
  end
  return tostring(value)
end

tap.repr = repr

-- Deep comparison --------------------------------------------------------------------------------

local function path_key(path, key)
  if is_name(key) then return path .. "." .. key end
  return path .. "[" .. repr(key) .. "]"
end

local function plain(value)
  return type(value) == "table" and not has_text(value) and
    not (getmetatable(value) and getmetatable(value).__eq)
end

-- Adds a line per difference to `out`. `seen` holds the pairs of tables that are being compared.
local function compare(got, expect, path, out, seen)
  if got == expect or #out > 20 then return end
  if not (plain(got) and plain(expect)) then
    out[#out + 1] = ("%s: got %s, expected %s"):format(path, repr(got), repr(expect))
    return
  end
  if seen[got] == expect then return end
  seen[got] = expect
  for key, value in pairs(expect) do
    compare(rawget(got, key), value, path_key(path, key), out, seen)
  end
  for key, value in pairs(got) do
    if rawget(expect, key) == nil then
      compare(value, nil, path_key(path, key), out, seen)
    end
  end
end

local function differences(got, expect)
  local out = {}
  compare(got, expect, "value", out, {})
  return out
end

-- Tests ------------------------------------------------------------------------------------------

local Test = {}
Test.__index = Test
Test.__name = "test"

local assertion_meta = { __name = "assertion" }

-- Objects that t:shows takes: raw keys only, never walked.
local proofs = {}

-- For the libraries: makes `object` a proof that an assertion ran and held.
function native.proof(object)
  native.asserted()
  proofs[object] = true
  return object
end

local function held()
  return native.proof(setmetatable({}, assertion_meta))
end

local function fail(message, default, got, expect, diff)
  native.asserted()
  if message ~= nil then message = tostring(message) end
  return native.fail(message or default, got, expect, diff)
end

function Test:ok(value, message)
  if value then return held() end
  return fail(message, "expected a true value", repr(value))
end

function Test:is(got, expect, message)
  local diff = differences(got, expect)
  if #diff == 0 then return held() end
  if not (plain(got) or plain(expect)) then diff = {} end
  return fail(message, "values differ", repr(got), repr(expect),
    #diff > 0 and table.concat(diff, "\n") or nil)
end

function Test:isnt(got, unwanted, message)
  if #differences(got, unwanted) > 0 then return held() end
  return fail(message, "values are equal", repr(got), "anything but " .. repr(unwanted))
end

function Test:like(text, pattern, message)
  if type(text) == "string" and text:find(pattern) then return held() end
  return fail(message, "text does not match", repr(text), "a match of " .. repr(pattern))
end

function Test:error(f, pattern, message)
  local good, err = pcall(f)
  if native.is_failure(err) then error(err, 0) end
  if good then
    return fail(message, "no error was raised", nil, pattern and "an error like " .. repr(pattern))
  end
  if pattern == nil or type(err) == "string" and err:find(pattern) then return held() end
  return fail(message, "another error was raised", repr(err), "an error like " .. repr(pattern))
end

function Test:fail(message)
  return fail(message, "failed")
end

function Test:note(...)
  local parts = table.pack(...)
  for i = 1, parts.n do parts[i] = tostring(parts[i]) end
  native.note(table.concat(parts, " "))
end

function Test:skip(reason)
  if type(reason) ~= "string" or reason == "" then
    error("t:skip needs a reason", 2)
  end
  return native.skip(reason)
end

-- At most three requirements a test: more of them can not be what it is about.
local MAX_SHOWN = 3

function Test:shows(id, assertion)
  if type(id) ~= "string" then error("t:shows needs the id of a requirement", 2) end
  if assertion == nil or not proofs[assertion] then
    error("t:shows(\"" .. id .. "\", ...) needs what an assertion or expectation returned", 2)
  end
  if not self.shown[id] then
    self.shown_count = self.shown_count + 1
    self.shown[id] = true
    if self.shown_count > MAX_SHOWN then
      error("a test shows three requirements at the most", 2)
    end
    if not native.shown(id) then
      error("no requirement '" .. id .. "' in the catalogue", 2)
    end
  end
  return assertion
end

local options_known = { skip = "string", profile = "string" }

local function check_options(options)
  for key, value in pairs(options) do
    if not options_known[key] then
      error("tap.test: unknown option '" .. tostring(key) .. "'", 3)
    end
    if type(value) ~= options_known[key] then
      error("tap.test: option '" .. key .. "' must be a " .. options_known[key], 3)
    end
  end
end

-- Methods that other libraries add to the test object.
tap.Test = Test

function tap.test(name, options, f)
  if f == nil then
    options, f = {}, options
  end
  if type(name) ~= "string" or name == "" or name:find("%c") then
    error("tap.test: the name must be a text of one line", 2)
  end
  if type(options) ~= "table" then error("tap.test: the options must be a table", 2) end
  if type(f) ~= "function" then error("tap.test: '" .. name .. "' has no function", 2) end
  check_options(options)
  if options.profile and options.profile ~= "linux" and options.profile ~= "rfc" then
    error("tap.test: option 'profile' is \"linux\" or \"rfc\"", 2)
  end
  native.test(name, function()
    f(setmetatable({ name = name, seed = native.seed(), profile = native.profile(), shown = {},
      shown_count = 0 }, Test))
  end, options.skip, options.profile)
end

near.functions("t:", Test)
near.functions("tap.", tap)

return tap

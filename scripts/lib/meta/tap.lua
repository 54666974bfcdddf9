-- SPDX-License-Identifier: MIT
---@meta tap
-- What docs/lua.md says of tap, for the Lua language server. Nothing loads this file.

local tap = {}

---An assertion or expectation that held: what t:shows takes.
---@class tapline.Proof

---A number of nanoseconds, or a text such as "1.5ms", "10s".
---@alias tapline.Duration integer|string

---@class tapline.TestOptions
---@field skip? string why the test is not run
---@field profile? "linux"|"rfc" the only profile that the test is for

---@class tapline.Test
---@field name string
---@field seed integer
---@field profile "linux"|"rfc"
local Test = {}

---Registers a test. Names are unique in a file.
---@param name string
---@param f fun(t: tapline.Test)
---@overload fun(name: string, options: tapline.TestOptions, f: fun(t: tapline.Test))
function tap.test(name, f) end

---A value as text, tables in order.
---@param value any
---@return string
function tap.repr(value) end

---Holds when the value is neither nil nor false.
---@param value any
---@param message? string
---@return tapline.Proof
function Test:ok(value, message) end

---Holds when the values are equal; tables are compared deeply.
---@param got any
---@param expect any
---@param message? string
---@return tapline.Proof
function Test:is(got, expect, message) end

---Holds when the values are not equal.
---@param got any
---@param unwanted any
---@param message? string
---@return tapline.Proof
function Test:isnt(got, unwanted, message) end

---Holds when the text matches the Lua pattern.
---@param text string
---@param pattern string
---@param message? string
---@return tapline.Proof
function Test:like(text, pattern, message) end

---Holds when f raises an error (that matches).
---@param f function
---@param pattern? string
---@param message? string
---@return tapline.Proof
function Test:error(f, pattern, message) end

---Never holds.
---@param message? string
function Test:fail(message) end

---Says that the assertion, which held, shows a requirement of docs/requirements.
---@generic T
---@param id string
---@param assertion T
---@return T
function Test:shows(id, assertion) end

---Ends the test as skipped.
---@param reason string
function Test:skip(reason) end

---A comment in the output.
function Test:note(...) end

---Virtual time in ns.
---@return integer
function Test:now() end

return tap

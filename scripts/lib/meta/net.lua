-- SPDX-License-Identifier: MIT
---@meta net
-- The clock, tasks and logs of ops of net (docs/lua.md); the other files here have the rest.
-- For the Lua language server: nothing loads this file.

---@class tapline.net
---@field C table<string, integer> constants of the C interface
local net = {}

---Octets that hang on their place in a stream: what a peer sends as TCP data.
---@param first integer
---@param length integer
---@return string
function net.pattern(first, length) end

-- Time and tasks ---------------------------------------------------------------------------------

---Virtual time in ns.
---@return integer
function net.now() end

---@param time tapline.Duration
function net.sleep(time) end

---Another name of net.sleep.
---@param time tapline.Duration
function net.advance(time) end

---A duration in ns.
---@param value tapline.Duration
---@return integer
function net.duration(value) end

---@class tapline.Task
local Task = {}

---Starts a task beside the test; it begins when the present one waits.
---@param f function
---@return tapline.Task
function net.spawn(f, ...) end

---Waits until the task has returned, and gives what it returned.
---@return any ...
function Task:join() end

---Records the named trace events from now on.
---@param ... string
function net.trace(...) end

---Who goes next where several CPUs could: a list of choices, a seed, nil: the world's own choice.
---@param how? integer[]|integer
function net.schedule(how) end

---What was chosen since net.schedule { ... }, and out of how many.
---@return integer[] choices
---@return integer[] of
function net.scheduled() end

---Calls f for every order in which the CPUs could take their steps. Returns how many there were.
---@param f fun(choices: integer[])
---@param options? { max?: integer }
---@return integer
function net.interleavings(f, options) end

---Calls f(seed) for n seeds of the world's own choice.
---@param n integer
---@param f fun(seed: integer)
function net.seeds(n, f) end

---The records so far, which are forgotten then.
---@return { time: integer, event: string, host: integer, cpu: integer, reason: string? }[]
function net.traces() end

---A world that a log of ops drives.
---@class tapline.OpLog
local Log = {}

---Goes on until so many events have run in all and the clock shows this time.
---@param time integer nanoseconds
---@param events integer
function Log:at(time, events) end

---Applies an op now. Returns its number, or an errno below 0.
---@param name string as in stack/include/stack/op.def
---@param fields table<string, integer|string>
---@return integer
function Log:op(name, fields) end

---What the hooks with this id decide: { "accept", 3, "drop", 1 }.
---@param id integer
---@param verdicts (string|integer)[]
function Log:hook(id, verdicts) end

---@return string digest 16 hexadecimal digits
function Log:digest() end

---Makes the test's world for a log of ops.
---@param options? { seed?: integer }
---@return tapline.OpLog
function net.oplog(options) end

return net

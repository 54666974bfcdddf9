-- SPDX-License-Identifier: MIT
-- A world that a log of ops drives: what `tapline repro` writes. Reference: docs/lua.md, "The op log".
local _, native = ...
local util = require "net.util"

local raise, options, set = util.raise, util.options, util.set

local oplog = {}

local Log = {}
Log.__index = Log
Log.__name = "oplog"

-- Makes the world of the test.
function oplog.new(o)
  o = options("net.oplog", o, set "seed")
  native.oplog(o.seed or 1)
  return setmetatable({}, Log)
end

-- Goes to a place: so many nanoseconds, so many events.
function Log:at(time, events)
  if not native.log_at(time, events) then
    raise(("the world is not the one of the log: at %d ns it has other than %d events"):format(time, events))
  end
end

-- Applies an op now. Returns what came of it: a number, or an errno below 0.
function Log:op(name, fields)
  return native.log_op(name, fields)
end

-- What the hooks with this id decide, packet by packet: { "accept", 3, "drop", 1 }.
function Log:hook(id, verdicts)
  local at, left = 1, verdicts[2]
  native.hook(id, function()
    while left == 0 do
      at = at + 2
      left = verdicts[at + 1]
    end
    if not left then raise "oplog: a hook saw more packets than the log has verdicts" end
    left = left - 1
    return verdicts[at]
  end)
end

-- Hash over all that happened, as `tapline repro` prints it.
function Log:digest()
  return native.log_digest()
end

return oplog

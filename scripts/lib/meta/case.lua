-- SPDX-License-Identifier: MIT
---@meta case
-- What docs/capture-cases.md says of case, for the Lua language server. Nothing loads this file.

local case = {}

---The host's applications in a capture case.
---@class tapline.Program
local Program = {}

---Waits for a time of the capture, counted from its first frame.
---@param time tapline.Duration
function Program:at(time) end

---@class tapline.CaseOptions
---@field host tapline.HostOptions the host under test: addr, and the mac that it has in the capture
---@field setup? fun(host: tapline.Host)
---@field program? fun(host: tapline.Host, program: tapline.Program, t: tapline.Test)
---@field check? fun(host: tapline.Host, t: tapline.Test)
---@field shows? string|string[] ids of requirements
---@field mask? string fields of the host's frames that do not count: "ip.id tcp.window"
---@field masks? table<integer, string> the same for single frames
---@field tolerance? tapline.Duration how far a frame may be from its time
---@field start? tapline.Duration how long after the boot the first frame comes
---@field after? tapline.Duration how long nothing may come after the last frame
---@field silent? boolean the host sends nothing at all

---Registers the case whose capture lies beside the script.
---@param name string
---@param options tapline.CaseOptions
function case.capture(name, options) end

return case

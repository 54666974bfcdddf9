-- SPDX-License-Identifier: MIT
---@meta make
-- What docs/capture-cases.md says of make, for the Lua language server. Nothing loads this file.

local make = {}

---@class tapline.Station
---@field mac? string
---@field ip? string
---@field port? integer
---@field isn? integer initial sequence number

---@class tapline.Capture
local Capture = {}

---The frames from here on have this time.
---@param time tapline.Duration
function Capture:at(time) end

---Adds a frame, padded to 60 bytes.
---@param packet tapline.Packet|string
---@param options? { pad?: boolean }
function Capture:frame(packet, options) end

---Adds a frame from one station to another.
---@param from tapline.Station
---@param to tapline.Station
---@param packet tapline.Packet
---@param options? { pad?: boolean }
function Capture:send(from, to, packet, options) end

---Adds a TCP segment in short.
---@param from tapline.Station
---@param to tapline.Station
---@param text string
---@param options? { ip?: table, data?: string, auth?: tapline.Signature }
function Capture:segment(from, to, text, options) end

---Registers a test that NAME.pcap in the script's folder is what f makes.
---@param name string
---@param f fun(c: tapline.Capture)
---@overload fun(name: string, options: { link?: "raw" }, f: fun(c: tapline.Capture))
function make.capture(name, f) end

return make

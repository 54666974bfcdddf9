-- SPDX-License-Identifier: MIT
---@meta _
-- Hooks and tables of packet filters of a host (docs/lua.md). For the Lua language server: nothing loads this file.

---@class tapline.Host
local Host = {}

---@class tapline.Hook
---@field remove fun() ends it
local Hook = {}

---@class tapline.Held
---@field packet tapline.Packet
local Held = {}

---Lets it go on behind the hook that held it, or another packet in its place.
---@param packet? tapline.Packet
function Held:accept(packet) end

---Drops it; a sender sees the errno.
---@param errno? string
function Held:drop(errno) end

---Ends it without counting a drop.
function Held:steal() end

---Has the hook that held it see it again.
---@param packet? tapline.Packet
function Held:again(packet) end

---The packets that it holds.
---@return tapline.Held[]
function Hook:queued() end

---Calls f for every packet at a place; it may not wait. It returns a verdict ("drop" with the errno
---that a sender sees), or a packet that goes on instead.
---@param place "pre_routing"|"local_in"|"forward"|"local_out"|"post_routing"
---@param f fun(packet: tapline.Packet, where: { place: string, family: string, iif: integer?, oif: integer?, id: integer }): "drop"|"accept"|"stolen"|"queue"|"repeat"|tapline.Packet|nil, string?
---@param options? { priority: integer?, family: ("ipv4"|"ipv6")? }
---@return tapline.Hook
function Host:hook(place, f, options) end

---Words of iptables: does what they say, returns what they print.
---@param words string
---@return string
function Host:iptables(words) end

---Words of ip6tables.
---@param words string
---@return string
function Host:ip6tables(words) end

---All tables as iptables-save prints them.
---@param words? string "-c": with counters
---@return string
function Host:iptables_save(words) end

---@param words? string
---@return string
function Host:ip6tables_save(words) end

---Words of conntrack(8), "-L" when there are none: what it prints; of -D and -F how many ended.
---@param words? string
---@return string|integer
function Host:conntrack(words) end

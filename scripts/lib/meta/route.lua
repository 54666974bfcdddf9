-- SPDX-License-Identifier: MIT
---@meta _
-- Routes, rules and neighbours of a host (docs/lua.md). For the Lua language server: nothing loads this file.

---@class tapline.Host
local Host = {}

---@class tapline.RouteOptions
---@field dst string prefix, or "default"
---@field via? string
---@field dev? tapline.Device
---@field src? string
---@field metric? integer
---@field mtu? integer
---@field tos? integer
---@field type? "unicast"|"blackhole"|"unreachable"|"prohibit"|string
---@field table? integer
---@field scope? integer
---@field onlink? boolean
---@field verb? "add"|"replace"|"change"|"append"|"prepend"
---@field nexthops? { via: string?, dev: tapline.Device?, weight: integer?, onlink: boolean? }[]
---@field advmss? integer
---@field window? integer
---@field rtt? tapline.Duration
---@field rttvar? tapline.Duration
---@field ssthresh? integer
---@field cwnd? integer
---@field reordering? integer
---@field hoplimit? integer
---@field initcwnd? integer
---@field initrwnd? integer
---@field rto_min? tapline.Duration
---@field quickack? boolean
---@field features? "ecn"
---@field congctl? string
---@field lock? string names of metrics

---@param options tapline.RouteOptions
function Host:route(options) end

---@param options tapline.RouteOptions
function Host:route_del(options) end

---@class tapline.RuleOptions
---@field priority? integer
---@field from? string
---@field to? string
---@field tos? integer
---@field fwmark? integer
---@field mask? integer
---@field iif? tapline.Device
---@field oif? tapline.Device
---@field table? integer|string
---@field action? "lookup"|"goto"|"nop"|"blackhole"|"unreachable"|"prohibit"
---@field target? integer
---@field inverted? boolean
---@field suppress_prefixlength? integer

---`ip rule add`.
---@param options tapline.RuleOptions
function Host:rule(options) end

---`ip rule del`.
---@param options tapline.RuleOptions
function Host:rule_del(options) end

---@param options { addr: string, mac: string?, state: string?, dev: tapline.Device? }
function Host:neigh(options) end

---@param addr string
---@param options? { dev: tapline.Device? }
function Host:neigh_del(addr, options) end

--- `ip neigh add proxy`: requests for the address that come by the device are answered; options.remove takes it back.
---@param addr string
---@param options { dev: tapline.Device?, remove: boolean? }?
function Host:neigh_proxy(addr, options) end

---`tc qdisc replace ... root`: "pfifo_fast", or "pfifo" of so many packets.

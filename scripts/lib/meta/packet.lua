-- SPDX-License-Identifier: MIT
---@meta _
-- Packets of net (docs/lua.md). For the Lua language server: nothing loads this file.

---@class tapline.net
local net = {}

---@class tapline.Layer
---@operator div(tapline.Layer|string): tapline.Packet
---@field checksum_status? "good"|"bad"|"absent"|"unverified"|"none"

---@class tapline.Eth: tapline.Layer
---@field dst? string
---@field src? string
---@field type? integer|string

---@class tapline.Vlan: tapline.Layer
---@field pcp? integer
---@field dei? boolean
---@field id? integer
---@field type? integer|string

---@class tapline.Arp: tapline.Layer
---@field op? "request"|"reply"|integer
---@field sha? string
---@field spa? string
---@field tha? string
---@field tpa? string
---@field htype? integer
---@field ptype? integer
---@field hlen? integer
---@field plen? integer

---@class tapline.Ip: tapline.Layer
---@field src? string
---@field dst? string
---@field ttl? integer
---@field proto? integer|string
---@field id? integer
---@field df? boolean
---@field mf? boolean
---@field rf? boolean
---@field off? integer in units of 8 bytes
---@field tos? integer
---@field dscp? integer
---@field ecn? integer
---@field len? integer
---@field ihl? integer
---@field version? integer
---@field checksum? integer
---@field options? string

---@class tapline.Icmp: tapline.Layer
---@field type? integer|string
---@field code? integer|string
---@field checksum? integer
---@field id? integer
---@field seq? integer
---@field mtu? integer
---@field gateway? string
---@field pointer? integer
---@field originate? integer
---@field receive? integer
---@field transmit? integer
---@field mask? string
---@field rest? integer

---@class tapline.Igmp: tapline.Layer
---@field type? integer|string
---@field maxresp? integer
---@field group? string
---@field checksum? integer

---@class tapline.Udp: tapline.Layer
---@field sport? integer
---@field dport? integer
---@field len? integer
---@field checksum? integer

---@class tapline.Tcp: tapline.Layer
---@field sport? integer
---@field dport? integer
---@field seq? integer
---@field ack? integer
---@field flags? string
---@field window? integer
---@field urg? integer
---@field doff? integer
---@field checksum? integer
---@field options? table[]

---Layers joined by `/`; a layer that is not there is nil.
---@class tapline.Packet: tapline.Proof
---@operator div(tapline.Packet|tapline.Layer|string): tapline.Packet
---@field eth? tapline.Eth
---@field vlan? tapline.Vlan
---@field llc? tapline.Layer
---@field arp? tapline.Arp
---@field ip? tapline.Ip
---@field ip6? tapline.Layer
---@field icmp? tapline.Icmp
---@field icmp6? tapline.Layer
---@field igmp? tapline.Igmp
---@field udp? tapline.Udp
---@field tcp? tapline.Tcp
---@field inner? tapline.Packet the packet that an ICMP error quotes
---@field payload? string
---@field sent? integer when it left the host, in ns
---@field time? integer when it arrived, in ns
local Packet = {}

---The packet's bytes.
---@return string
function Packet:bytes() end

---All fields as text.
---@return string
function Packet:text() end

---A copy.
---@return tapline.Packet
function Packet:clone() end

---@param fields? tapline.Eth
---@return tapline.Packet
function net.eth(fields) end

---@param fields? tapline.Vlan
---@return tapline.Packet
function net.vlan(fields) end

---@param fields? table
---@return tapline.Packet
function net.llc(fields) end

---@param fields? tapline.Arp
---@return tapline.Packet
function net.arp(fields) end

---@param fields? tapline.Ip
---@return tapline.Packet
function net.ip(fields) end

---@param fields? table
---@return tapline.Packet
function net.ip6(fields) end

---@param fields? tapline.Icmp
---@return tapline.Packet
function net.icmp(fields) end

---@param fields? table
---@return tapline.Packet
function net.icmp6(fields) end

---@param fields? tapline.Igmp
---@return tapline.Packet
function net.igmp(fields) end

---@param fields? tapline.Udp
---@return tapline.Packet
function net.udp(fields) end

---@param fields? tapline.Tcp
---@return tapline.Packet
function net.tcp(fields) end

---Payload.
---@param bytes string
---@return tapline.Packet
function net.raw(bytes) end

---The packet in these bytes; without "ip" they begin with an Ethernet header.
---@param bytes string
---@param link? "ip"
---@return tapline.Packet
function net.parse(bytes, link) end

---The fragments of an ip{} packet, cut at these offsets of its payload.
---@param packet tapline.Packet
---@param offsets integer[]
---@return tapline.Packet[]
function net.fragments(packet, offsets) end

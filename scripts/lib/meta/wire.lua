-- SPDX-License-Identifier: MIT
---@meta _
-- Wires and peers of net (docs/lua.md). For the Lua language server: nothing loads this file.

---@class tapline.net
local net = {}

---@class tapline.WireOptions
---@field delay? tapline.Duration
---@field rate? integer bits per second, 0: no limit

---@class tapline.WireFaults: tapline.WireOptions
---@field loss? integer parts per million
---@field duplicate? integer parts per million
---@field reorder? integer parts per million
---@field reorder_by? tapline.Duration
---@field corrupt? integer parts per million
---@field jitter? tapline.Duration
---@field drop_next? integer
---@field queue? integer bytes
---@field from? tapline.Host|"host"|"peer"

---@class tapline.PeerOptions
---@field addr? string
---@field mac? string
---@field port? integer
---@field isn? integer its initial sequence number
---@field arp? boolean false: it does not answer ARP requests

---@class tapline.Wire
local Wire = {}

---@class tapline.Peer
---@field addr? string
---@field mac string
---@field port? integer
local Peer = {}

---@param options? tapline.WireOptions
---@return tapline.Wire
function net.wire(options) end

---A station that the script plays.
---@param options? tapline.PeerOptions
---@return tapline.Peer
function Wire:peer(options) end

---Faults and speed of a wire.
---@param options tapline.WireFaults
function Wire:set(options) end

---Sets the port that its packets go to.
---@param port integer
---@return tapline.Peer
function Peer:to(port) end

---A TCP segment in packetdrill's notation as a packet, to be changed before it is sent.
---@param text string "S 0:0(0) win 65535 <mss 1460>"
---@param data? string
---@return tapline.Packet
function Peer:segment(text, data) end

---Another connection: what was learned of the host's numbers is forgotten.
---@param options { port: integer?, to: integer?, isn: integer? }
---@return tapline.Peer
function Peer:fresh(options) end

---Puts a frame on the wire, now; a text is a TCP segment in packetdrill's notation.
---@param packet tapline.Packet|string
---@param options? { fcs: "bad"?, pad: boolean?, data: string?, auth: tapline.Signature|false? }
function Peer:send(packet, options) end

---@class tapline.Signature what net.tcp_ao and net.tcp_md5 return

---@class tapline.AoKeyOptions
---@field key? string
---@field alg? "hmac(sha1)"|"cmac(aes128)"
---@field sndid? integer KeyID of what the peer sends (100)
---@field rcvid? integer RNextKeyID that it asks for
---@field maclen? integer
---@field exclude_options? boolean

---What a peer signs with, and checks by: TCP-AO (RFC 5925).
---@param options tapline.AoKeyOptions
---@return tapline.Signature
function net.tcp_ao(options) end

---The same with TCP MD5 signatures (RFC 2385).
---@param key string
---@return tapline.Signature
function net.tcp_md5(key) end

---From now on what it sends is signed; false: no more.
---@param with tapline.Signature|false
---@return tapline.Peer
function Peer:auth(with) end

---A packet as it would go, signed, to be changed before it is sent.
---@param packet tapline.Packet|string
---@param numbers? { sne: integer?, sisn: integer?, disn: integer?, keyid: integer?, rnext: integer? }
---@param data? string
---@return tapline.Packet
function Peer:signed(packet, numbers, data) end

---Is the host's frame signed as it must be? With TCP-AO also its KeyID and RNextKeyID.
---@param frame tapline.Packet
---@param with? tapline.Signature
---@return boolean, integer?, integer?
function Peer:verify(frame, with) end

---The initial sequence numbers that TCP-AO's traffic keys are made of.
---@return { isn: integer, peer_isn: integer? }
function Peer:numbers() end

---The same with bytes, from the destination MAC on.
---@param bytes string
---@param options? { fcs: "bad"? }
function Peer:send_raw(bytes, options) end

---@class tapline.ExpectOptions
---@field within? tapline.Duration any time from now on for so long
---@field at? tapline.Duration|string virtual time, or "+200ms" after the cause
---@field data? string|true of a TCP segment: these octets, true: those of net.pattern
---@field defaults? boolean false: addresses that are left out are not compared

---Takes the next frame for this peer, which must match.
---@param template tapline.Packet|string
---@param options? tapline.ExpectOptions
---@return tapline.Packet
function Peer:expect(template, options) end

---That many frames, in any order.
---@param templates (tapline.Packet|string)[]
---@param options? tapline.ExpectOptions
---@return tapline.Packet[]
function Peer:expect_all(templates, options) end

---No frame comes for so long; without `during`: none is here.
---@param options? { during: tapline.Duration? }
---@return tapline.Proof
function Peer:expect_nothing(options) end

---Takes all frames that come for so long.
---@param options? { during: tapline.Duration? }
---@return tapline.Packet[]
function Peer:collect(options) end

-- SPDX-License-Identifier: MIT
---@meta _
-- Sockets of a host, and waiting for them (docs/lua.md). For the Lua language server: nothing loads this file.

---@class tapline.net
local net = {}

---@class tapline.Host
local Host = {}

---@class tapline.Socket
local Socket = {}

---@class tapline.Epoll
local Epoll = {}

---@class tapline.Endpoint
---@field addr string
---@field port integer

---@class tapline.Received: tapline.Endpoint
---@field length integer
---@field flags integer
---@field control string
---@field cmsg table<string, any>

---@class tapline.SendOptions
---@field flags? string|integer
---@field control? table<string, any>|string

---@param kind "udp"|"tcp"|"tcp6"|"packet"|"packet-dgram"
---@param options? { nonblock: boolean?, protocol: (integer|string)?, dev: tapline.Device?, filter: tapline.Bpf?, auxdata: boolean? }
---@return tapline.Socket
function Host:socket(kind, options) end

---@return tapline.Epoll
function Host:epoll() end

---The end that is read, and the one that is written.
---@param options? { nonblock: boolean? }
---@return tapline.Socket read, tapline.Socket write
function Host:pipe(options) end

---A file with these bytes; "/dev/zero": zero bytes without end.
---@param bytes string
---@return tapline.Socket file
function Host:file(bytes) end

---Calls a method; an error is returned as nil and the name of the errno.
---@param call string
---@return any result, string? errno
function Socket:try(call, ...) end

---@param addr string
---@param port integer
---@overload fun(self: tapline.Socket, port: integer): tapline.Proof
function Socket:bind(addr, port) end

---nil dissolves the association.
---@param addr string?
---@param port? integer
function Socket:connect(addr, port) end

---@param port? integer
---@param backlog? integer
---@return tapline.Socket self
function Socket:listen(port, backlog) end

---@return tapline.Socket, tapline.Endpoint
function Socket:accept() end

---@param data string
---@param options? tapline.SendOptions
---@return integer bytes
function Socket:send(data, options) end

---@param data string
---@param addr string
---@param port integer
---@param options? tapline.SendOptions
---@return integer bytes
function Socket:sendto(data, addr, port, options) end

---@param options? { size: integer?, flags: (string|integer)?, control_size: integer?, fault: boolean? }
---@return string data, tapline.Received from
function Socket:recv(options) end

---splice(2): one of the two is an end of a pipe.
---@param to tapline.Socket
---@param bytes integer
---@param options? { flags: string? } "nonblock more"
---@return integer bytes
function Socket:splice(to, bytes, options) end

---sendfile(2); without an offset from the file's own position.
---@param file tapline.Socket
---@param bytes integer
---@param offset? integer
---@return integer bytes
function Socket:sendfile(file, bytes, offset) end

---@param events string "in out"
---@param timeout? tapline.Duration
---@return table<string, boolean>
function Socket:poll(events, timeout) end

---Reads an option by its C name; with a value: sets it.
---@param name string
---@param value? any
---@return any
function Socket:option(name, value) end

---getsockopt(2); the level may be left out.
---@param level string|integer
---@param name? string|integer
---@param size? integer
---@return any
function Socket:getsockopt(level, name, size) end

---setsockopt(2); the level may be left out.
---@param level string|integer
---@param name any
---@param value? any
---@return boolean
function Socket:setsockopt(level, name, value) end

---@return tapline.Endpoint
function Socket:name() end

---@return tapline.Endpoint
function Socket:peername() end

---@return integer
function Socket:pending() end

---@param on boolean
function Socket:nonblock(on) end

---@param how "rd"|"wr"|"rdwr"
function Socket:shutdown(how) end

function Socket:close() end

---fcntl(2): the number that it returned.
---@param command integer
---@param value? integer
---@return integer
function Socket:fcntl(command, value) end

---ioctl(2): the number that it returned.
---@param request integer
---@return integer
function Socket:ioctl(request) end

---@alias tapline.Bpf string|integer[][] a program of bpf_asm, bytes, or a list of { code, jt, jf, k }

-- A filter for what the socket is to hear; false takes it off.
---@param program tapline.Bpf|false
function Socket:filter(program) end

--- The program of its SO_REUSEPORT group: which socket a flow is for; false takes it off.
---@param program tapline.Bpf|false
function Socket:reuseport_filter(program) end

-- Of a packet socket, since it was asked last.
---@return { packets: integer, drops: integer }
function Socket:statistics() end

---PACKET_FANOUT: shares the packets with the other sockets of this id; without an id: what it is in.
---@param id? integer
---@param kind? "hash"|"lb"|"cpu"|"rollover"|"rnd"|"qm"
---@param options? { rollover?: boolean, unique?: boolean, ignore_outgoing?: boolean, max?: integer }
---@return { id: integer, type: string }?
function Socket:fanout(id, kind, options) end

---PACKET_ROLLOVER_STATS.
---@return { all: integer, huge: integer, failed: integer }
function Socket:rollover_statistics() end

---@param kind "promisc"|"allmulti"|"multicast"|"unicast"
---@param options? { dev?: tapline.Device, addr?: string, drop?: boolean }
function Socket:membership(kind, options) end

---TCP_INFO of a TCP socket, fields without `tcpi_`; `state` and `ca_state` are names.
---@return table<string, any>
function Socket:info() end

---TCP_AO_INFO as a table.
---@return { current: integer?, rnext: integer?, ao_required: boolean, accept_icmps: boolean, pkt_good: integer, pkt_bad: integer, pkt_key_not_found: integer, pkt_ao_required: integer, pkt_dropped_icmp: integer }
function Socket:ao_info() end

---TCP_AO_GET_KEYS: all keys of TCP-AO, those of a peer, or those in use.
---@param options? { addr: string?, prefix: integer?, sndid: integer?, rcvid: integer?, current: boolean?, rnext: boolean? }
---@return { addr: string, prefix: integer, sndid: integer, rcvid: integer, alg: string, key: string, maclen: integer, exclude_options: boolean, current: boolean, rnext: boolean, pkt_good: integer, pkt_bad: integer }[]
function Socket:ao_keys(options) end

---SO_MEMINFO: what the buffers of a socket hold and may hold, as `ss -m` shows it.
---@return { rmem: integer, rcvbuf: integer, wmem: integer, sndbuf: integer, forward: integer, queued: integer, options: integer, backlog: integer, drops: integer }
function Socket:meminfo() end

---@param entries { [1]: tapline.Socket, [2]: string }[]
---@param timeout? tapline.Duration
---@return table<string, boolean>[]
function net.poll(entries, timeout) end

---@param socket tapline.Socket
---@param events string "in et oneshot"
function Epoll:add(socket, events) end

---@param socket tapline.Socket
---@param events string
function Epoll:mod(socket, events) end

---@param socket tapline.Socket
function Epoll:del(socket) end

---@param timeout? tapline.Duration
---@param max? integer
---@return { socket: tapline.Socket, events: table<string, boolean> }[]
function Epoll:wait(timeout, max) end

function Epoll:close() end

-- SPDX-License-Identifier: MIT
---@meta packetdrill
-- What docs/lua.md says of packetdrill, for the Lua language server. Nothing loads this file.

local packetdrill = {}

---Constants by their C names.
---@type table<string, integer>
packetdrill.C = {}

---@class tapline.Packetdrill
---@field host tapline.Host
---@field local_addr string
---@field remote_addr string
---@field bind_port integer
---@field connect_port integer
local Packetdrill = {}

---@class tapline.PacketdrillOptions
---@field ip_version? "ipv4"|"ipv6"|"ipv4-mapped-ipv6"
---@field local_ip? string
---@field remote_ip? string
---@field prefix_len? integer
---@field mtu? integer
---@field bind_port? integer
---@field connect_port? integer
---@field tolerance_usecs? integer
---@field tolerance_percent? string
---@field tcp_ts_tick_usecs? integer
---@field tcp_ts_ecr_scaled? boolean
---@field strict_segments? boolean
---@field default_send_flags? integer
---@field env? table<string, string> variables of commands
---@field non_fatal? "packet" a packet that differs is only told
---@field sysctl? table<string, string|integer>
---@field cpus? integer

---A host on a tun device, with packetdrill's rules.
---@param options? tapline.PacketdrillOptions
---@return tapline.Packetdrill
function packetdrill.new(options) end

---Bytes of control messages { level, type, data }.
---@param list { [1]: integer, [2]: integer, [3]: integer|string }[]
---@return string
function packetdrill.control(list) end

---struct sock_extended_err as bytes.
---@param fields table<string, integer>
---@return string
function packetdrill.sock_extended_err(fields) end

---What Python takes for true.
---@param value any
---@return boolean
function packetdrill.truth(value) end

---Python's int().
---@param value any
---@return integer
function packetdrill.int(value) end

---Python's round().
---@param value number
---@return integer
function packetdrill.round(value) end

---Lets the world go on until then.
---@param time string "1.5", "+.1"
---@param join? "join" blocking calls end first
function Packetdrill:at(time, join) end

---Runs f as a task from the first time of "0.1...0.3"; it has to return at the second.
---@param time string
---@param f fun()
function Packetdrill:blocking(time, f) end

---Waits for the blocking calls to end.
function Packetdrill:join() end

---The end of the test.
function Packetdrill:finish() end

---Sends the host a packet in packetdrill's notation.
---@param time string
---@param packet string
function Packetdrill:inject(time, packet) end

---The host must send this packet at that time.
---@param time string
---@param packet string
function Packetdrill:expect(time, packet) end

---@param kind "tcp"|"udp"
---@param options? { family?: integer, type?: integer, protocol?: integer, nonblock?: boolean }
---@return tapline.Socket
function Packetdrill:socket(kind, options) end

---A socket, or nil and the name of the error.
---@param kind "tcp"|"udp"
---@param options? { family?: integer, type?: integer, protocol?: integer, nonblock?: boolean }
---@return tapline.Socket?, string?
function Packetdrill:try_socket(kind, options) end

---An object for a descriptor that is not there.
---@return tapline.Socket
function Packetdrill:no_socket() end

---A file that commands made, or "/dev/zero".
---@param path string
---@return tapline.Socket?, string?
function Packetdrill:open(path) end

---TCP_INFO as numbers: tcpi_snd_cwnd and so on.
---@param socket tapline.Socket
---@return table<string, integer>
function Packetdrill:info(socket) end

---Runs a command, which has to end with status 0; what it printed.
---@param command string
---@return string
function Packetdrill:sh(command) end

---How many TCP sockets `ss` lists in that state.
---@param state string
---@return integer
function Packetdrill:count(state) end

---The control messages that a recv gave must be these.
---@param control string
---@param wanted { [1]: integer, [2]: integer, [3]?: integer|string|{ time: integer } }[]
function Packetdrill:control_is(control, wanted) end

return packetdrill

-- SPDX-License-Identifier: MIT
---@meta _
-- Cards, links and namespaces of a host (docs/lua.md). For the Lua language server: nothing loads this file.

---@class tapline.Host
local Host = {}

---@class tapline.LinkOptions
---@field up? boolean
---@field mtu? integer
---@field promisc? boolean
---@field allmulti? boolean
---@field address? string
---@field carrier? boolean
---@field txqlen? integer
---@field anyip? boolean
---@field arp? boolean
---@field name? string
---@field netns? string|tapline.Host
---@field master? tapline.Device|false
---@field reorder_hdr? boolean
---@field loose_binding? boolean
---@field ingress_qos? table<integer, integer>
---@field egress_qos? table<integer, integer>
---@field ageing_time? integer in 1/100 s
---@field group_fwd_mask? integer
---@field fdb_max_learned? integer
---@field learning? boolean
---@field flood? boolean
---@field mcast_flood? boolean
---@field bcast_flood? boolean
---@field hairpin? boolean
---@field isolated? boolean
---@field port_fwd_mask? integer
---@field state? "disabled"|"listening"|"learning"|"forwarding"|"blocking"|integer
---@field dev? tapline.Device

---@param options tapline.LinkOptions
function Host:link(options) end

---@param name string
---@return tapline.Host
function Host:netns(name) end

---@param name string|tapline.Host
function Host:netns_del(name) end

---@class tapline.LinkAddOptions
---@field type "veth"|"vlan"|"bridge"|"dummy"
---@field name? string
---@field link? tapline.Device the device below a VLAN device
---@field id? integer
---@field protocol? "802.1Q"|"802.1ad"
---@field peer? string|{ name?: string, netns?: string|tapline.Host }
---@field netns? string|tapline.Host
---@field mtu? integer
---@field address? string
---@field addr? string|string[]
---@field up? boolean
---@field master? tapline.Device
---@field reorder_hdr? boolean
---@field loose_binding? boolean
---@field ingress_qos? table<integer, integer>
---@field egress_qos? table<integer, integer>
---@field ageing_time? integer
---@field group_fwd_mask? integer
---@field fdb_max_learned? integer

---@param options tapline.LinkAddOptions
---@return tapline.Device
function Host:link_add(options) end

---@param dev tapline.Device
function Host:link_del(dev) end

---@param name string
---@return tapline.Device
function Host:dev(name) end

---@return { ifindex: integer, name: string, flags: table<string, boolean>, mtu: integer, state: string, mac: string?, master: string? }[]
function Host:links() end

---@param options { addr?: string, dev?: tapline.Device, action?: "add"|"replace"|"del"|"flush", permanent?: boolean, static?: boolean, sticky?: boolean, self?: boolean }
function Host:fdb(options) end

---@param bridge? string
---@return { addr: string, dev: string, permanent: boolean, static: boolean, sticky: boolean }[]
function Host:fdbs(bridge) end

---@class tapline.EthtoolOptions
---@field rx_usecs? integer
---@field rx_csum? boolean
---@field tx_csum? boolean
---@field tso? boolean
---@field rps_cpus? integer
---@field rps_flow_cnt? integer
---@field xps_cpus? integer
---@field xps_rxqs? integer
---@field bql? boolean
---@field bql_limit_max? integer
---@field bql_limit_min? integer
---@field bql_hold_time? integer
---@field adaptive_rx? boolean
---@field channels? integer
---@field rss_equal? integer
---@field rss_indir? integer[]
---@field rss_key? string
---@field rss_sym_xor? boolean
---@field rss_udp? boolean
---@field tx_udp_segmentation? boolean
---@field gro? boolean
---@field lro? boolean
---@field sg? boolean
---@field rx_udp_gro_forwarding? boolean
---@field rx_gro_list? boolean
---@field virtio_event_idx? boolean
---@field rx_vlan_offload? boolean
---@field tx_vlan_offload? boolean
---@field rx_timestamp? boolean
---@field tx_timestamp? boolean
---@field rx_pause? boolean
---@field tx_pause? boolean
---@field loopback? boolean
---@field irq_late? tapline.Duration
---@field rx_stall? boolean
---@field rx_bad_desc? integer
---@field tx_bad_desc? integer
---@field rx_bad_len? integer
---@field rx_no_eop? integer
---@field used_bad_id? integer
---@field used_twice? integer
---@field rx_vlan_filter? boolean
---@field virtio_ctrl_vq? boolean
---@field announce? boolean
---@field used_ahead? integer
---@field scribble? integer
---@field dma_strict? boolean
---@field reset? boolean
---@field gro_flush_timeout? integer
---@field napi_defer_hard_irqs? integer
---@field irq_cpu? integer
---@field rx_ring? integer
---@field tx_ring? integer
---@field tx_stall? boolean
---@field irq_lost? integer
---@field irq_spurious? integer
---@field queue? integer
---@field dev? tapline.Device

---Sets. A text is in ethtool's own words: "-K eth0 gro off" sets, "-S eth0" gives what it prints.
---@param options tapline.EthtoolOptions|string
---@return string?
function Host:ethtool(options) end

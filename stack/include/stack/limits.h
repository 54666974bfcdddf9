/* SPDX-License-Identifier: MIT */
/* Every bound that is not a sysctl, in one place. Hitting one is counted or a named error. */
#ifndef TAPLINE_STACK_LIMITS_H
#define TAPLINE_STACK_LIMITS_H

#define HOST_CPUS_MAX	  64u
#define WORLD_HOSTS_MAX	  64u
#define WORLD_WIRES_MAX	  256u
#define NIC_QUEUES_MAX	  16u
#define FRAME_LEN_MAX	  65549u /* a 65,535-byte packet and its Ethernet header */
#define STEPS_PER_INSTANT 1000000u /* events at one instant before a storm is declared */
#define FD_MAX		  1048576u /* descriptors of a host (fs.nr_open) */
#define IFNAME_LEN	  16u /* IFNAMSIZ */
#define POLLFDS_MAX	  1024u /* of one poll() */
#define IOV_BYTES_MAX	  0x7ffff000u /* bytes of one send or receive (MAX_RW_COUNT) */

#endif

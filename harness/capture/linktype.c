/* SPDX-License-Identifier: MIT */
/* Names of link types, so that a refusal can say what a file is. Numbers: tcpdump.org's list. */
#include "capture/buffer.h"

static const struct {
	u16 number;
	bool supported;
	const char *name;
} links[] = {
	{ 0, true, "NULL" },
	{ 1, true, "EN10MB" },
	{ 3, false, "AX25" },
	{ 6, false, "IEEE802_5" },
	{ 7, false, "ARCNET_BSD" },
	{ 8, false, "SLIP" },
	{ 9, false, "PPP" },
	{ 10, false, "FDDI" },
	{ 12, true, "RAW" },
	{ 14, true, "RAW" },
	{ 50, false, "PPP_HDLC" },
	{ 51, false, "PPP_ETHER" },
	{ 100, false, "ATM_RFC1483" },
	{ 101, true, "RAW" },
	{ 104, false, "C_HDLC" },
	{ 105, false, "IEEE802_11" },
	{ 107, false, "FRELAY" },
	{ 108, true, "LOOP" },
	{ 113, true, "LINUX_SLL" },
	{ 114, false, "LTALK" },
	{ 117, false, "PFLOG" },
	{ 119, false, "IEEE802_11_PRISM" },
	{ 122, false, "IP_OVER_FC" },
	{ 127, false, "IEEE802_11_RADIOTAP" },
	{ 140, false, "MTP2" },
	{ 147, false, "USER0" },
	{ 162, false, "USER15" },
	{ 177, false, "LINUX_LAPD" },
	{ 187, false, "BLUETOOTH_HCI_H4" },
	{ 189, false, "USB_LINUX" },
	{ 192, false, "PPI" },
	{ 195, false, "IEEE802_15_4" },
	{ 201, false, "BLUETOOTH_HCI_H4_WITH_PHDR" },
	{ 220, false, "USB_LINUX_MMAPPED" },
	{ 224, false, "FC_2" },
	{ 227, false, "CAN_SOCKETCAN" },
	{ 228, true, "IPV4" },
	{ 229, true, "IPV6" },
	{ 230, false, "IEEE802_15_4_NOFCS" },
	{ 231, false, "DBUS" },
	{ 239, false, "NFLOG" },
	{ 240, false, "NETANALYZER" },
	{ 242, false, "IPOIB" },
	{ 248, false, "SCTP" },
	{ 249, false, "USBPCAP" },
	{ 252, false, "WIRESHARK_UPPER_PDU" },
	{ 253, false, "NETLINK" },
	{ 258, false, "PKTAP" },
	{ 276, true, "LINUX_SLL2" },
	{ 281, false, "DSA_TAG_BRCM" },
};

const char *capture_link_name(u32 link)
{
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		if (links[i].number == link)
			return links[i].name;
	}
	return NULL;
}

bool capture_link_supported(u32 link)
{
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		if (links[i].number == link)
			return links[i].supported;
	}
	return false;
}

enum capture_status capture_refuse_link(struct capture_reader *r, u32 link)
{
	const char *name = capture_link_name(link);

	snprintf(r->error, sizeof(r->error), "link type %u (%s) is not supported", link,
		 name ? name : "unknown");
	return CAPTURE_UNSUPPORTED;
}

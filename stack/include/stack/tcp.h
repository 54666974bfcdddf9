/* SPDX-License-Identifier: MIT */
/* Options of level SOL_TCP and what they carry, with Linux's values and x86-64 layouts (little
 * endian on every machine). */
#ifndef TAPLINE_STACK_TCP_H
#define TAPLINE_STACK_TCP_H

#define TCP_NODELAY		 1
#define TCP_MAXSEG		 2
#define TCP_CORK		 3
#define TCP_KEEPIDLE		 4
#define TCP_KEEPINTVL		 5
#define TCP_KEEPCNT		 6
#define TCP_SYNCNT		 7
#define TCP_LINGER2		 8
#define TCP_DEFER_ACCEPT	 9
#define TCP_WINDOW_CLAMP	 10
#define TCP_INFO		 11
#define TCP_QUICKACK		 12
#define TCP_CONGESTION		 13
#define TCP_MD5SIG		 14
#define TCP_MD5SIG_EXT		 32
#define TCP_THIN_LINEAR_TIMEOUTS 16
#define TCP_THIN_DUPACK		 17
#define TCP_USER_TIMEOUT	 18
#define TCP_FASTOPEN		 23
#define TCP_TIMESTAMP		 24
#define TCP_NOTSENT_LOWAT	 25
#define TCP_CC_INFO		 26
#define TCP_SAVE_SYN		 27
#define TCP_SAVED_SYN		 28
#define TCP_FASTOPEN_CONNECT	 30
#define TCP_ULP			 31
#define TCP_FASTOPEN_KEY	 33
#define TCP_FASTOPEN_NO_COOKIE	 34
#define TCP_INQ			 36
#define TCP_TX_DELAY		 37
#define TCP_AO_ADD_KEY		 38
#define TCP_AO_DEL_KEY		 39
#define TCP_AO_INFO		 40
#define TCP_AO_GET_KEYS		 41
#define TCP_AO_REPAIR		 42
#define TCP_IS_MPTCP		 43
#define TCP_RTO_MAX_MS		 44
#define TCP_RTO_MIN_US		 45
#define TCP_DELACK_MAX_US	 46

/* cmsg type of TCP_INQ. */
#define TCP_CM_INQ TCP_INQ

#define TCP_CA_NAME_MAX 16

/* struct tcp_info: offsets of its fields and its size in Linux 6.18. */
#define TCP_INFO_SIZE 280

/* tcpi_state: the states of stack/core's sock, as ss and /proc/net/tcp number them. */

/* tcpi_ca_state */
enum tcp_ca_state { TCP_CA_Open, TCP_CA_Disorder, TCP_CA_CWR, TCP_CA_Recovery, TCP_CA_Loss };

/* tcpi_options */
#define TCPI_OPT_TIMESTAMPS 1
#define TCPI_OPT_SACK	    2
#define TCPI_OPT_WSCALE	    4
#define TCPI_OPT_ECN	    8
#define TCPI_OPT_ECN_SEEN   16
#define TCPI_OPT_SYN_DATA   32
#define TCPI_OPT_USEC_TS    64
#define TCPI_OPT_TFO_CHILD  128

#endif

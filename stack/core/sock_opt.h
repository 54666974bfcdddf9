/* SPDX-License-Identifier: MIT */
/* What setting and reading options of SOL_SOCKET share. */
#ifndef TAPLINE_CORE_SOCK_OPT_H
#define TAPLINE_CORE_SOCK_OPT_H

#include "core/sock.h"

/* The bit of sk_flags that an option is, when it is nothing else; 0: it is none. */
u32 sock_opt_flag(u32 name);

/* Options that only sockets of AF_UNIX have. */
static inline bool sock_opt_of_unix(u32 name)
{
	return name == SO_PASSCRED || name == SO_PASSSEC || name == SO_PASSPIDFD ||
	       name == SO_PASSRIGHTS;
}

#endif
